/** Says how long to wait before the next attempt to change a group, so that others come in between. */

import type { Clock } from '../../../src/support/clock.ts';

/** The most rounds over which an attempt is spread after many lost ones. */
const spreadMost = 32;
/** Below this a group is taken to be ours alone. */
const spreadLeast = 0.25;
/** So much of the spread is left after a won round: who wins goes on making room for those who lose. */
const calming = 0.75;
/** Who won so often without a pause makes one. */
const winsMost = 32;
const pauseMostMs = 50;

/**
 * A process that never pauses wins each time, from a copy that it knows, while another one reads: that one always comes too late.
 * So everybody who lost makes room, also when it wins again; and who only ever wins, and cannot know whether somebody loses,
 * pauses now and then, mostly for a round and sometimes for long enough for a process far away.
 */
export class Pace {
  readonly #clock: Clock;
  /** Over how many rounds the next attempt is spread. */
  #spread = 0;
  #wins = 0;
  #wonAt = -Infinity;
  /** How long a round takes, smoothed. */
  #roundMs = 1;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True while nobody else seems to change the group. */
  get isCalm(): boolean {
    return this.#spread === 0;
  }

  /** How long to wait before the next attempt. */
  waitMs(): number {
    if (this.#spread > 0) return Math.min(pauseMostMs, this.#clock.random() * this.#spread * this.#roundMs);
    const rested = this.#clock.monotonic() - this.#wonAt >= this.#roundMs;
    if (rested) this.#wins = 0;
    if (this.#wins < winsMost) return 0;
    this.#wins = 0;
    // Twice as long half as often.
    return Math.min(pauseMostMs, (2 * this.#roundMs) / (1 - this.#clock.random()));
  }

  /** @param tookMs how long the attempt took */
  won(tookMs: number): void {
    this.#note(tookMs);
    this.#wins += 1;
    this.#wonAt = this.#clock.monotonic();
    this.#spread = this.#spread * calming < spreadLeast ? 0 : this.#spread * calming;
  }

  lost(tookMs: number): void {
    this.#note(tookMs);
    this.#wins = 0;
    this.#spread = Math.min(spreadMost, Math.max(1, this.#spread * 2));
  }

  #note(tookMs: number): void {
    this.#roundMs += (Math.min(tookMs, pauseMostMs) - this.#roundMs) / 8;
  }
}
