/** Tells whether plans mean the same. */

import type { Plan } from '../limits.ts';

/** True if each plan of `some` means what its counterpart in `others` means. */
export function samePlans(some: readonly Plan[], others: readonly Plan[]): boolean {
  return some === others || (some.length === others.length && some.every((plan, place) => same(plan, others[place])));
}

function same(plan: Plan, other: Plan | undefined): boolean {
  return (
    plan === other ||
    (plan.algorithm === other?.algorithm &&
      plan.limit === other.limit &&
      plan.windowMs === other.windowMs &&
      burstOf(plan) === burstOf(other))
  );
}

/** The size of the bucket; 0 for a plan that has none. */
export function burstOf(plan: Plan): number {
  return plan.algorithm === 'token-bucket' ? plan.burst : 0;
}
