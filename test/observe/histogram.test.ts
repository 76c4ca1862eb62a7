/** Shows that few buckets answer nearly what all the spans would. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Histogram } from '../../src/observe/histogram.ts';

/** The smallest span that a share of all did not exceed. */
function exact(spans: readonly number[], share: number): number {
  return spans.toSorted((a, b) => a - b)[Math.ceil(spans.length * share) - 1] ?? 0;
}

function histogramOf(spans: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const ms of spans) histogram.record(ms);
  return histogram;
}

const hourMs = 3_600_000;
/** As many short as long ones, unlike `fc.double` over the same range. */
const span = fc.double({ min: Math.log(0.01), max: Math.log(hourMs), noNaN: true }).map((log) => Math.exp(log));
const spans = fc.array(span, { minLength: 1, maxLength: 300 });

describe('a histogram', () => {
  it('is never below the exact quantile, and at most a tenth above it', () => {
    fc.assert(
      fc.property(spans, (all) => {
        const { p50, p99, max } = histogramOf(all).summary();
        for (const [found, share] of [
          [p50, 0.5],
          [p99, 0.99],
        ] as const) {
          // A ten-thousandth for spans on the very edge of a bucket.
          expect(found).toBeGreaterThanOrEqual(exact(all, share) * 0.9999);
          expect(found).toBeLessThanOrEqual(exact(all, share) * 1.1001);
        }
        expect(max).toBe(Math.max(...all));
      }),
      { numRuns: 1000 },
    );
  });

  it('answers as one that counted all, after it was given what another counted', () => {
    fc.assert(
      fc.property(spans, spans, (some, others) => {
        const histogram = histogramOf(some);
        histogram.add(histogramOf(others));
        expect(histogram.summary()).toEqual(histogramOf([...some, ...others]).summary());
      }),
    );
  });

  it('answers 0 before the first span', () => {
    expect(new Histogram().summary()).toEqual({ p50: 0, p99: 0, max: 0 });
  });

  it('tells one slow load in a hundred from one in fifty', () => {
    const fast = Array.from({ length: 99 }, () => 1);
    expect(histogramOf([...fast, 1000]).summary()).toMatchObject({ max: 1000 });
    expect(histogramOf([...fast, 1000]).summary().p99).toBeLessThan(1.2);
    expect(histogramOf([...fast.slice(1), 1000, 1000]).summary().p99).toBe(1000);
  });

  it('takes spans that are too short or too long for its buckets into the outermost', () => {
    expect(histogramOf([0, 0, 0]).summary()).toEqual({ p50: 0, p99: 0, max: 0 });
    expect(histogramOf([0.001, 0.001, 5]).summary().p50).toBe(0.01);
    const { p50, max } = histogramOf([hourMs * 1000]).summary();
    expect(p50).toBeGreaterThan(hourMs);
    expect(max).toBe(hourMs * 1000);
  });

  it('survives what is no span', () => {
    const { p50, p99 } = histogramOf([5, -1, Infinity, 5, 5, 5, 5, 5]).summary();
    expect(p50).toBeCloseTo(5, 0);
    expect(p99).toBeGreaterThan(hourMs);
    expect(histogramOf([Number.NaN, 5, 5]).summary().p50).toBeLessThanOrEqual(5.5);
  });
});
