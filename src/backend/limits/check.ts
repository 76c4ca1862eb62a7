/** Refuses the plans, costs and keys that the contract of limits does not allow, for every adapter in the same words. */

import { describe, HotshelfError } from '../../support/errors.ts';
import { checkKey, checkSameTag } from '../check.ts';
import type { Plan } from '../limits.ts';

export const shortestWindowMs = 10;
export const longestWindowMs = 366 * 86_400_000;
/** More than that at once is a mistake, and the store would do nothing else meanwhile. */
const mostPlans = 16;

const algorithms: readonly unknown[] = ['sliding-window', 'token-bucket', 'fixed-window'];

/** @throws {HotshelfError} `OPTION_INVALID` or `KEY_INVALID` unless this may be taken. */
export function checkTake(keys: readonly string[], plans: readonly Plan[], cost: number, gate?: string): void {
  checkCost(cost);
  checkPairs(keys, plans);
  if (gate === undefined) return;
  checkKey(gate);
  checkSameTag([...keys, gate], 'a take');
}

/** @throws {HotshelfError} `OPTION_INVALID` or `KEY_INVALID` unless a gate may be shut for `ms`. */
export function checkShut(gate: string, ms: number): void {
  checkKey(gate);
  checkWhole('ms', ms, 0, longestWindowMs);
}

/** @throws {HotshelfError} `OPTION_INVALID` unless `cost` is a whole number from 0 to 2^53 - 1. */
export function checkCost(cost: unknown): void {
  checkWhole('cost', cost, 0, Number.MAX_SAFE_INTEGER);
}

/** @throws {HotshelfError} `OPTION_INVALID` or `KEY_INVALID` unless each key has a plan and all of them fit together. */
export function checkPairs(keys: readonly string[], plans: readonly Plan[]): void {
  checkPlans(keys, plans);
  for (const key of keys) checkKey(key);
  if (keys.length > 1) checkSameTag(keys, 'a take');
}

/** @throws {HotshelfError} `OPTION_INVALID` unless there are as many plans as keys, and each of them is allowed. */
export function checkPlans(keys: readonly string[], plans: readonly Plan[]): void {
  if (keys.length !== plans.length || keys.length === 0 || keys.length > mostPlans) {
    throw new HotshelfError(
      'OPTION_INVALID',
      `Expected 1 to ${mostPlans} plans and as many keys, got ${plans.length} and ${keys.length}.`,
    );
  }
  for (const plan of plans) checkPlan(plan);
}

/** @throws {HotshelfError} `OPTION_INVALID` naming the part of the plan, what is allowed and what was given. */
export function checkPlan(plan: Plan): void {
  if (typeof plan !== 'object' || plan === null || !algorithms.includes(plan.algorithm)) {
    throw new HotshelfError(
      'OPTION_INVALID',
      `Expected \`algorithm\` to be "sliding-window", "token-bucket" or "fixed-window", got ${describe((plan as Partial<Plan> | null)?.algorithm)}.`,
    );
  }
  checkWhole('limit', plan.limit, 1, Number.MAX_SAFE_INTEGER);
  checkWhole('windowMs', plan.windowMs, shortestWindowMs, longestWindowMs);
  if (plan.algorithm !== 'token-bucket') return;
  checkWhole('burst', plan.burst, 1, Number.MAX_SAFE_INTEGER);
  if ((plan.burst / plan.limit) * plan.windowMs <= longestWindowMs) return;
  throw new HotshelfError(
    'OPTION_INVALID',
    `A bucket of ${plan.burst} into which ${plan.limit} fall in ${plan.windowMs} ms takes more than 366 days to fill. Lower \`burst\`.`,
  );
}

function checkWhole(name: string, value: unknown, least: number, most: number): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return;
  throw new HotshelfError(
    'OPTION_INVALID',
    `Expected \`${name}\` to be a whole number from ${least} to ${most}, got ${describe(value)}.`,
  );
}
