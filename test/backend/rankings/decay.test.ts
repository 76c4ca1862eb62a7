/** Shows that a score of decay is the sum of what was added, each part halved in every half-life. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decayed, weightAt } from '../../../src/backend/rankings/decay.ts';

const epoch = 1_700_000_000_000;
const dayMs = 86_400_000;
const part = fc.record({
  weight: fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
  at: fc.integer({ min: 0, max: 20 * dayMs }),
});
const halfLife = fc.integer({ min: dayMs / 24, max: 400 * dayMs });

function added(parts: readonly { readonly weight: number; readonly at: number }[], halfLifeMs: number): number {
  return (
    parts.reduce<number | null>((score, { weight, at }) => decayed(score, weight, epoch + at, halfLifeMs), null) ?? 0
  );
}

/** What a logarithm as large as the half-lives since the epoch leaves of a double's digits. */
function expectClose(found: number, expected: number, halfLifeMs: number): void {
  const digits = (Number.EPSILON * 30 * epoch) / halfLifeMs + 1e-13;
  expect(Math.abs(found - expected) / expected, `${found} instead of ${expected}`).toBeLessThan(digits);
}

describe('a score of decay', () => {
  it('weighs as much as its parts', () => {
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 12 }), halfLife, (parts, halfLifeMs) => {
        const last = Math.max(...parts.map(({ at }) => at));
        const expected = parts.reduce((sum, { weight, at }) => sum + weight * 0.5 ** ((last - at) / halfLifeMs), 0);
        expectClose(weightAt(added(parts, halfLifeMs), epoch + last, halfLifeMs), expected, halfLifeMs);
      }),
    );
  });

  it('is the same in whatever order its parts came', () => {
    fc.assert(
      fc.property(fc.array(part, { minLength: 2, maxLength: 12 }), halfLife, (parts, halfLifeMs) => {
        const [one, other] = [added(parts, halfLifeMs), added(parts.toReversed(), halfLifeMs)];
        expectClose(2 ** (one - other), 1, halfLifeMs);
      }),
    );
  });

  it('loses half of its weight in a half-life, and never its place', () => {
    fc.assert(
      fc.property(part, part, halfLife, (a, b, halfLifeMs) => {
        const [one, other] = [added([a], halfLifeMs), added([b], halfLifeMs)];
        const now = epoch + 20 * dayMs;
        expectClose(weightAt(one, now, halfLifeMs) / weightAt(one, now + halfLifeMs, halfLifeMs), 2, halfLifeMs);
        if (one > other)
          expect(weightAt(one, now, halfLifeMs)).toBeGreaterThanOrEqual(weightAt(other, now, halfLifeMs));
      }),
    );
  });

  it('only grows, and adds nothing up to nothing', () => {
    const score = added([{ weight: 1e6, at: 0 }], dayMs);
    expect(decayed(score, 5e-324, epoch, dayMs)).toBe(score);
    expect(decayed(score, 1, epoch, dayMs)).toBeGreaterThan(score);
    // Whatever was there a thousand half-lives ago: what comes now stands alone.
    const now = epoch + 5000 * dayMs;
    expect(decayed(score, 3, now, dayMs)).toBe(decayed(null, 3, now, dayMs));
  });

  it('stays finite at both ends', () => {
    for (const weight of [5e-324, Number.MAX_VALUE])
      for (const halfLifeMs of [1, 1e300]) {
        const score = decayed(decayed(null, weight, epoch, halfLifeMs), weight, epoch, halfLifeMs);
        expect(Number.isFinite(score)).toBe(true);
      }
  });
});
