/** Remembers which keys are not worth another load for a moment: theirs just failed, or somebody else does it. */

import type { Clock } from '../../support/clock.ts';

const mostKeys = 10_000;

export class Pauses {
  readonly #clock: Clock;
  readonly #until = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Tells whether `key` is paused. */
  has(key: string): boolean {
    const until = this.#until.get(key);
    if (until === undefined) return false;
    if (this.#clock.monotonic() < until) return true;
    this.#until.delete(key);
    return false;
  }

  /** Pauses `key` for `ms`. */
  set(key: string, ms: number): void {
    if (this.#until.size >= mostKeys) this.#until.clear();
    this.#until.set(key, this.#clock.monotonic() + ms);
  }

  end(key: string): void {
    if (this.#until.size > 0) this.#until.delete(key);
  }
}
