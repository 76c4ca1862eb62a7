/** Says what a take means: who has room, what is charged, and how the plans stand afterwards. */

import type { Plan, Standing, Taken } from '../limits.ts';
import { fixedWindow } from './fixed-window.ts';
import { slidingWindow } from './sliding-window.ts';
import { tokenBucket } from './token-bucket.ts';
import type { Algorithm, Usage } from './usage.ts';

const algorithms: Readonly<Record<Plan['algorithm'], Algorithm<Plan>>> = {
  'sliding-window': slidingWindow,
  'token-bucket': tokenBucket,
  'fixed-window': fixedWindow,
};

/** The most that can be taken from `plan` at once. */
export function capacityOf(plan: Plan): number {
  return algorithms[plan.algorithm].capacity(plan);
}

/** What counts at `now` of what was taken; to be asked before everything else. */
export function advance(plan: Plan, usage: Usage, now: number): Usage {
  return algorithms[plan.algorithm].advance(plan, usage, now);
}

/**
 * True if the clock was set back since `usage` was written. What `advance` made of it must be stored then, even by a take
 * that is refused: else it would count as taken just now until the clock has caught up.
 */
export function isAhead(usage: Usage, advanced: Usage): boolean {
  return (usage[0] ?? 0) > (advanced[0] ?? Infinity);
}

/** How much may be taken; below 0 if the plan became smaller. */
export function free(plan: Plan, usage: Usage): number {
  return algorithms[plan.algorithm].free(plan, usage);
}

/** Takes `cost`, whether or not there is room; taking nothing changes nothing. */
export function add(plan: Plan, usage: Usage, now: number, cost: number): Usage {
  return cost === 0 ? usage : algorithms[plan.algorithm].add(plan, usage, now, cost);
}

/** Gives back `cost`, or what was taken if that is less. */
export function give(plan: Plan, usage: Usage, cost: number): Usage {
  return algorithms[plan.algorithm].give(plan, usage, cost);
}

/** After how many ms `cost` is free if nothing is taken meanwhile; `Infinity` if it never is. */
export function waitMs(plan: Plan, usage: Usage, now: number, cost: number): number {
  return cost > capacityOf(plan) ? Infinity : algorithms[plan.algorithm].waitMs(plan, usage, now, cost);
}

/** After how many ms nothing of `usage` counts any more: how long it must be kept. */
export function lifetimeMs(plan: Plan, usage: Usage, now: number): number {
  return usage.length === 0 ? 0 : waitMs(plan, usage, now, capacityOf(plan));
}

/**
 * How the plans stand after a take.
 *
 * @param allowed whether they had room
 * @param shutMs how long the gate is still shut
 */
export function taken(
  plans: readonly Plan[],
  usages: readonly Usage[],
  now: number,
  cost: number,
  allowed: boolean,
  shutMs = 0,
): Taken {
  const standings = plans.map((plan, place) => standing(plan, usages[place] ?? [], now, allowed ? 0 : cost));
  return { allowed: allowed && shutMs === 0, shutMs, standings };
}

function standing(plan: Plan, usage: Usage, now: number, refused: number): Standing {
  return {
    remaining: Math.max(0, free(plan, usage)),
    resetMs: lifetimeMs(plan, usage, now),
    retryAfterMs: refused === 0 ? 0 : waitMs(plan, usage, now, refused),
  };
}
