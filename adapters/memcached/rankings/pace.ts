/** Says how long to wait before the next attempt to change a group, so that others come in between. */

import type { Clock } from '../../../src/support/clock.ts';

/** The most rounds over which an attempt is spread after many lost ones. */
const spreadMost = 8;
/** Over how many it is spread at least where others want to change the group, too. */
const spreadInCrowd = 2;
/** Below this a group is taken to be ours alone. */
const spreadLeast = 0.5;
/** So much of the spread is left after a won round: who wins goes on making room for those who lose. */
const calming = 0.9;
const pauseMostMs = 50;

export class Pace {
  readonly #clock: Clock;
  /** Over how many rounds the next attempt is spread. */
  #spread = 0;
  /** How long a round takes here, smoothed. */
  #roundMs = 1;
  /** How long it takes for somebody else. */
  #othersMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True while nobody else seems to change the group. */
  get isCalm(): boolean {
    return this.#spread === 0;
  }

  /** How long a round takes here, in ms. */
  get roundMs(): number {
    return this.#roundMs;
  }

  /** How long to wait before the next attempt. */
  waitMs(): number {
    return Math.min(pauseMostMs, this.#clock.random() * this.#spread * Math.max(this.#roundMs, this.#othersMs));
  }

  /** @param tookMs how long the attempt took */
  won(tookMs: number): void {
    this.#note(tookMs);
    this.#spread = this.#spread * calming < spreadLeast ? 0 : this.#spread * calming;
  }

  /** @param tookMs how long the attempt took */
  lost(tookMs: number): void {
    this.#note(tookMs);
    this.#spread = Math.min(spreadMost, Math.max(spreadInCrowd, this.#spread * 1.5));
  }

  /** @param othersMs how long a round takes for somebody who loses; 0 if nobody says so */
  makeRoom(othersMs: number): void {
    this.#othersMs = othersMs;
    if (othersMs > 0) this.#spread = Math.max(spreadInCrowd, this.#spread);
  }

  #note(tookMs: number): void {
    this.#roundMs += (Math.min(tookMs, pauseMostMs) - this.#roundMs) / 8;
  }
}
