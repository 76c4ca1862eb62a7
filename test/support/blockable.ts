/** A clock whose event loop can be blocked: timers that came due meanwhile fire late. */

import { fakeClock } from 'hotshelf/testing';
import type { Clock } from '../../src/support/clock.ts';

/** `block(ms)` blocks it from now on. */
export function blockable() {
  const inner = fakeClock();
  let blockedUntil = 0;
  const clock: Clock = {
    now: () => inner.now(),
    monotonic: () => inner.monotonic(),
    random: () => inner.random(),
    turn: (fn) => inner.turn(fn),
    after: (ms, fn, options) => {
      let cancelled = false;
      const fire = () => {
        if (cancelled) return;
        if (inner.monotonic() < blockedUntil) inner.after(blockedUntil - inner.monotonic(), fire);
        else fn();
      };
      const timer = inner.after(ms, fire, options);
      return {
        cancel: () => {
          cancelled = true;
          timer.cancel();
        },
      };
    },
  };
  return {
    clock,
    advance: (ms: number) => inner.advance(ms),
    block: (ms: number) => (blockedUntil = inner.monotonic() + ms),
  };
}
