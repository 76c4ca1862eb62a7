/** Joins the submissions of one tick to the same boards into one script call, and the questions for ranks on one. */

import { groupOf, mostRows } from '../../src/backend/rankings/check.ts';
import type { RankingBoard, RankingFound, RankingRules, Submission, Submitted } from '../../src/backend/rankings.ts';
import type { HotshelfError } from '../../src/support/errors.ts';
import { brokenReply } from './errors.ts';
import type { Nodes } from './nodes.ts';
import { keysOf } from './rankings-lua.ts';
import { findScript, readFound } from './rankings-page.ts';
import { readSubmitted, submitScript, writeSubmissions } from './rankings-submit.ts';
import { runScriptOn } from './scripts.ts';
import { type Joinable, Together } from './together.ts';

interface Waiting<Answer> extends Joinable {
  readonly rules: RankingRules;
  readonly answer: (answer: Answer) => void;
  readonly fail: (error: HotshelfError) => void;
}

interface Submit extends Waiting<readonly (readonly Submitted[])[]> {
  readonly boards: readonly RankingBoard[];
  readonly submissions: readonly Submission[];
}

interface Find extends Waiting<RankingFound> {
  readonly key: string;
  readonly members: readonly string[];
}

/** Submissions, counted once for each board, that go in one script call: some 2 ms of the server's time. */
const changesPerCall = 512;

export class RankingsBatch {
  readonly #nodes: Nodes;
  readonly #submits: Together<Submit>;
  readonly #finds: Together<Find>;

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
    this.#submits = new Together({
      areAlike: (one, other) => sameRules(one.rules, other.rules) && sameBoards(one.boards, other.boards),
      mostWeight: changesPerCall,
      send: (calls) => void settle(calls, this.#submit(calls)),
    });
    this.#finds = new Together({
      areAlike: (one, other) => one.key === other.key && sameRules(one.rules, other.rules),
      mostWeight: mostRows,
      send: (calls) => void settle(calls, this.#find(calls)),
    });
  }

  submit(
    boards: readonly RankingBoard[],
    rules: RankingRules,
    submissions: readonly Submission[],
  ): Promise<readonly (readonly Submitted[])[]> {
    const group = groupOf(boards[0]?.key ?? '');
    const weight = boards.length * submissions.length;
    return new Promise((answer, fail: (error: HotshelfError) => void) => {
      this.#submits.add({ group, weight, rules, boards, submissions, answer, fail });
    });
  }

  find(key: string, rules: RankingRules, members: readonly string[]): Promise<RankingFound> {
    return new Promise((answer, fail: (error: HotshelfError) => void) => {
      this.#finds.add({ group: key, weight: members.length, rules, key, members, answer, fail });
    });
  }

  async #submit(calls: readonly [Submit, ...Submit[]]): Promise<readonly (readonly (readonly Submitted[])[])[]> {
    const [{ boards, rules }] = calls;
    const submissions = calls.flatMap((call) => call.submissions);
    const names = keysOf(
      boards.map(({ key }) => key),
      rules,
      this.#nodes.keyPrefix,
    );
    const args = writeSubmissions(boards, rules, submissions);
    const reply = await runScriptOn(this.#nodes, submitScript, names, args);
    const submitted = readSubmitted(reply, rules, boards.length, submissions.length);
    if (submitted === undefined) throw brokenReply();
    return shares(calls, submitted, (call) => call.submissions.length);
  }

  async #find(calls: readonly [Find, ...Find[]]): Promise<readonly RankingFound[]> {
    const [{ key, rules }] = calls;
    const members = calls.flatMap((call) => call.members);
    const names = keysOf([key], rules, this.#nodes.keyPrefix);
    const reply = await runScriptOn(this.#nodes, findScript, names, [rules.order, rules.ties, ...members]);
    const found = readFound(reply, rules, members.length);
    if (found === undefined) throw brokenReply();
    const standings = shares(calls, found.standings, (call) => call.members.length);
    return standings.map((some) => ({ ...found, standings: some }));
  }
}

async function settle<Answer>(calls: readonly Waiting<Answer>[], answering: Promise<readonly Answer[]>): Promise<void> {
  try {
    const answers = await answering;
    for (const [place, answer] of answers.entries()) calls[place]?.answer(answer);
  } catch (error) {
    for (const call of calls) call.fail(error as HotshelfError);
  }
}

/** Cuts what was answered for all calls into what each of them asked for. */
function shares<Call, Part>(
  calls: readonly Call[],
  parts: readonly Part[],
  countOf: (call: Call) => number,
): (readonly Part[])[] {
  if (calls.length === 1) return [parts];
  let from = 0;
  return calls.map((call) => parts.slice(from, (from += countOf(call))));
}

function sameRules(one: RankingRules, other: RankingRules): boolean {
  return (
    one === other ||
    (one.order === other.order &&
      one.ties === other.ties &&
      one.mode === other.mode &&
      one.cap === other.cap &&
      one.halfLifeMs === other.halfLifeMs)
  );
}

function sameBoards(some: readonly RankingBoard[], others: readonly RankingBoard[]): boolean {
  if (some === others) return true;
  return (
    some.length === others.length &&
    some.every(({ key, expiresAt }, place) => {
      return key === others[place]?.key && expiresAt === others[place].expiresAt;
    })
  );
}
