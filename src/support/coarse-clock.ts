/** Tells the time to within a few ms at the price of a field access, for paths where asking the clock is most of the work. */

import type { Clock } from './clock.ts';

/** An answer is used for so long, in ms, ... */
const freshMs = 10;
/** ... and for so many questions: a blocked event loop cannot renew it. */
const freshReads = 64;

export class CoarseClock {
  readonly #clock: Clock;
  #now = 0;
  #left = 0;
  #armed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The wall clock, in epoch ms; at most 10 ms or 64 questions old. */
  now(): number {
    if (this.#left === 0) return this.#ask();
    this.#left -= 1;
    return this.#now;
  }

  #ask(): number {
    if (!this.#armed) this.#clock.after(freshMs, this.#forget, { background: true });
    this.#armed = true;
    this.#left = freshReads;
    this.#now = this.#clock.now();
    return this.#now;
  }

  readonly #forget = (): void => {
    this.#armed = false;
    this.#left = 0;
  };
}
