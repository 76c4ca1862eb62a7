/** Ways to break the limits facet, and the cases that must notice each. */

import type { Limits, Plan, Taken } from 'hotshelf';
import type { Breakage } from './broken-values.ts';

/** Answers what `change` makes of each take. */
function retold(limits: Limits, change: (taken: Taken, plans: readonly Plan[]) => Taken): Partial<Limits> {
  return {
    take: async (keys, plans, cost) => change(await limits.take(keys, plans, cost), plans),
    look: async (keys, plans, cost) => change(await limits.look(keys, plans, cost), plans),
  };
}

export const brokenLimits: readonly Breakage<Limits>[] = [
  [
    'one more than the limit is admitted',
    (limits) => ({
      take: (keys, plans, cost) =>
        limits.take(
          keys,
          plans.map((plan) => ({ ...plan, limit: Math.min(plan.limit + 1, Number.MAX_SAFE_INTEGER) })),
          cost,
        ),
    }),
    'admits the limit and no more: sliding-window',
    'admits exactly the limit of 200 concurrent takes: fixed-window',
  ],
  [
    'it looks before it charges, in two steps',
    (limits) => ({
      async take(keys, plans, cost) {
        const looked = await limits.look(keys, plans, cost);
        await Promise.resolve();
        return looked.allowed ? limits.charge(keys, plans, cost) : looked;
      },
    }),
    'admits exactly the limit of 200 concurrent takes: sliding-window',
    'decides takes of one moment',
  ],
  [
    'plans are charged one after the other',
    (limits) => ({
      async take(keys, plans, cost) {
        const taken: Taken[] = [];
        for (const [place, plan] of plans.entries()) taken.push(await limits.take([keys[place] ?? ''], [plan], cost));
        return {
          allowed: taken.every(({ allowed }) => allowed),
          shutMs: 0,
          standings: taken.flatMap(({ standings }) => standings),
        };
      },
    }),
    'charges all plans or none',
    'costs and plans are mixed',
  ],
  [
    'what is refused is charged',
    (limits) => ({
      async take(keys, plans, cost) {
        const taken = await limits.take(keys, plans, cost);
        if (!taken.allowed) await limits.charge(keys, plans, cost);
        return taken;
      },
    }),
    'charges nothing for what it refuses: token-bucket',
  ],
  [
    'a look charges',
    (limits) => ({ look: (keys, plans, cost) => limits.take(keys, plans, cost) }),
    'looks without charging',
  ],
  [
    'nothing is given back',
    () => ({ give: async () => {} }),
    'gives back what was taken, and never more: fixed-window',
  ],
  [
    'more is given back than was taken',
    (limits) => {
      const owed = new Map<string, number>();
      return {
        async give([key = '']) {
          owed.set(key, (owed.get(key) ?? 0) + 1);
        },
        take: (keys, plans, cost) => limits.take(keys, plans, Math.max(0, cost - (owed.get(keys[0] ?? '') ?? 0))),
      };
    },
    'gives nothing to a key that is not there',
  ],
  [
    'a reset gives back one',
    (limits) => ({ reset: (keys, plans) => limits.give(keys, plans, 1) }),
    'gives everything back at a reset: sliding-window',
  ],
  [
    'a charge passes what there is not',
    (limits) => ({
      async charge(keys, plans, cost) {
        const taken = await limits.take(keys, plans, cost);
        return { ...taken, allowed: true };
      },
    }),
    'charges what is left where that is less: token-bucket',
  ],
  [
    'the wait is told too short',
    (limits) =>
      retold(limits, (taken) => ({
        ...taken,
        standings: taken.standings.map((one) => ({ ...one, retryAfterMs: one.retryAfterMs / 2 })),
      })),
    'has room after the time that it said, and not before: sliding-window',
  ],
  [
    'the wait is told too long',
    (limits) =>
      retold(limits, (taken) => ({
        ...taken,
        standings: taken.standings.map((one) => ({ ...one, retryAfterMs: one.retryAfterMs + 20 })),
      })),
    'has room after the time that it said, and not before: token-bucket',
  ],
  [
    'the window is shorter than it should be',
    (limits) => {
      const shorter = (plans: readonly Plan[]) =>
        plans.map((plan) => (plan.windowMs === 100 ? { ...plan, windowMs: 60 } : plan));
      return { take: (keys, plans, cost) => limits.take(keys, shorter(plans), cost) };
    },
    'never admits more than the limit of a sliding window in any window',
  ],
  [
    'a window is fixed that should slide',
    (limits) => ({
      take: (keys, plans, cost) =>
        limits.take(
          keys,
          plans.map(({ limit, windowMs }) => ({ algorithm: 'fixed-window', limit, windowMs })),
          cost,
        ),
    }),
    'never admits more than the limit of a sliding window in any window',
  ],
  [
    'all keys are one',
    (limits) => ({
      take: (_keys, plans, cost) =>
        limits.take(
          plans.map((_, place) => `{all}:${place}`),
          plans,
          cost,
        ),
    }),
    'keeps keys apart',
  ],
  [
    'a limit is remembered from the first call',
    (limits) => {
      const first = new Map<string, readonly Plan[]>();
      return {
        take(keys, plans, cost) {
          const known = first.get(keys[0] ?? '') ?? plans;
          first.set(keys[0] ?? '', known);
          return limits.take(keys, known, cost);
        },
      };
    },
    'a limit of its own',
    'under another algorithm or window',
  ],
  [
    'bad costs pass',
    (limits) => ({ take: (keys, plans, cost) => limits.take(keys, plans, Math.max(0, Math.round(cost) || 0)) }),
    'refuses costs and plans that mean nothing',
  ],
  [
    'a gate is never shut',
    (limits) => ({ take: (keys, plans, cost) => limits.take(keys, plans, cost) }),
    'lets nothing pass while a gate is shut',
  ],
  [
    'a gate keeps its first time',
    (limits) => {
      const shut = new Set<string>();
      return { shut: async (gate, ms) => (shut.has(gate) ? undefined : (shut.add(gate), limits.shut(gate, ms))) };
    },
    'opens a gate after its time',
  ],
  ['a closed backend answers', () => ({ reset: async () => {} }), 'CLOSED after close'],
];
