/**
 * Holds the rankings of a backend against plain lists that are sorted for every question: whatever is done, both must agree.
 *
 * For an adapter with a server, in `test/adapters/<name>/rankings-model.test.ts`:
 *
 *     it.each(modelRules)('keeps boards as plain lists would: $order, $ties, $mode', async (rules) => {
 *       await checkAgainstModel([backend.rankings, peer.rankings], rules, { runs: 15 });
 *     });
 *
 * Several rankings take turns; they must be on one server. The keys are new ones in every run. Half-lives are long enough
 * that the time of the server does not matter. A failure prints the steps, the fewest that fail.
 */

import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { RankingEntry, RankingQuery, RankingRules, Rankings, Submitted } from 'hotshelf';
import { PlainBoards, type PlainAnswer, type PlainRow } from './plain.ts';
import { boardCount, members, stepsFor, type Step } from './steps.ts';

const slowHalfLifeMs = 3e13;

/** Every order, ties and mode. */
export const modelRules: readonly RankingRules[] = [
  ...(['desc', 'asc'] as const).flatMap((order) =>
    (['competition', 'dense', 'earliest'] as const).flatMap((ties) =>
      (['best', 'last', 'sum'] as const).map((mode) => ({ order, ties, mode, cap: Infinity })),
    ),
  ),
  { order: 'desc', ties: 'competition', mode: 'decay', cap: Infinity, halfLifeMs: slowHalfLifeMs },
];

export interface ModelOptions {
  /** How many series of steps. @default 40 */
  readonly runs?: number;
  /** How many steps a series has at most. @default 40 */
  readonly steps?: number;
  /** The time of the store, in epoch ms. @default the machine's own */
  readonly now?: () => number;
  /** Lets time pass; without it nothing waits. */
  readonly advance?: (ms: number) => Promise<void>;
  /** The same seed gives the same steps. @default another one each time, named by a failure */
  readonly seed?: number;
  /** False for a test that expects a failure and need not know the shortest. @default true */
  readonly shrink?: boolean;
}

/** Rejects, with the steps that show it, unless the rankings do what the model does. */
export async function checkAgainstModel(
  rankings: readonly Rankings[],
  rules: RankingRules,
  options: ModelOptions = {},
): Promise<void> {
  const { runs = 40, steps = 40, shrink = true, seed } = options;
  const begunAt = `${process.pid}-${performance.now()}`;
  let plays = 0;
  await fc.assert(
    fc.asyncProperty(stepsFor(rules, steps), async (series) => {
      plays += 1;
      const play = new Play(rankings, rules, `model:{${begunAt}-${plays}}`, options);
      for (const step of series) await play.take(step);
    }),
    { numRuns: runs, endOnFailure: !shrink, ...(seed !== undefined && { seed }) },
  );
}

/** One series of steps, in the backend and in the model. */
class Play {
  readonly #rankings: readonly Rankings[];
  readonly #rules: RankingRules;
  readonly #plain: PlainBoards;
  readonly #keys: readonly string[];
  readonly #advance: ((ms: number) => Promise<void>) | undefined;
  /** Where pages of each board ended, and the row that stood there; until the board has no members. */
  readonly #marks = new Map<string, { readonly end: string; readonly row: PlainRow }[]>();
  #turn = 0;

  constructor(rankings: readonly Rankings[], rules: RankingRules, prefix: string, options: ModelOptions) {
    this.#rankings = rankings;
    this.#rules = rules;
    this.#plain = new PlainBoards(rules, options.now ?? Date.now);
    this.#keys = Array.from({ length: boardCount }, (_, index) => `${prefix}:${index}`);
    this.#advance = options.advance;
  }

