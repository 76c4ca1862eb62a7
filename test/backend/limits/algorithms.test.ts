/** Compares the arithmetic of limits with models that keep every single take. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Plan } from 'hotshelf';
import { add, advance, free, give, isAhead, lifetimeMs, waitMs } from '../../../src/backend/limits/arithmetic.ts';
import type { Usage } from '../../../src/backend/limits/usage.ts';

/** Takes what there is room for, one after the other, and remembers what was admitted. */
interface Step {
  readonly afterMs: number;
  readonly cost: number;
}

interface Admitted {
  readonly at: number;
  readonly cost: number;
}

const start = 1_700_000_000_123;

function play(plan: Plan, steps: readonly Step[], look: (usage: Usage, now: number, before: Admitted[]) => void) {
  let usage: Usage = [];
  let now = start;
  const admitted: Admitted[] = [];
  for (const { afterMs, cost } of steps) {
    now += afterMs;
    usage = advance(plan, usage, now);
    look(usage, now, admitted);
    if (free(plan, usage) < cost) continue;
    usage = add(plan, usage, now, cost);
    admitted.push({ at: now, cost });
    look(usage, now, admitted);
  }
  return admitted;
}

const sum = (some: readonly Admitted[]) => some.reduce((total, { cost }) => total + cost, 0);

/** Windows that ten does and does not divide; steps from a burst to a pause longer than the window. */
const windows = fc.constantFrom(10, 11, 15, 99, 100, 1000, 60_007);
const limits = fc.integer({ min: 1, max: 12 });
const stepsFor = (windowMs: number) =>
  fc.array(
    fc.record({
      afterMs: fc.oneof(
        fc.constant(0),
        fc.integer({ min: 0, max: Math.ceil(windowMs / 4) }),
        fc.integer({ min: 0, max: 2 * windowMs }),
      ),
      cost: fc.integer({ min: 0, max: 4 }),
    }),
    { maxLength: 60 },
  );
const slidingGames = fc
  .record({ limit: limits, windowMs: windows })
  .chain((plan) =>
    fc.record({ plan: fc.constant({ algorithm: 'sliding-window' as const, ...plan }), steps: stepsFor(plan.windowMs) }),
  );
const bucketGames = fc
  .record({ limit: limits, windowMs: windows, burst: limits })
  .chain((plan) =>
    fc.record({ plan: fc.constant({ algorithm: 'token-bucket' as const, ...plan }), steps: stepsFor(plan.windowMs) }),
  );
const fixedGames = fc
  .record({ limit: limits, windowMs: windows })
  .chain((plan) =>
    fc.record({ plan: fc.constant({ algorithm: 'fixed-window' as const, ...plan }), steps: stepsFor(plan.windowMs) }),
  );
const games = fc.oneof(slidingGames, bucketGames, fixedGames);
type Game = { readonly plan: Plan; readonly steps: readonly Step[] };

describe('a sliding window', () => {
  it('admits the limit at most in any window, its ends included', () => {
    fc.assert(
      fc.property(slidingGames, ({ plan, steps }) => {
        const admitted = play(plan, steps, () => {});
        for (const [index, { at }] of admitted.entries()) {
          const within = admitted.slice(0, index + 1).filter((one) => one.at >= at - plan.windowMs);
          expect(sum(within)).toBeLessThanOrEqual(plan.limit);
        }
      }),
    );
  });

  it('counts what was taken in this tenth of the window and in the ten before', () => {
    fc.assert(
      fc.property(slidingGames, ({ plan, steps }) => {
        const tenth = (at: number) => (BigInt(at) * 10n) / BigInt(plan.windowMs);
        play(plan, steps, (usage, now, admitted) => {
          const counting = admitted.filter(({ at }) => tenth(at) >= tenth(now) - 10n);
          expect(plan.limit - free(plan, usage)).toBe(sum(counting));
        });
      }),
    );
  });

  it('gives back after 1.1 windows at the latest', () => {
    fc.assert(
      fc.property(slidingGames, ({ plan, steps }) => {
        play(plan, steps, (usage, now) => {
          expect(lifetimeMs(plan, usage, now)).toBeLessThanOrEqual(Math.ceil(1.1 * plan.windowMs));
        });
      }),
    );
  });

  it('withstands an attack on the boundary', () => {
    const plan = { algorithm: 'sliding-window', limit: 100, windowMs: 1000 } as const;
    const burst = (afterMs: number) =>
      Array.from({ length: 100 }, (_, index) => ({ afterMs: index === 0 ? afterMs : 0, cost: 1 }));
    const admitted = play(plan, [{ afterMs: 877, cost: 1 }, ...burst(930), ...burst(110)], () => {});
    expect(sum(admitted)).toBe(100);
  });

  it('gives back the oldest first, so that what was taken last counts as long as it must', () => {
    const plan = { algorithm: 'sliding-window', limit: 100, windowMs: 1000 } as const;
    const first = add(plan, [], 5_000_000, 50);
    const second = add(plan, advance(plan, first, 5_000_500), 5_000_500, 50);
    const given = give(plan, second, 50);
    expect(free(plan, advance(plan, given, 5_000_500))).toBe(50);
    expect(free(plan, advance(plan, given, 5_001_500))).toBe(50);
    expect(free(plan, advance(plan, given, 5_001_600))).toBe(100);
  });

  it('admits no more than the limit of what is kept, whatever is given back', () => {
    fc.assert(
      fc.property(slidingGames, fc.infiniteStream(fc.nat(3)), ({ plan, steps }, gifts) => {
        // Each admitted take is given back in part at some later time: what is kept never passes the limit in any window.
        let usage: Usage = [];
        let now = start;
        const kept: { at: number; cost: number }[] = [];
        for (const { afterMs, cost } of steps) {
          now += afterMs;
          usage = advance(plan, usage, now);
          if (free(plan, usage) >= cost) {
            usage = add(plan, usage, now, cost);
            kept.push({ at: now, cost });
          }
          const [back = 0] = gifts.take(1);
          // The oldest or the newest of those that still count.
          const counting = kept.filter((some) => some.cost >= back && some.at > now - plan.windowMs);
          const one = counting.at(back % 2 === 0 ? 0 : -1);
          if (one !== undefined && back > 0) {
            one.cost -= back;
            usage = give(plan, usage, back);
          }
          const within = kept.filter(({ at }) => at >= now - plan.windowMs);
          expect(sum(within)).toBeLessThanOrEqual(plan.limit);
        }
      }),
    );
  });
});

