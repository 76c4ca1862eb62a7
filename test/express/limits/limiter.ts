/** A limiter over limits in memory, and one that only says what it is told: for tests of the edge. */

import { fakeClock, type FakeClock } from 'hotshelf/testing';
import { memory } from 'hotshelf/memory';
import type { Limiter, LimitKey, LimitPlan, TakeOptions, Verdict } from 'hotshelf/limits';
import type { Plan } from 'hotshelf';

type Edge = Pick<Limiter, 'name' | 'take' | 'refund'>;

export interface CountingLimiter extends Edge {
  readonly clock: FakeClock;
  /** Every key that was asked for, in turn. */
  readonly keys: LimitKey[];
}

const second = { name: 'second', limit: 2, window: 1000 } as const;

/** Counts by fixed windows. */
export function countingLimiter(plans: readonly LimitPlan[] = [second], name = 'api'): CountingLimiter {
  const clock = fakeClock({ now: 1_700_000_000_000 });
  const { limits } = memory({ clock });
  const keys: LimitKey[] = [];
  const asked = (key: LimitKey, { plans: own = plans, cost = 1 }: TakeOptions = {}) => ({
    cost,
    own,
    names: own.map((plan) => `${name}:{${Buffer.from(JSON.stringify(key)).toString('base64url')}}:${plan.name}`),
    kept: own.map((plan): Plan => ({ algorithm: 'fixed-window', limit: plan.limit, windowMs: Number(plan.window) })),
  });
  return {
    name,
    clock,
    keys,
    async take(key, options) {
      keys.push(key);
      const { cost, own, names, kept } = asked(key, options);
      const { allowed, standings } = await limits.take(names, kept, cost);
      const verdicts = own.map((plan, place) => ({
        name: plan.name,
        limit: plan.limit,
        windowMs: Number(plan.window),
        ...(standings[place] ?? { remaining: 0, resetMs: 0, retryAfterMs: 0 }),
      }));
      const decisive = verdicts.find((plan) => plan.retryAfterMs > 0) ?? verdicts[0];
      return { ...verdictOf({ ...decisive, allowed }), policy: decisive?.name ?? '', plans: verdicts };
    },
    async refund(key, options) {
      const { cost, names, kept } = asked(key, options);
      await limits.give(names, kept, cost);
    },
  };
}

export function verdictOf(parts: Partial<Verdict>): Verdict {
  return {
    allowed: true,
    policy: 'second',
    limit: 2,
    remaining: 1,
    resetMs: 1000,
    retryAfterMs: 0,
    degraded: false,
    plans: [{ name: 'second', limit: 2, windowMs: 1000, remaining: 1, resetMs: 1000, retryAfterMs: 0 }],
    ...parts,
  };
}

/** Answers every take alike, and tells what was given back. */
export function fixedLimiter(answer: Verdict | Error): Edge & { readonly refunds: LimitKey[] } {
  const refunds: LimitKey[] = [];
  return {
    name: 'fixed',
    refunds,
    async take() {
      if (answer instanceof Error) throw answer;
      return answer;
    },
    async refund(key) {
      refunds.push(key);
    },
  };
}
