/** Measures how late the event loop is: how long what is ready to run has to wait. */

import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from '../../support/clock.ts';

/** The part of Node's histogram that is used; times in ns. */
export interface DelayHistogram {
  readonly mean: number;
  readonly count: number;
  reset(): void;
}

const resolutionMs = 10;
/** What is older than two of these does not count. */
const spanMs = 250;

export class LoopDelay {
  readonly #clock: Clock;
  readonly #histogram: DelayHistogram;
  #since: number;
  #lastMs = 0;

  constructor(clock: Clock, histogram: DelayHistogram = startHistogram()) {
    this.#clock = clock;
    this.#histogram = histogram;
    this.#since = clock.monotonic();
  }

  /** By how many ms the loop was late on average, in the last half second at most. */
  meanMs(): number {
    const now = this.#clock.monotonic();
    const passed = now - this.#since;
    // A loop that stood still the whole time has nothing to tell yet.
    if (passed < spanMs || this.#histogram.count === 0) return this.#lastMs;
    // Nobody has asked for long, and meanwhile it mostly was on time: that says little about now.
    const isOld = passed > spanMs * 4 && this.#histogram.count > passed / resolutionMs / 2;
    // Node counts the pause between two looks in.
    this.#lastMs = isOld ? 0 : Math.max(0, this.#histogram.mean / 1e6 - resolutionMs);
    this.#histogram.reset();
    this.#since = now;
    return this.#lastMs;
  }
}

/** It keeps no process alive. */
function startHistogram(): DelayHistogram {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  return histogram;
}
