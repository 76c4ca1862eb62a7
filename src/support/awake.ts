/** Sets deadlines that a blocked event loop does not use up. */

import type { Clock, Timer } from './clock.ts';

/** A timer that fires this much late tells that the event loop was blocked, not that the server was slow. */
const blockedMs = 25;

/** What a blocked event loop gets afterwards to send what it held back and to read the answers. */
const graceMs = 40;

/** So often a timer is extended; a loop that is late all the time must not keep a dead server alive. */
const extensions = 3;

/**
 * Runs `fn` after `ms` in which the event loop was free to read its sockets, and after one more look at them.
 *
 * `fn` is told for how many ms the loop was blocked. The timer does not keep the process alive.
 */
export function afterAwake(clock: Clock, ms: number, fn: (heldUpMs: number) => void): Timer {
  let cancelled = false;
  let timer: Timer | undefined;
  const startedAt = clock.monotonic();
  const arm = (forMs: number, left: number) => {
    const dueAt = clock.monotonic() + forMs;
    const fired = () => {
      const lateMs = clock.monotonic() - dueAt;
      // Answers that already lie in the socket get a turn before anything is called late.
      clock.turn(() => {
        if (cancelled) return;
        if (lateMs > blockedMs && left > 0) arm(graceMs, left - 1);
        else fn(left === extensions ? 0 : Math.max(0, clock.monotonic() - startedAt - ms));
      });
    };
    timer = clock.after(forMs, fired, { background: true });
  };
  arm(ms, extensions);
  return {
    cancel() {
      cancelled = true;
      timer?.cancel();
    },
  };
}
