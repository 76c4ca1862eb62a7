/** Gives time, timers and randomness to everything else, so that a test can hold all three in its hand. */

/** A timer that can be called off; calling it off twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** The wall clock, in epoch ms. */
  now(): number;
  /** A clock that only moves forward, in ms from an arbitrary start. */
  monotonic(): number;
  /** Runs `fn` once after `ms`. A `background` timer does not keep the process alive. */
  after(ms: number, fn: () => void, options?: { background?: boolean }): Timer;
  /** Runs `fn` after the event loop has looked at its sockets once more. */
  turn(fn: () => void): void;
  /** A number in [0, 1), as `Math.random()`. */
  random(): number;
}

/** The machine's own time, timers and randomness. */
export const systemClock: Clock = {
  now: () => Date.now(),
  // The same clock as performance.now(), at half its price.
  monotonic() {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1000 + nanoseconds / 1e6;
  },
  after(ms, fn, options) {
    const timer = setTimeout(fn, Math.min(ms, longestTimer));
    if (options?.background) timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  turn: (fn) => void setImmediate(fn),
  random: () => Math.random(),
};

// setTimeout fires at once for anything longer than a signed 32-bit number of ms.
const longestTimer = 2 ** 31 - 1;

/** Resolves after `ms` of `clock`. */
export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.after(ms, resolve));
}
