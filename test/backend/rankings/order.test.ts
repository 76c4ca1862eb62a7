/** Shows that the order of a board is a total one, and that of members the order of their bytes. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareEntries, compareMembers, isBetter } from '../../../src/backend/rankings/order.ts';

const text = fc.string({ unit: 'binary', maxLength: 6 });
const entry = fc.record({
  member: fc.oneof(text, fc.constantFrom('a', 'b', '\ue000', '\u{1f600}')),
  score: fc.oneof(fc.integer({ min: -1, max: 1 }), fc.double({ noNaN: true, noDefaultInfinity: true })),
  reached: fc.nat(2),
});
const rules = fc.record({
  order: fc.constantFrom('desc' as const, 'asc' as const),
  ties: fc.constantFrom('competition' as const, 'dense' as const, 'earliest' as const),
});

describe('the order of members', () => {
  it('is that of their bytes in UTF-8', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const expected = Buffer.compare(Buffer.from(a), Buffer.from(b));
        expect(Math.sign(compareMembers(a, b))).toBe(expected);
      }),
      { numRuns: 5000 },
    );
  });

  it('has what lies above U+FFFF behind everything else, which UTF-16 has not', () => {
    const sorted = ['\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{1f600}', '\u{10ffff}'];
    expect(sorted.toReversed().toSorted(compareMembers)).toEqual(sorted);
    expect(sorted.toSorted()).not.toEqual(sorted);
  });

  it('has a text before those that go on from it', () => {
    expect(['ab', '', 'a\0', 'a'].toSorted(compareMembers)).toEqual(['', 'a', 'a\0', 'ab']);
  });
});

describe('the order of a board', () => {
  it('is total: nobody stands before itself, two stand one way round, three in a row', () => {
    fc.assert(
      fc.property(rules, entry, entry, entry, (order, a, b, c) => {
        // 0 is neither negative nor positive here.
        const compare = (x: typeof a, y: typeof a) => Math.sign(compareEntries(order, x, y)) + 0;
        expect(compare(a, a)).toBe(0);
        expect(compare(a, b)).toBe(0 - compare(b, a) + 0);
        if (a.member !== b.member) expect(compare(a, b)).not.toBe(0);
        if (compare(a, b) <= 0 && compare(b, c) <= 0) expect(compare(a, c)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 3000 },
    );
  });

  it('has the better score first, whatever else there is', () => {
    fc.assert(
      fc.property(rules, entry, entry, (order, a, b) => {
        if (a.score === b.score) expect(isBetter(order, a.score, b.score)).toBe(false);
        else expect(compareEntries(order, a, b) < 0).toBe(isBetter(order, a.score, b.score));
      }),
    );
  });

  it('has one zero', () => {
    const [zero, minus] = [0, -0].map((score) => ({ member: 'a', score, reached: 0 }));
    for (const order of ['desc', 'asc'] as const)
      expect(compareEntries({ order, ties: 'dense' }, zero as never, minus as never)).toBeCloseTo(0);
  });

  it('has who was earlier first with ties "earliest" only, upwards and downwards', () => {
    const [early, late] = [
      { member: 'b', score: 1, reached: 1 },
      { member: 'a', score: 1, reached: 2 },
    ];
    for (const order of ['desc', 'asc'] as const)
      expect(compareEntries({ order, ties: 'earliest' }, early, late)).toBeLessThan(0);
    expect(compareEntries({ order: 'asc', ties: 'competition' }, early, late)).toBeGreaterThan(0);
    expect(compareEntries({ order: 'desc', ties: 'competition' }, early, late)).toBeLessThan(0);
  });
});
