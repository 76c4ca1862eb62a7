/** Answers the question that is asked most, who is at the top, from memory. */

import { BoundedMap } from '../../support/bounded-map.ts';
import type { Clock } from '../../support/clock.ts';
import { isUnconfirmed } from '../../support/errors.ts';
import type { BoardPage } from '../rows.ts';

export interface TopCacheRules {
  /** Longer tops are read each time. */
  readonly size: number;
  /** How long a top is served after it was asked for, in ms. */
  readonly forMs: number;
  /** How long it is served after that while the store does not answer, in ms. */
  readonly graceMs: number;
}

interface Kept<Meta> {
  readonly answer: Promise<BoardPage<Meta>>;
  readonly page: BoardPage<Meta>;
  /** When the store was asked for it, and until when it is served, by the monotonic clock. */
  readonly askedAt: number;
  readonly until: number;
}

/** The tops of one board. */
export class TopCache<Meta> {
  readonly #rules: TopCacheRules;
  readonly #clock: Clock;
  readonly #read: (count: number) => Promise<BoardPage<Meta>>;
  /** Few: those who ask name their numbers, and mostly the same ones. */
  readonly #kept = new BoundedMap<number, Kept<Meta>>(16);
  readonly #flights = new Map<number, Promise<BoardPage<Meta>>>();

  constructor(rules: TopCacheRules, clock: Clock, read: (count: number) => Promise<BoardPage<Meta>>) {
    this.#rules = rules;
    this.#clock = clock;
    this.#read = read;
  }

  /** The first `count` members, as they were at most `forMs` ago, or `graceMs` more if the store fails. */
  top(count: number): Promise<BoardPage<Meta>> {
    if (count > this.#rules.size) return this.#read(count);
    const kept = this.#kept.get(count);
    const now = this.#clock.monotonic();
    if (kept !== undefined && now < kept.until) return kept.answer;
    const flight = this.#flights.get(count) ?? this.#load(count, kept, now);
    this.#flights.set(count, flight);
    return flight;
  }

  async #load(count: number, before: Kept<Meta> | undefined, askedAt: number): Promise<BoardPage<Meta>> {
    const { forMs, graceMs } = this.#rules;
    try {
      const page = await this.#read(count);
      this.#keep(count, page, askedAt, askedAt + forMs);
      return page;
    } catch (error) {
      const now = this.#clock.monotonic();
      if (before === undefined || !isUnconfirmed(error) || now >= before.askedAt + forMs + graceMs) throw error;
      // The store is asked again after a while, not by everybody.
      const page = { ...before.page, stale: true };
      this.#keep(count, page, before.askedAt, Math.min(now + forMs, before.askedAt + forMs + graceMs));
      return page;
    } finally {
      this.#flights.delete(count);
    }
  }

  #keep(count: number, page: BoardPage<Meta>, askedAt: number, until: number): void {
    this.#kept.set(count, { answer: Promise.resolve(page), page, askedAt, until });
  }
}
