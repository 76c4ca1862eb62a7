/** Holds time still, so that a test decides when it passes. */

import type { Clock, Timer } from '../support/clock.ts';
import { seededRandom } from './random.ts';

export interface FakeClockOptions {
  /** Epoch ms at the start. @default 1_700_000_000_000 */
  readonly now?: number;
  /** Where `random()` starts: the same seed gives the same numbers. @default 1 */
  readonly seed?: number;
}

export interface FakeClock extends Clock {
  /**
   * Lets `ms` pass: fires the timers that come due, in the order of their times, and after each one gives promises and
   * sockets a few turns of the event loop. Resolves when `ms` have passed.
   */
  advance(ms: number): Promise<void>;
  /** Moves the wall clock alone, as an operator or a time server does. */
  jump(ms: number): void;
  /** How many timers are waiting. */
  readonly timers: number;
}

interface Waiting {
  readonly dueAt: number;
  readonly fn: () => void;
}

/**
 * A clock that moves only when it is told to.
 *
 * @example
 * const clock = fakeClock();
 * const backend = memory({ clock });
 * await backend.values.set('a', bytes, 1000);
 * await clock.advance(1000);
 */
export function fakeClock(options: FakeClockOptions = {}): FakeClock {
  let elapsedMs = 0;
  let wallMs = options.now ?? 1_700_000_000_000;
  const waiting = new Set<Waiting>();
  const random = seededRandom(options.seed ?? 1);

  const passTo = (target: number) => {
    if (target <= elapsedMs) return;
    wallMs += target - elapsedMs;
    elapsedMs = target;
  };

  return {
    now: () => wallMs,
    monotonic: () => elapsedMs,
    random,
    turn: (fn) => void setImmediate(fn),
    after(ms, fn): Timer {
      const timer = { dueAt: elapsedMs + (ms > 0 ? ms : 0), fn };
      waiting.add(timer);
      return { cancel: () => void waiting.delete(timer) };
    },
    async advance(ms) {
      const target = elapsedMs + ms;
      await turns();
      for (let timer = earliest(waiting, target); timer !== undefined; timer = earliest(waiting, target)) {
        waiting.delete(timer);
        passTo(timer.dueAt);
        timer.fn();
        await turns();
      }
      passTo(target);
      await turns();
    },
    jump: (ms) => void (wallMs += ms),
    get timers() {
      return waiting.size;
    },
  };
}

/** The first of the timers that are due at `target`; of equal times the one that was set first. */
function earliest(waiting: ReadonlySet<Waiting>, target: number): Waiting | undefined {
  let first: Waiting | undefined;
  for (const timer of waiting) {
    if (timer.dueAt <= target && (first === undefined || timer.dueAt < first.dueAt)) first = timer;
  }
  return first;
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
