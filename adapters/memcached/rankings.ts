/** The rankings facet on Memcached: all boards of a group are one value, which is read, changed here, and compared and set. */

import {
  checkBoardKeys,
  checkMembers,
  checkMove,
  checkQuery,
  checkRules,
  checkScores,
  checkSubmit,
  groupOf,
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
import type { Clock } from '../../src/support/clock.ts';
import type { Board } from './rankings/board.ts';
import { moveBoard, removeFrom, removeScoresFrom, submitTo, type NamedBoard } from './rankings/changes.ts';
import { findBoard } from './rankings/draft.ts';
import type { Names } from './rankings/names.ts';
import { pageOf, standingsOf } from './rankings/pages.ts';
import { GroupReader, type GroupValues } from './rankings/reader.ts';
import { GroupWriter } from './rankings/writer.ts';

/** So many members are handed out at a time. */
const portion = 500;

/** A board as it was at one moment. */
interface View {
  readonly board: Board | undefined;
  readonly names: Names;
  readonly now: number;
}

/**
 * A submit of some boards is one step because they are one value; so they have room for a bounded number of members, and every
 * submit carries them all. Submits of one process travel together; those of several are in each other's way, and try again.
 *
 * The time is that of the process that asks. What was reached earlier goes by the order in which submits were accepted, though:
 * `reached` is that time in µs, or one more than the last one of the group.
 */
export class MemcachedRankings implements Rankings {
  readonly maxMembers: number;
  readonly #reader: GroupReader;
  readonly #writer: GroupWriter;
  readonly #clock: Clock;

  /** @param values of keys that are longer, and of more characters, than the contract of values allows */
  constructor(values: GroupValues, clock: Clock, maxMembers: number) {
    this.maxMembers = maxMembers;
    this.#reader = new GroupReader(values);
    this.#writer = new GroupWriter(values, this.#reader, clock);
    this.#clock = clock;
  }

  async submit(
    boards: readonly RankingBoard[],
    rules: RankingRules,
    submissions: readonly Submission[],
  ): Promise<readonly (readonly Submitted[])[]> {
    checkSubmit(boards, rules, submissions, this.maxMembers);
    const key = valueKeyOf(boards[0]?.key ?? '');
    // Copies: what the caller gave may be other things by the time that it is carried out.
    const [named, fixed] = [boards.map(withName), { ...rules }];
    const scores = submissions.map(({ member, score }) => ({ member, score }));
    return this.#writer.change(key, named.length * scores.length, (draft) =>
      submitTo(draft, named, fixed, scores, this.maxMembers),
    );
  }

  async page(key: string, rules: RankingRules, query: RankingQuery): Promise<RankingPage> {
    checkQuery(key, rules, query, this.maxMembers);
    const { board, names, now } = await this.#view(key, rules);
    return pageOf(board, names, query, now);
  }

  async find(key: string, rules: RankingRules, members: readonly string[]): Promise<RankingFound> {
    this.#check([key], rules);
    checkMembers(members);
    const { board, names, now } = await this.#view(key, rules);
    return standingsOf(board, names, members, now);
  }

  async remove(keys: readonly string[], rules: RankingRules, members: readonly string[]): Promise<readonly number[]> {
    this.#check(keys, rules);
    checkMembers(members);
    const [names, fixed, gone] = [keys.map(nameOf), { ...rules }, [...members]];
    return this.#writer.change(valueKeyOf(keys[0] ?? ''), names.length * gone.length, (draft) =>
      removeFrom(draft, names, fixed, gone),
    );
  }

  async removeScores(
    keys: readonly string[],
    rules: RankingRules,
    least: number,
    most: number,
  ): Promise<readonly number[]> {
    this.#check(keys, rules);
    checkScores(least, most);
    const [names, fixed] = [keys.map(nameOf), { ...rules }];
    return this.#writer.change(valueKeyOf(keys[0] ?? ''), names.length, (draft) =>
      removeScoresFrom(draft, names, fixed, least, most),
    );
  }

  async move(key: string, to: RankingBoard, rules: RankingRules): Promise<'moved' | 'missing' | 'taken'> {
    checkMove(key, to, rules, this.maxMembers);
    const [target, fixed] = [withName(to), { ...rules }];
    return this.#writer.change(valueKeyOf(key), 1, (draft) => moveBoard(draft, nameOf(key), target, fixed));
  }

  /** All of them as they are at one moment: they come with one read anyway. */
  async *scan(key: string, rules: RankingRules): AsyncGenerator<readonly RankingEntry[], void, undefined> {
    this.#check([key], rules);
    const { board } = await this.#view(key, rules);
    for (let from = 0; board !== undefined && from < board.size; from += portion) yield board.entries(from, portion);
  }

  endangered(): Promise<string> {
    return Promise.resolve(
      'Memcached keeps boards in memory alone: a restart loses them, and a server that is full may evict them. Give them a server of ' +
        'their own, or use the redis adapter.',
    );
  }

  #check(keys: readonly string[], rules: RankingRules): void {
    checkRules(rules, this.maxMembers);
    checkBoardKeys(keys);
  }

  async #view(key: string, rules: RankingRules): Promise<View> {
    const { group } = await this.#reader.read(valueKeyOf(key));
    const now = this.#clock.now();
    return { board: findBoard(group, nameOf(key), rules, now), names: group.names, now };
  }
}

/**
 * The key of the value that keeps the boards of a group: no key that any facet is given may have this character, which is one
 * byte. A key has 240 characters at most and Memcached takes 250.
 */
function valueKeyOf(key: string): string {
  return `${groupOf(key)}§boards`;
}

function nameOf(key: string): string {
  return key.slice(groupOf(key).length);
}

function withName({ key, expiresAt }: RankingBoard): NamedBoard {
  return { name: nameOf(key), expiresAt };
}
