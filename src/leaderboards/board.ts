/** What a leaderboard does: finds the windows that are meant, and asks the facet. */

import { checkMember, checkScores, mostBoards, mostRows } from '../backend/rankings/check.ts';
import type { Submission, Submitted } from '../backend/rankings.ts';
import { type Duration, durationMs } from '../support/duration.ts';
import { HotshelfError } from '../support/errors.ts';
import { checkOptionNames } from '../support/options.ts';
import { BoardKeys, seasonPlace } from './keys.ts';
import type { Leaderboard, RotateOptions, ScoreRange, SubscribeTopOptions } from './leaderboard.ts';
import type { TopChange } from './live/diff.ts';
import { Watching } from './live/watching.ts';
import { Metas } from './meta.ts';
import { checkWhole, named, naming, wrong } from './naming.ts';
import type { LeaderboardRules } from './options.ts';
import { Places } from './reading/places.ts';
import type { BoardFriend, BoardPage, BoardReader, BoardRow, BoardStanding, PageQuery, RangeQuery } from './rows.ts';
import type { Source } from './reading/source.ts';
import { checkScore, submitChunks, type SubmittedTo } from './submissions.ts';
import { Calendar, type CurrentSlot } from './time/calendar.ts';
import { checkKind, type Where, whereNames } from './time/where.ts';
import type { TimeWindow, WindowKind } from './time/windows.ts';

const defaultWatched = 10;
const defaultSeason: Duration = '365d';
const longestSeason = 100;

export class Board<Kind extends WindowKind, Meta> implements Leaderboard<Kind, Meta> {
  readonly name: string;
  readonly #rules: LeaderboardRules;
  readonly #keys: BoardKeys;
  readonly #calendar: Calendar;
  readonly #metas: Metas<Meta> | undefined;
  readonly #places: Places<Meta>;
  readonly #watching: Watching<Meta>;
  #closed = false;

  constructor(rules: LeaderboardRules) {
    this.name = rules.name;
    this.#rules = rules;
    this.#keys = new BoardKeys(rules.name);
    this.#calendar = new Calendar(rules, this.#keys);
    if (rules.values !== undefined) this.#metas = new Metas(rules.values, this.#keys, rules.metaTtlMs);
    this.#places = new Places(rules, this.#keys, this.#calendar, this.#metas);
    this.#watching = new Watching(rules, this.#keys, this.#places);
  }

