/** A group as somebody wants it to be: copies what is changed, and nothing else. */

import type { RankingRules } from '../../../src/backend/rankings.ts';
import type { Group } from './blob.ts';
import { Board, type BoardKind, kindOf } from './board.ts';
import { otherRules } from './errors.ts';
import type { Names } from './names.ts';

/** Boards past their time are invisible, and gone with the first change. */
export class Draft implements Group {
  /** In epoch ms. */
  readonly now: number;
  readonly names: Names;
  readonly boards: Map<string, Board>;
  reached: number;
  /** True once something differs from the group that it was made of. */
  changed = false;
  /** Boards that nobody else has. */
  readonly #own = new Set<Board>();

  private constructor({ reached }: Group, now: number, names: Names, boards: Map<string, Board>) {
    this.reached = reached;
    this.now = now;
    this.names = names;
    this.boards = boards;
  }

  static of(group: Group, now: number): Draft {
    const live = [...group.boards].filter(([, { expiresAt }]) => expiresAt > now);
    return new Draft(group, now, group.names.original(), new Map(live));
  }

  /** Returns another draft, whose changes this one does not see. */
  fork(): Draft {
    this.#own.clear();
    const fork = new Draft(this, this.now, this.names, new Map(this.boards));
    fork.changed = this.changed;
    return fork;
  }

  /** @throws {HotshelfError} `BACKEND_REFUSED` if there is a board of other rules. */
  find(name: string, rules: RankingRules): Board | undefined {
    return findBoard(this, name, rules, this.now);
  }

  /** Returns the board to be changed, which is there from now on if it was not. */
  open(name: string, rules: RankingRules, expiresAt: number): Board {
    const found = this.find(name, rules);
    const own =
      found === undefined
        ? Board.empty(kindOf(rules), expiresAt, this.names)
        : this.#own.has(found)
          ? found
          : found.copy(this.names);
    own.expiresAt = expiresAt;
    this.put(name, own);
    return own;
  }

  /** Whether there is a board, of whatever rules. */
  has(name: string): boolean {
    return liveBoard(this, name, this.now) !== undefined;
  }

  put(name: string, own: Board): void {
    this.#own.add(own);
    this.boards.set(name, own);
    this.changed = true;
  }

  delete(name: string): void {
    this.boards.delete(name);
    this.changed = true;
  }

  /** The time of this process in µs, or more: it grows from one question to the next, also when the clock goes back. */
  nextReached(): number {
    this.reached = Math.max(this.reached + 1, Math.floor(this.now * 1000));
    return this.reached;
  }

  /** Takes out the boards that need not be kept. */
  tidy(): void {
    for (const [name, { size, expiresAt }] of this.boards)
      if (size === 0 || expiresAt <= this.now) this.boards.delete(name);
  }
}

/** @throws {HotshelfError} `BACKEND_REFUSED` if there is a board of other rules. */
export function findBoard(group: Group, name: string, rules: RankingRules, now: number): Board | undefined {
  const board = liveBoard(group, name, now);
  if (board === undefined) return undefined;
  if (isSame(board.kind, kindOf(rules))) return board;
  throw otherRules();
}

function liveBoard({ boards }: Group, name: string, now: number): Board | undefined {
  const board = boards.get(name);
  return board !== undefined && board.expiresAt > now && board.size > 0 ? board : undefined;
}

function isSame(a: BoardKind, b: BoardKind): boolean {
  return a.order === b.order && a.ties === b.ties && a.halfLifeMs === b.halfLifeMs;
}
