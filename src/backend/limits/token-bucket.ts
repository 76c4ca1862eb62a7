/** Counts what is missing in a bucket that is filled evenly: GCRA, in whole numbers. */

import type { TokenBucketPlan } from '../limits.ts';
import type { Algorithm } from './usage.ts';

/**
 * The usage is an instant and what was missing then. A token counts `windowMs`, and every ms gives back `limit`: both are
 * whole numbers, so that nothing is rounded as long as `burst * windowMs` is below 2^53, and hardly anything above.
 */
export const tokenBucket: Algorithm<TokenBucketPlan> = {
  capacity: (plan) => plan.burst,

  advance(plan, usage, now) {
    const [at, missing] = usage;
    if (at === undefined || missing === undefined) return [];
    // A clock that was set back gives nothing and takes nothing.
    const left = missing - Math.max(0, now - at) * plan.limit;
    return left > 0 ? [now, left] : [];
  },

  free: (plan, [, missing = 0]) => Math.floor((plan.burst * plan.windowMs - missing) / plan.windowMs),

  add: (plan, [, missing = 0], now, cost) => [now, missing + cost * plan.windowMs],

  give(plan, [at = 0, missing = 0], cost) {
    const left = missing - cost * plan.windowMs;
    return left > 0 ? [at, left] : [];
  },

  waitMs(plan, [, missing = 0], _now, cost) {
    const excess = missing - (plan.burst - cost) * plan.windowMs;
    return Math.max(0, Math.ceil(excess / plan.limit));
  },
};
