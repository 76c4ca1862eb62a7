/** The rankings facet in this process. */

import {
  checkBoardKeys,
  checkMembers,
  checkMove,
  checkQuery,
  checkRules,
  checkScores,
  checkSubmit,
} from '../../src/backend/rankings/check.ts';
import type {
  RankingBoard,
  RankingEntry,
  RankingFound,
  RankingPage,
  RankingQuery,
  RankingRules,
  Rankings,
  Submission,
  Submitted,
} from '../../src/backend/rankings.ts';
import { HotshelfError } from '../../src/support/errors.ts';
import { Board } from './board.ts';
import { pageOf, scoresBetween } from './board-page.ts';
import { Boards } from './boards.ts';
import type { Store } from './store.ts';

/** So many members are read at a time. */
const portion = 1000;

export class MemoryRankings implements Rankings {
  readonly maxMembers: number;
  readonly #store: Store;
  readonly #boards: Boards;
  #submissions = 0;

  constructor(store: Store, maxMembers: number) {
    this.maxMembers = maxMembers;
    this.#store = store;
    this.#boards = new Boards(store.clock);
  }

  async submit(
    boards: readonly RankingBoard[],
    rules: RankingRules,
    submissions: readonly Submission[],
  ): Promise<readonly (readonly Submitted[])[]> {
    this.#store.checkOpen();
    checkSubmit(boards, rules, submissions, this.maxMembers);
    const touched = boards.map(({ key }) => this.#boards.find(key, rules) ?? new Board(rules));
    const mayFill = this.#mayFill(boards.length * submissions.length);
    if (mayFill) for (const board of touched) board.record();
    const size = sizeOf(touched);
    const now = this.#store.clock.now();
    const answers = submissions.map((submission) => {
      this.#submissions += 1;
      return touched.map((board) => board.submit(submission, rules, now, this.#submissions));
    });
    if (mayFill && this.#boards.members + sizeOf(touched) - size > this.maxMembers) {
      for (const board of touched) board.undo();
      throw this.#fullError();
    }
    for (const [place, board] of touched.entries()) {
      board.keep();
      this.#boards.put(boards[place]?.key ?? '', board, boards[place]?.expiresAt ?? Infinity);
    }
    return answers;
  }

  async page(key: string, rules: RankingRules, query: RankingQuery): Promise<RankingPage> {
    this.#store.checkOpen();
    checkQuery(key, rules, query, this.maxMembers);
    return pageOf(this.#boards.find(key, rules) ?? new Board(rules), query, this.#store.clock.now());
  }

  async find(key: string, rules: RankingRules, members: readonly string[]): Promise<RankingFound> {
    this.#check([key], rules);
    checkMembers(members);
    const board = this.#boards.find(key, rules);
    return {
      standings: members.map((member) => board?.standing(member) ?? null),
      size: board?.size ?? 0,
      now: this.#store.clock.now(),
    };
  }

  async remove(keys: readonly string[], rules: RankingRules, members: readonly string[]): Promise<readonly number[]> {
    this.#check(keys, rules);
    checkMembers(members);
    return this.#takeOff(keys, rules, (board) => members.filter((member) => board.drop(member)).length);
  }

  async removeScores(
    keys: readonly string[],
    rules: RankingRules,
    least: number,
    most: number,
  ): Promise<readonly number[]> {
    this.#check(keys, rules);
    checkScores(least, most);
    return this.#takeOff(keys, rules, (board) => {
      const { from, count } = scoresBetween(board, least, most);
      return board.dropFrom(from, count);
    });
  }

  async move(key: string, to: RankingBoard, rules: RankingRules): Promise<'moved' | 'missing' | 'taken'> {
    this.#store.checkOpen();
    checkMove(key, to, rules, this.maxMembers);
    if (this.#boards.find(key, rules) === undefined) return 'missing';
    if (this.#boards.find(to.key, rules) !== undefined) return 'taken';
    this.#boards.move(key, to.key, to.expiresAt);
    return 'moved';
  }

  async *scan(key: string, rules: RankingRules): AsyncGenerator<readonly RankingEntry[], void, undefined> {
    this.#check([key], rules);
    // A copy of the order, not of the entries, which never change: whoever moves on the board is not passed over.
    const entries = [...(this.#boards.find(key, rules)?.list ?? [])];
    for (let from = 0; from < entries.length; from += portion) {
      this.#store.checkOpen();
      yield entries.slice(from, from + portion);
    }
  }

  /** Drops everything. */
  close(): void {
    this.#boards.close();
  }

  #check(keys: readonly string[], rules: RankingRules): void {
    this.#store.checkOpen();
    checkRules(rules, this.maxMembers);
    checkBoardKeys(keys);
  }

  #takeOff(keys: readonly string[], rules: RankingRules, from: (board: Board) => number): number[] {
    const boards = keys.map((key) => this.#boards.find(key, rules));
    return boards.map((board, place) => {
      if (board === undefined) return 0;
      const gone = from(board);
      this.#boards.recount(keys[place] ?? '');
      return gone;
    });
  }

  /** True if `newcomers` could be too many, even without the boards whose time has passed. */
  #mayFill(newcomers: number): boolean {
    const isClose = () => this.#boards.members + newcomers > this.maxMembers;
    if (isClose()) this.#boards.sweep();
    return isClose();
  }

  #fullError(): HotshelfError {
    return new HotshelfError(
      'BOARD_FULL',
      `The leaderboards of this process would have more than ${this.maxMembers} members; nothing was written. Give the boards a cap or a lifetime, or raise \`maxRankedMembers\` of memory().`,
    );
  }
}

function sizeOf(boards: readonly Board[]): number {
  return boards.reduce((sum, { size }) => sum + size, 0);
}
