/** Keeps the leaderboards of one process under their keys until their time, and counts their members. */

import type { Clock, Timer } from '../../src/support/clock.ts';
import { HotshelfError } from '../../src/support/errors.ts';
import type { Board, BoardOrder } from './board.ts';

const sweepEveryMs = 1000;

/** A board, and how many of its members are counted. */
interface Kept {
  readonly board: Board;
  expiresAt: number;
  members: number;
}

/** Boards are never evicted: whoever got an answer to a submission must find it again. */
export class Boards {
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();
  #members = 0;
  #sweeper: Timer | undefined;
  #sweepAt = Infinity;
  /** No board goes before this. */
  #firstEnd = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many members all boards have, those included whose time has passed since the last sweep. */
  get members(): number {
    return this.#members;
  }

  /**
   * Returns the live board of `key`.
   *
   * @throws {HotshelfError} `BACKEND_REFUSED` if it has another order than this.
   */
  find(key: string, { order, ties }: BoardOrder): Board | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    if (kept.expiresAt <= this.#clock.now()) return this.#delete(key, kept);
    const { board } = kept;
    if (board.order.order === order && board.order.ties === ties) return board;
    throw new HotshelfError(
      'BACKEND_REFUSED',
      `A board was asked for with order "${order}" and ties "${ties}", but it has "${board.order.order}" and "${board.order.ties}"; nothing was changed.`,
    );
  }

  /** Keeps a board, new or not, and counts its members. */
  put(key: string, board: Board, expiresAt: number): void {
    const kept = this.#kept.get(key) ?? { board, expiresAt, members: 0 };
    this.#kept.set(key, kept);
    kept.expiresAt = expiresAt;
    this.#count(key, kept);
    if (expiresAt <= this.#clock.now()) this.#delete(key, kept);
    else this.#goesAt(expiresAt);
  }

  /** To be called when members were taken off a board. */
  recount(key: string): void {
    const kept = this.#kept.get(key);
    if (kept !== undefined) this.#count(key, kept);
  }

  move(key: string, to: string, expiresAt: number): void {
    const kept = this.#kept.get(key);
    if (kept === undefined) return;
    this.#kept.delete(key);
    this.#kept.set(to, kept);
    this.put(to, kept.board, expiresAt);
  }

  /** Drops the boards whose time has passed. */
  sweep(): void {
    const now = this.#clock.now();
    // A backend that is full asks at every submission: it must not look through all boards for nothing.
    if (now >= this.#firstEnd) {
      this.#firstEnd = Infinity;
      for (const [key, kept] of this.#kept) {
        if (kept.expiresAt <= now) this.#delete(key, kept);
        else this.#firstEnd = Math.min(this.#firstEnd, kept.expiresAt);
      }
    }
    this.#sweepLater(this.#firstEnd);
  }

  close(): void {
    this.#sweeper?.cancel();
    this.#kept.clear();
    this.#members = 0;
  }

  #goesAt(expiresAt: number): void {
    this.#firstEnd = Math.min(this.#firstEnd, expiresAt);
    this.#sweepLater(expiresAt);
  }

  #count(key: string, kept: Kept): void {
    this.#members += kept.board.size - kept.members;
    kept.members = kept.board.size;
    if (kept.members === 0) this.#kept.delete(key);
  }

  #delete(key: string, kept: Kept): undefined {
    this.#members -= kept.members;
    this.#kept.delete(key);
  }

  /** One timer for all boards, at the time of the first that goes. */
  #sweepLater(expiresAt: number): void {
    const now = this.#clock.now();
    const at = Math.max(expiresAt, now + sweepEveryMs);
    if (at >= this.#sweepAt) return;
    this.#sweeper?.cancel();
    this.#sweepAt = at;
    this.#sweeper = this.#clock.after(
      at - now,
      () => {
        this.#sweepAt = Infinity;
        this.sweep();
      },
      { background: true },
    );
  }
}