  async take(step: Step): Promise<void> {
    switch (step.verb) {
      case 'submit':
        return this.#submit(step);
      case 'wait':
        return this.#advance?.(step.ms);
      case 'remove': {
        const gone = step.members.map(memberOf);
        const keys = step.boards.map((board) => this.#key(board));
        const expected = keys.map((key) => this.#plain.remove(key, ({ member }) => gone.includes(member)));
        agree('how many left', await this.#one().remove(keys, this.#rules, gone), expected);
        return this.#checkAll(keys);
      }
      case 'removeScores': {
        const [least, most] = step.between;
        const keys = step.boards.map((board) => this.#key(board));
        const expected = keys.map((key) => this.#plain.remove(key, (row) => this.#isBetween(row, least, most)));
        agree('how many left', await this.#one().removeScores(keys, this.#rules, least, most), expected);
        return this.#checkAll(keys);
      }
      case 'move': {
        const [key, to] = [this.#key(step.board), this.#key(step.to)];
        if (key === to) return;
        const expected = this.#plain.move(key, to);
        agree('a move', await this.#one().move(key, { key: to, expiresAt: Infinity }, this.#rules), expected);
        return this.#checkAll([key, to]);
      }
      case 'find':
        return this.#find(this.#key(step.board), step.members.map(memberOf));
      case 'scan':
        return this.#scan(this.#key(step.board));
      default:
        return this.#page(this.#key(step.board), step);
    }
  }

  async #submit({ boards, scores, cap }: Step & { verb: 'submit' }): Promise<void> {
    const keys = boards.map((board) => this.#key(board));
    const submissions = scores.map(([member, score]) => ({ member: memberOf(member), score }));
    const undo = this.#plain.save();
    this.#plain.isDoubtful = false;
    const expected = submissions.map(({ member, score }) =>
      keys.map((key) => this.#plain.submit(key, member, score, cap)),
    );
    if (this.#plain.isDoubtful) return undo();
    const named = keys.map((key) => ({ key, expiresAt: Infinity }));
    const answers = await this.#one().submit(named, { ...this.#rules, cap }, submissions);
    const now =
      this.#rules.mode === 'decay' ? (await this.#one().find(named[0]?.key ?? '', this.#rules, ['ann'])).now : 0;
    const said = answers.map((answer, submission) =>
      answer.map((one, place) => this.#seenAnswer(one, now, expected[submission]?.[place])),
    );
    agree('answers', said, expected);
    return this.#checkAll(keys);
  }

  async #checkAll(keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.#expectPage(key, { from: 0, count: 1000 }, 0, 1000);
  }

  async #page(key: string, step: Step & { verb: 'from' | 'around' | 'after' | 'between' }): Promise<void> {
    const rows = this.#plain.rows(key);
    const { count } = step;
    if (step.verb === 'from') {
      await this.#expectPage(key, { from: step.from, count }, Math.min(step.from, rows.length), count);
    } else if (step.verb === 'around') {
      const around = memberOf(step.member);
      const place = rows.findIndex(({ member }) => member === around);
      // As many before as behind, as long as there are any.
      let [from, to] = [place, place + 1];
      while (place >= 0 && to - from < Math.min(count, rows.length)) {
        if (to < rows.length && (to - place <= place - from + (count % 2 === 0 ? 1 : 0) || from === 0)) to += 1;
        else from -= 1;
      }
      await this.#expectPage(key, { around, count }, Math.max(0, from), place < 0 ? 0 : count);
    } else if (step.verb === 'after') {
      const mark = this.#marks.get(key)?.at(-1 - step.mark);
      if (
        mark === undefined ||
        !this.#plain.isClear([...rows.filter(({ member }) => member !== mark.row.member), mark.row])
      )
        return;
      const from = rows.filter((row) => this.#plain.compare(row, mark.row) <= 0).length;
      await this.#expectPage(key, { after: mark.end, count }, from, count);
    } else {
      const [least, most] = step.between;
      const fits = rows.map((row) => this.#isBetween(row, least, most));
      const best = this.#rules.order === 'desc' ? most : least;
      const first = rows.filter((row) => this.#isBefore(row, best)).length;
      const found = fits.filter(Boolean).length;
      const skip = Math.min(step.skip, found);
      await this.#expectPage(key, { least, most, skip: step.skip, count }, first + skip, Math.min(count, found - skip));
    }
  }

  async #expectPage(key: string, query: RankingQuery, from: number, count: number): Promise<void> {
    const page = await this.#one().page(key, this.#rules, query);
    const all = this.#plain.rows(key);
    const rows = all.slice(from, from + count);
    const { now } = page;
    const seen = page.rows.map((row, place) => ({ ...row, score: this.#seen(row.score, now, rows[place]) }));
    agree(
      `page ${JSON.stringify(query)}`,
      { ...page, rows: seen, end: page.end !== undefined },
      {
        rows: rows.map((row) => ({
          member: row.member,
          score: this.#plain.value(row, now),
          rank: this.#plain.rank(key, row),
        })),
        from,
        size: all.length,
        end: rows.length > 0,
        now,
      },
    );
    const last = rows.at(-1);
    const marks = all.length === 0 ? [] : (this.#marks.get(key) ?? []);
    if (last !== undefined && page.end !== undefined) marks.push({ end: page.end, row: last });
    this.#marks.set(key, marks);
  }

  async #find(key: string, wanted: readonly string[]): Promise<void> {
    const { standings, size, now } = await this.#one().find(key, this.#rules, wanted);
    const all = this.#plain.rows(key);
    const rows = wanted.map((member) => all.find((row) => row.member === member));
    const expected = rows.map((row) => {
      if (row === undefined) return null;
      const value = this.#plain.value(row, now);
      return { score: value, rank: this.#plain.rank(key, row), ahead: this.#plain.ahead(key, row) };
    });
    const seen = standings.map((one, place) => one && { ...one, score: this.#seen(one.score, now, rows[place]) });
    agree('standings', { standings: seen, size }, { standings: expected, size: all.length });
  }

  async #scan(key: string): Promise<void> {
    const found = new Map<string, RankingEntry>();
    for await (const some of this.#one().scan(key, this.#rules))
      for (const entry of some) found.set(entry.member, entry);
    const { now } = await this.#one().find(key, this.#rules, ['ann']);
    const rows = this.#plain.rows(key);
    const byMember = new Map(rows.map((row) => [row.member, row]));
    agree(
      'what a scan finds',
      new Map(Array.from(found, ([member, { score }]) => [member, this.#seen(score, now, byMember.get(member))])),
      new Map(rows.map((row) => [row.member, this.#plain.value(row, now)])),
    );
    const isEarliest = this.#rules.ties === 'earliest';
    for (const [place, row] of rows.entries()) {
      const [before, reached] = [rows[place - 1], found.get(row.member)?.reached ?? Number.NaN];
      if (!isEarliest) agree('when a score was reached', reached, 0);
      else if (before?.score === row.score)
        assert.ok(
          reached > (found.get(before.member)?.reached ?? Number.NaN),
          'who was earlier has the smaller number',
        );
    }
  }

  #isBetween(row: PlainRow, least: number, most: number): boolean {
    if (this.#rules.mode === 'decay') return least === -Infinity && most === Infinity;
    return row.score >= least && row.score <= most;
  }

  #isBefore(row: PlainRow, best: number): boolean {
    if (this.#rules.mode === 'decay') return best === -Infinity;
    return this.#rules.order === 'desc' ? row.score > best : row.score < best;
  }

  #seenAnswer(said: Submitted, now: number, expected: PlainAnswer | undefined): PlainAnswer {
    const { score, previous, rank, improved } = said;
    return {
      value: this.#close(score, now, expected?.value),
      previous: previous === null ? null : this.#close(previous, now, expected?.previous ?? undefined),
      rank,
      improved,
    };
  }

  #seen(score: number, now: number, expected: PlainRow | undefined): number {
    return this.#close(score, now, expected && this.#plain.value(expected, now));
  }

  /** The score; with decay the weight that it means, and that exactly as expected if it is as close as a logarithm can be. */
  #close(score: number, now: number, expected: number | undefined): number {
    if (this.#rules.mode !== 'decay') return score;
    const weight = 2 ** (score - now / (this.#rules.halfLifeMs ?? Number.NaN));
    const isClose = expected !== undefined && Math.abs(weight - expected) <= 1e-5 * expected;
    return isClose ? expected : weight;
  }

  #one(): Rankings {
    this.#turn += 1;
    const one = this.#rankings[this.#turn % this.#rankings.length];
    if (one === undefined) throw new Error('Expected at least one backend.');
    return one;
  }

  #key(board: number): string {
    return this.#keys[board] ?? '';
  }
}

/** Fails with both, and with what they are. */
function agree(what: string, found: unknown, expected: unknown): void {
  assert.deepEqual({ [what]: found }, { [what]: expected });
}

function memberOf(index: number): string {
  return members[index] ?? '';
}