describe('a token bucket', () => {
  it('holds as much as one that is filled drop by drop', () => {
    fc.assert(
      fc.property(bucketGames, ({ plan, steps }) => {
        // In units of which a token has `windowMs`, and of which `limit` fall in every ms.
        const [size, token] = [BigInt(plan.burst) * BigInt(plan.windowMs), BigInt(plan.windowMs)];
        let content = size;
        let filledAt = start;
        let seen = 0;
        play(plan, steps, (usage, now, admitted) => {
          content += BigInt(now - filledAt) * BigInt(plan.limit);
          if (content > size) content = size;
          filledAt = now;
          for (; seen < admitted.length; seen += 1) content -= BigInt(admitted[seen]?.cost ?? 0) * token;
          expect(free(plan, usage)).toBe(Number(content / token));
        });
      }),
    );
  });

  it('admits its burst and what falls in meanwhile, at most', () => {
    fc.assert(
      fc.property(bucketGames, ({ plan, steps }) => {
        const admitted = play(plan, steps, () => {});
        for (const [from, { at }] of admitted.entries()) {
          for (let to = from; to < admitted.length; to += 1) {
            const spanMs = (admitted[to]?.at ?? 0) - at;
            const most = plan.burst + (spanMs * plan.limit) / plan.windowMs;
            expect(sum(admitted.slice(from, to + 1))).toBeLessThanOrEqual(most + 1e-9);
          }
        }
      }),
    );
  });
});

describe('a fixed window', () => {
  it('counts what was taken since it began', () => {
    fc.assert(
      fc.property(fixedGames, ({ plan, steps }) => {
        play(plan, steps, (usage, now, admitted) => {
          const began = now - (now % plan.windowMs);
          expect(plan.limit - free(plan, usage)).toBe(sum(admitted.filter(({ at }) => at >= began)));
        });
      }),
    );
  });
});

describe('every algorithm', () => {
  it('knows the first ms at which there is room', () => {
    fc.assert(
      fc.property(games, fc.integer({ min: 1, max: 12 }), ({ plan, steps }: Game, cost) => {
        play(plan, steps, (usage, now) => {
          const wait = waitMs(plan, usage, now, cost);
          const freeAfter = (ms: number) => free(plan, advance(plan, usage, now + ms));
          if (wait === Infinity) expect(freeAfter(3 * 12 * plan.windowMs)).toBeLessThan(cost);
          else expect(freeAfter(wait)).toBeGreaterThanOrEqual(cost);
          if (wait > 0 && wait !== Infinity) expect(freeAfter(wait - 1)).toBeLessThan(cost);
        });
      }),
    );
  });

  it('keeps whole numbers, and nothing when nothing counts', () => {
    fc.assert(
      fc.property(games, ({ plan, steps }: Game) => {
        play(plan, steps, (usage, now) => {
          expect(usage.every(Number.isSafeInteger)).toBe(true);
          const end = lifetimeMs(plan, usage, now);
          const isEmpty = (some: Usage) => free(plan, some) === free(plan, []);
          expect(isEmpty(advance(plan, usage, now + end))).toBe(true);
          if (end > 0) expect(isEmpty(advance(plan, usage, now + end - 1))).toBe(false);
        });
      }),
    );
  });

  it('gives back what was taken and never more', () => {
    fc.assert(
      fc.property(games, fc.nat(20), ({ plan, steps }: Game, cost) => {
        play(plan, steps, (usage, now) => {
          const before = free(plan, usage);
          const after = free(plan, give(plan, usage, cost));
          expect(after).toBeGreaterThanOrEqual(before);
          expect(after).toBeLessThanOrEqual(Math.min(before + cost, free(plan, [])));
          expect(free(plan, give(plan, add(plan, usage, now, cost), cost))).toBeGreaterThanOrEqual(before);
        });
      }),
    );
  });

  it('is not stuck when the clock is set back, and gives nothing away', () => {
    fc.assert(
      fc.property(games, fc.integer({ min: 1, max: 1e10 }), ({ plan, steps }: Game, backMs) => {
        let last: Usage = [];
        let now = 0;
        play(plan, steps, (usage, at) => {
          last = usage;
          now = at;
        });
        const then = advance(plan, last, now - backMs);
        expect(free(plan, then)).toBeLessThanOrEqual(free(plan, last));
        // Stored, as `isAhead` demands, it goes as it would have gone.
        const stored = isAhead(last, then) ? then : last;
        expect(free(plan, advance(plan, stored, now - backMs + 13 * 12 * plan.windowMs))).toBe(free(plan, []));
      }),
    );
  });
});