  submit(member: string, score: number): Promise<SubmittedTo<Kind>> {
    return this.#open(async () => {
      checkMember(member);
      checkScore(score, this.#rules);
      const [done] = await this.#submit([{ member, score }]);
      // The facet answers each submission.
      return done as SubmittedTo<Kind>;
    });
  }

  submitMany(submissions: readonly Submission[]): Promise<readonly SubmittedTo<Kind>[]> {
    return this.#open(async () => {
      if (!Array.isArray(submissions)) throw wrong('submissions', 'a list of { member, score }', submissions);
      for (const { member, score } of submissions) {
        checkMember(member);
        checkScore(score, this.#rules);
      }
      return submitChunks(this.name, submissions, (chunk) => this.#submit(chunk));
    });
  }

  remove(member: string, where?: Where<Kind>): Promise<boolean> {
    return this.#open(async () => {
      checkMember(member);
      const { rankings, rules } = this.#rules;
      const removed = await this.#each(where, (keys) => rankings.remove(keys, rules, [member]));
      if (where === undefined) await this.#metas?.delete(member);
      return removed > 0;
    });
  }

  removeScores(range: ScoreRange & Where<Kind>): Promise<number> {
    return this.#open(async () => {
      checkOptionNames(range, ['least', 'most', ...whereNames], 'removeScores()');
      const { least = -Infinity, most = Infinity, ...where } = range;
      checkScores(least, most);
      if (least === -Infinity && most === Infinity) throw wrong('least', 'a number, or `most` to be one', undefined);
      const { rankings, rules } = this.#rules;
      const isSaid = Object.values(where).some((value) => value !== undefined);
      return this.#each(isSaid ? where : undefined, (keys) => rankings.removeScores(keys, rules, least, most));
    });
  }

  setMeta(member: string, value: Meta | undefined): Promise<void> {
    return this.#open(async () => {
      checkMember(member);
      if (this.#metas === undefined) throw wrong('meta', 'an option of the board, for setMeta() to keep it', undefined);
      await (value === undefined ? this.#metas.delete(member) : this.#metas.set(member, value));
    });
  }

  top(count?: number, where?: Where<Kind>): Promise<BoardPage<Meta>> {
    // Without a promise of its own: what is kept in memory should cost no more than to find it.
    try {
      this.#checkOpen();
      return this.#places.at(where).top(count);
    } catch (error) {
      return Promise.reject(named(this.name, error));
    }
  }

  page(query: PageQuery & Where<Kind> = {}): Promise<BoardPage<Meta>> {
    return this.#open(async () => {
      const [reader, rest] = this.#places.ofPage(query);
      return reader.page(rest);
    });
  }

  range(query: RangeQuery & Where<Kind>): Promise<BoardPage<Meta>> {
    return this.#open(async () => {
      const [reader, rest] = this.#places.ofRange(query);
      return reader.range(rest);
    });
  }

  get(member: string, where?: Where<Kind>): Promise<BoardStanding<Meta> | null> {
    return this.#open(() => this.#places.at(where).get(member));
  }

  around(member: string, each?: number, where?: Where<Kind>): Promise<BoardPage<Meta> | null> {
    return this.#open(() => this.#places.at(where).around(member, each));
  }

  among(members: readonly string[], where?: Where<Kind>): Promise<readonly BoardFriend<Meta>[]> {
    return this.#open(() => this.#places.at(where).among(members));
  }

  size(where?: Where<Kind>): Promise<number> {
    return this.#open(() => this.#places.at(where).size());
  }

  async *export(where?: Where<Kind>): AsyncGenerator<BoardRow<Meta>, void, undefined> {
    yield* await this.#open(async () => this.#places.at(where).export());
  }

  window(where?: Where<Kind>): TimeWindow {
    try {
      const { start, end } = this.#places.slot(where);
      return { start, end };
    } catch (error) {
      throw named(this.name, error);
    }
  }

  rotate(season: string, options: RotateOptions = {}): Promise<boolean> {
    return this.#open(async () => {
      checkSeason(season);
      checkOptionNames(options, ['keep'], 'rotate()');
      const { keep = defaultSeason } = options;
      const { rankings, rules, clock, windows } = this.#rules;
      if (!windows.includes('all')) throw wrong('windows', 'a list with "all", for rotate()', windows);
      const expiresAt = keep === Infinity ? Infinity : clock.now() + Math.ceil(durationMs(keep, 'keep'));
      const to = { key: this.#keys.at(seasonPlace(season)), expiresAt };
      const outcome = await rankings.move(this.#keys.at('all'), to, rules);
      if (outcome === 'taken')
        throw new HotshelfError('SEASON_TAKEN', 'There is a season of that name; nothing was changed. Name another.');
      if (outcome === 'moved') this.#watching.changed();
      return outcome === 'moved';
    });
  }

  archive(season: string): BoardReader<Meta> {
    try {
      checkSeason(season);
    } catch (error) {
      throw named(this.name, error);
    }
    return this.#places.season(season);
  }

  subscribe(listener: (change: TopChange<Meta>) => void, options: SubscribeTopOptions<Kind> = {}): () => void {
    try {
      this.#checkOpen();
      checkOptionNames(options, ['window', 'size', 'onProblem'], 'subscribe()');
      const { window = this.#rules.windows[0] ?? 'all', size = defaultWatched, onProblem = () => {} } = options;
      checkKind(this.#rules, window);
      checkWhole('size', size, 1, mostRows);
      if (typeof listener !== 'function') throw wrong('listener', 'a function', listener);
      return this.#watching.top(window).watch(size, listener, onProblem);
    } catch (error) {
      throw named(this.name, error);
    }
  }

  get order(): 'desc' | 'asc' {
    return this.#rules.rules.order;
  }

  /** What a union reads. */
  source(where: Where<Kind>): Source {
    this.#checkOpen();
    return this.#places.source(where);
  }

  close(): void {
    this.#closed = true;
    this.#watching.close();
  }

  async #submit(submissions: readonly Submission[]): Promise<readonly SubmittedTo<Kind>[]> {
    const { rankings, rules, clock } = this.#rules;
    const slots = this.#calendar.current(clock.now());
    const answers = await rankings.submit(slots, rules, submissions);
    if (answers.some(hasChanged)) this.#watching.changed();
    return answers.map((answer) => byKind<Kind>(slots, answer));
  }

  /** Asks for the boards of the windows, 16 in one step and the current ones first; returns the sum of the answers. */
  async #each(
    where: Where<Kind> | undefined,
    ask: (keys: readonly string[]) => Promise<readonly number[]>,
  ): Promise<number> {
    const { windows, clock } = this.#rules;
    const slots = where === undefined ? this.#calendar.kept(windows, clock.now()) : [this.#places.slot(where)];
    let sum = 0;
    for (let from = 0; from < slots.length; from += mostBoards) {
      const counts = await ask(slots.slice(from, from + mostBoards).map(({ key }) => key));
      for (const count of counts) sum += count;
      if (sum > 0) this.#watching.changed();
    }
    return sum;
  }

  #open<Result>(work: () => Promise<Result>): Promise<Result> {
    return naming(this.name, async () => {
      this.#checkOpen();
      return work();
    });
  }

  #checkOpen(): void {
    if (this.#closed) throw new HotshelfError('CLOSED', 'It was closed.');
  }
}

function byKind<Kind extends WindowKind>(
  slots: readonly CurrentSlot[],
  answer: readonly Submitted[],
): SubmittedTo<Kind> {
  const entries = slots.map(({ kind }, place) => [kind, answer[place]] as const);
  // The slots are those of the windows of the options.
  return Object.fromEntries(entries) as SubmittedTo<Kind>;
}

function hasChanged(answer: readonly Submitted[]): boolean {
  return answer.some(({ score, previous }) => score !== previous);
}

function checkSeason(season: unknown): void {
  if (typeof season === 'string' && season !== '' && season.length <= longestSeason) return;
  throw wrong('season', `a text of 1 to ${longestSeason} characters`, season);
}
