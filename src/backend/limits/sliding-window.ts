/** Counts a window in ten parts, so that no window of its length admits more than the limit. */

import type { SlidingWindowPlan } from '../limits.ts';
import type { Algorithm, Usage } from './usage.ts';

export const partsPerWindow = 10;

/**
 * Ten parts back from the current one begins a part that the window still reaches into. It counts in full: a window that ends
 * now begins in no earlier part.
 */
const partsThatCount = partsPerWindow + 1;

/** The number of the part that `now` is in, counted from the epoch. Exact: `now` times ten is far below 2^53. */
export function partAt({ windowMs }: { readonly windowMs: number }, now: number): number {
  return Math.floor((now * partsPerWindow) / windowMs);
}

/** When the part `part` stops to count, in epoch ms. */
export function endOfPart({ windowMs }: { readonly windowMs: number }, part: number): number {
  return Math.ceil(((part + partsThatCount) * windowMs) / partsPerWindow);
}

/** The usage is the number of the newest part, then what was taken in it, in the one before it, and so on. */
export const slidingWindow: Algorithm<SlidingWindowPlan> = {
  capacity: (plan) => plan.limit,

  advance(plan, usage, now) {
    const [newest] = usage;
    if (newest === undefined) return usage;
    const part = partAt(plan, now);
    // A clock that was set back: what was taken counts as if it had been taken now, and nothing is stuck until it catches up.
    const passed = Math.max(0, part - newest);
    if (passed === 0) return part === newest ? usage : [part, ...usage.slice(1)];
    if (passed >= partsThatCount) return [];
    const empty: number[] = Array.from({ length: passed }, () => 0);
    return [part, ...empty, ...usage.slice(1, 1 + partsThatCount - passed)];
  },

  free: (plan, usage) => plan.limit - total(usage),

  add(plan, usage, now, cost) {
    const [part, taken = 0, ...older] = usage;
    return part === undefined ? [partAt(plan, now), cost] : [part, taken + cost, ...older];
  },

  /** The oldest first: whatever is given back, what remains counts for as long as what was taken last. */
  give(_plan, usage, cost) {
    const left = [...usage];
    let due = cost;
    for (let place = left.length - 1; place > 0 && due > 0; place -= 1) {
      const given = Math.min(due, left[place] ?? 0);
      left[place] = (left[place] ?? 0) - given;
      due -= given;
    }
    return total(left) === 0 ? [] : left;
  },

  waitMs(plan, usage, now, cost) {
    const newest = usage[0] ?? 0;
    let free = plan.limit - total(usage);
    for (let place = usage.length - 1; place > 0 && free < cost; place -= 1) {
      free += usage[place] ?? 0;
      if (free >= cost) return endOfPart(plan, newest - place + 1) - now;
    }
    return 0;
  },
};

function total(usage: Usage): number {
  let sum = 0;
  for (let place = 1; place < usage.length; place += 1) sum += usage[place] ?? 0;
  return sum;
}
