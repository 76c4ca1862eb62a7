/** What submits, removals and moves make of a draft. */

import { scoreAfter } from '../../../src/backend/rankings/arithmetic.ts';
import { isBetter } from '../../../src/backend/rankings/order.ts';
import type { RankingRules, Submission, Submitted } from '../../../src/backend/rankings.ts';
import type { Board } from './board.ts';
import type { Draft } from './draft.ts';
import { fullBoard } from './errors.ts';

/** A board by what its key has behind the closing brace. */
export interface NamedBoard {
  readonly name: string;
  readonly expiresAt: number;
}

/**
 * Submits all scores to all boards.
 *
 * @throws {HotshelfError} `BOARD_FULL` or `BACKEND_REFUSED`; nothing was changed then
 */
export function submitTo(
  draft: Draft,
  boards: readonly NamedBoard[],
  rules: RankingRules,
  submissions: readonly Submission[],
  maxMembers: number,
): Submitted[][] {
  // All of them, before the first one is changed.
  const found = boards.map(({ name }) => draft.find(name, rules));
  if (rules.cap === Infinity) for (const board of found) checkRoom(draft, board, submissions, maxMembers);
  const places = boards.map((board, index) => new Place(draft, board, rules, found[index]));
  return submissions.map((submission) => places.map((place) => place.submit(submission)));
}

export function removeFrom(
  draft: Draft,
  names: readonly string[],
  rules: RankingRules,
  members: readonly string[],
): number[] {
  const numbers = members.map((member) => draft.names.find(member));
  return takeOff(draft, names, rules, (board) => {
    if (!numbers.some((number) => board.placeOf(number) !== -1)) return undefined;
    return (own) => {
      let count = 0;
      for (const number of numbers) {
        const place = own.placeOf(number);
        if (place === -1) continue;
        own.cut(place, 1);
        count += 1;
      }
      return count;
    };
  });
}

export function removeScoresFrom(
  draft: Draft,
  names: readonly string[],
  rules: RankingRules,
  least: number,
  most: number,
): number[] {
  return takeOff(draft, names, rules, (board) => {
    const { from, count } = board.between(least, most);
    if (count <= 0) return undefined;
    return (own) => {
      own.cut(from, count);
      return count;
    };
  });
}

export function moveBoard(
  draft: Draft,
  name: string,
  to: NamedBoard,
  rules: RankingRules,
): 'moved' | 'missing' | 'taken' {
  if (draft.find(name, rules) === undefined) return 'missing';
  if (draft.has(to.name)) return 'taken';
  const own = draft.open(name, rules, to.expiresAt);
  draft.delete(name);
  draft.put(to.name, own);
  return 'moved';
}

/** @param look what there is to do on a board; `undefined` for nothing */
function takeOff(
  draft: Draft,
  names: readonly string[],
  rules: RankingRules,
  look: (board: Board) => ((own: Board) => number) | undefined,
): number[] {
  const found = names.map((name) => ({ name, board: draft.find(name, rules) }));
  return found.map(({ name, board }) => {
    const work = board && look(board);
    return board === undefined || work === undefined ? 0 : work(draft.open(name, rules, board.expiresAt));
  });
}

/** One of the boards that a call submits to; copied when the first submission changes it. */
class Place {
  readonly #draft: Draft;
  readonly #board: NamedBoard;
  readonly #rules: RankingRules;
  #now: Board;
  #isOwn = false;

  constructor(draft: Draft, board: NamedBoard, rules: RankingRules, found: Board | undefined) {
    this.#draft = draft;
    this.#board = board;
    this.#rules = rules;
    this.#now = found?.expiresAt === board.expiresAt ? found : this.#own();
  }

  submit({ member, score: submitted }: Submission): Submitted {
    const { names, now } = this.#draft;
    const { cap, mode, ties } = this.#rules;
    const board = this.#now;
    let place = board.placeOf(names.find(member));
    const previous = place === -1 ? null : board.scoreAt(place);
    const displaces = place === -1 && mode === 'decay' && board.size >= cap;
    const score = scoreAfter(this.#rules, displaces ? board.scoreAt(cap - 1) : previous, submitted, now);
    const improved = previous === null || isBetter(this.#rules, score, previous);
    if (score !== previous) {
      const own = this.#own();
      if (displaces) own.cut(cap - 1, Infinity);
      else if (place !== -1) own.cut(place, 1);
      place = own.insert(names.add(member), score, ties === 'earliest' ? this.#draft.nextReached() : 0);
    }
    if (this.#now.size > cap) this.#own().cut(cap, Infinity);
    return { score, previous, rank: place < this.#now.size ? this.#now.standingAt(place).rank : null, improved };
  }

  #own(): Board {
    if (this.#isOwn) return this.#now;
    this.#isOwn = true;
    this.#now = this.#draft.open(this.#board.name, this.#rules, this.#board.expiresAt);
    return this.#now;
  }
}

function checkRoom(
  draft: Draft,
  board: Board | undefined,
  submissions: readonly Submission[],
  maxMembers: number,
): void {
  const size = board?.size ?? 0;
  if (size + submissions.length <= maxMembers) return;
  const members = new Set(submissions.map(({ member }) => member));
  let newcomers = 0;
  for (const member of members) if ((board?.placeOf(draft.names.find(member)) ?? -1) === -1) newcomers += 1;
  if (newcomers > 0 && size + newcomers > maxMembers) throw fullBoard(maxMembers);
}
