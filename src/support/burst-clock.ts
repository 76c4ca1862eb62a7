/** Tells the time to many readers of one turn of the event loop, for whom asking the clock would be most of the work. */

import type { Clock } from './clock.ts';

/** Readers that follow each other within this time, in ms, ... */
const closeMs = 0.02;
/** ... so many of them, make a burst, ... */
const burstReads = 8;
/** ... in which one answer is used so many times more. */
const sharedReads = 16;

/**
 * A clock that is asked by every reader, save in a burst: there some readers get the answer of the one before them.
 *
 * A burst ends with its turn, before the process can hear anything. So a time that is too old, because the process was paused
 * amid the burst, is older than nothing that its reader can know of.
 */
export class BurstClock {
  readonly #clock: Clock;
  #now = Number.NEGATIVE_INFINITY;
  /** How many readers still get `#now`. */
  #left = 0;
  #close = 0;
  #endsWithTurn = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** As `Clock.monotonic`. */
  monotonic(): number {
    if (this.#left === 0) return this.#ask();
    this.#left -= 1;
    return this.#now;
  }

  #ask(): number {
    const now = this.#clock.monotonic();
    this.#close = now - this.#now < closeMs ? this.#close + 1 : 0;
    this.#now = now;
    if (this.#close >= burstReads) {
      this.#left = sharedReads;
      if (!this.#endsWithTurn) process.nextTick(this.#end);
      this.#endsWithTurn = true;
    }
    return now;
  }

  readonly #end = (): void => {
    this.#endsWithTurn = false;
    this.#left = 0;
    this.#close = 0;
  };
}
