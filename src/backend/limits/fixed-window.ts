/** Counts what was taken in the current window. */

import type { FixedWindowPlan } from '../limits.ts';
import type { Algorithm } from './usage.ts';

/** The number of the window that `now` is in, counted from the epoch. */
export function windowAt({ windowMs }: { readonly windowMs: number }, now: number): number {
  return Math.floor(now / windowMs);
}

/** The usage is the number of the window, and what was taken in it. */
export const fixedWindow: Algorithm<FixedWindowPlan> = {
  capacity: (plan) => plan.limit,

  advance(plan, usage, now) {
    const [window, taken] = usage;
    if (window === undefined || taken === undefined) return [];
    const current = windowAt(plan, now);
    // A clock that was set back: it counts for the window that has begun again.
    return window < current ? [] : [current, taken];
  },

  free: (plan, [, taken = 0]) => plan.limit - taken,

  add: (plan, [, taken = 0], now, cost) => [windowAt(plan, now), taken + cost],

  give: (_plan, [window = 0, taken = 0], cost) => (taken > cost ? [window, taken - cost] : []),

  waitMs(plan, [window = 0, taken = 0], now, cost) {
    return plan.limit - taken >= cost ? 0 : (window + 1) * plan.windowMs - now;
  },
};
