/** Loads from the origin while the backend cannot be used, without letting one hot key storm the origin. */

import type { Clock, Timer } from '../../support/clock.ts';

interface Round {
  /** The load that runs; `undefined` before the first. */
  readonly running: Promise<unknown> | undefined;
  /** The load that has not begun and may be shared. */
  next: Promise<unknown> | undefined;
  /** The `timeout.hard` of who will begin it, in ms. */
  nextLimitMs: number;
}

interface Shared<Value> {
  readonly value: Promise<Value>;
  readonly own: boolean;
  readonly limitMs: number;
}

/** A caller waits at most this long, in ms, for the running load to end before the next one begins. */
const patienceMs = 50;

/**
 * Without a backend nobody can tell a caller whether a running load began before or after an invalidation. So a caller may
 * share only a load that begins after it came: the next one. Of each key one load runs and one waits its turn.
 */
export class DirectLoads {
  readonly #clock: Clock;
  readonly #rounds = new Map<string, Round>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Returns what `load`, or the load of a caller who came at about the same time, returns. Rejects as that load does.
   * `own` tells whether it is this caller's load, and `limitMs` what its caller said.
   *
   * @param limitMs the caller's `timeout.hard`, in ms
   */
  run<Value>(key: string, limitMs: number, load: () => Promise<Value>): Shared<Value> {
    const round = this.#rounds.get(key) ?? { running: undefined, next: undefined, nextLimitMs: limitMs };
    const { next, nextLimitMs } = round;
    if (next !== undefined) return { value: next as Promise<Value>, own: false, limitMs: nextLimitMs };
    const value = this.#turnAfter(round.running).then(() => this.#begin(key, load));
    round.next = value;
    round.nextLimitMs = limitMs;
    this.#rounds.set(key, round);
    return { value, own: true, limitMs };
  }

  #begin<Value>(key: string, load: () => Promise<Value>): Promise<Value> {
    const running = load();
    const round: Round = { running, next: undefined, nextLimitMs: Infinity };
    this.#rounds.set(key, round);
    const end = () => {
      if (this.#rounds.get(key) === round && round.next === undefined) this.#rounds.delete(key);
    };
    running.then(end, end);
    return running;
  }

  #turnAfter(running: Promise<unknown> | undefined): Promise<void> {
    // Callers of one tick share one load.
    if (running === undefined) return new Promise((resolve) => process.nextTick(resolve));
    return new Promise((resolve) => {
      const timer: Timer = this.#clock.after(patienceMs, resolve);
      const end = () => {
        timer.cancel();
        resolve();
      };
      running.then(end, end);
    });
  }
}
