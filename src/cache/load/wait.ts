/** Decides how long one caller waits for somebody else's load. */

import type { Version } from '../../backend/values.ts';
import { silenceMs } from './lease.ts';

const firstPauseMs = 4;
const longestPauseMs = 50;

export class Wait {
  readonly #until: number;
  #pauseMs = firstPauseMs;
  #version: Version | undefined;
  #silentSince = 0;

  /** @param until monotonic time in ms */
  constructor(until: number) {
    this.#until = until;
  }

  /** Tells whether the owner of the lease lives and there is time left. */
  goesOn(version: Version, now: number): boolean {
    if (version !== this.#version) {
      this.#version = version;
      this.#silentSince = now;
    }
    return now < this.#until && now - this.#silentSince < silenceMs;
  }

  /** The next pause: half as long again each time, spread by a quarter so that waiters do not march in step. */
  pauseMs(random: number): number {
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(longestPauseMs, pauseMs * 1.5);
    return pauseMs * (0.75 + random / 2);
  }
}
