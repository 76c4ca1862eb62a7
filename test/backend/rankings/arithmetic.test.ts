/** Shows what a submission makes of a score, and which ranks the rows of any page have. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RankingRules } from 'hotshelf';
import { rankRows, scoreAfter } from '../../../src/backend/rankings/arithmetic.ts';

const rulesOf = (changes: Partial<RankingRules>): RankingRules => ({
  order: 'desc',
  ties: 'competition',
  mode: 'best',
  cap: Infinity,
  ...changes,
});
const score = fc.double({ noNaN: true, noDefaultInfinity: true });

describe('a score after a submission', () => {
  it('is the better one, the last one, or the sum', () => {
    fc.assert(
      fc.property(score, score, (given, submitted) => {
        // There is no -0 on a board.
        const before = given + 0;
        const after = (changes: Partial<RankingRules>) => scoreAfter(rulesOf(changes), before, submitted, 0);
        expect(after({ mode: 'best' })).toBe(Math.max(before, submitted) + 0);
        expect(after({ mode: 'best', order: 'asc' })).toBe(Math.min(before, submitted) + 0);
        expect(after({ mode: 'last' })).toBe(submitted + 0);
        const sum = before + submitted;
        if (Number.isFinite(sum)) expect(after({ mode: 'sum' })).toBe(sum + 0);
      }),
    );
  });

  it('is what was submitted, for who had none', () => {
    for (const mode of ['best', 'last', 'sum'] as const) {
      fc.assert(
        fc.property(score, (submitted) => {
          expect(scoreAfter(rulesOf({ mode }), null, submitted, 0)).toBe(submitted + 0);
        }),
      );
      expect(scoreAfter(rulesOf({ mode }), null, -0, 0)).toBe(0);
      expect(scoreAfter(rulesOf({ mode }), 0, -0, 0)).toBe(0);
    }
  });

  it('never leaves the range of doubles', () => {
    const sum = rulesOf({ mode: 'sum' });
    const most = Number.MAX_VALUE;
    expect(scoreAfter(sum, most, most, 0)).toBe(most);
    expect(scoreAfter(sum, -most, -most, 0)).toBe(-most);
    expect(scoreAfter(sum, most, -most, 0)).toBe(0);
  });
});

describe('the ranks of a page', () => {
  const scores = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 25 });

  it.each(['competition', 'dense', 'earliest'] as const)('are those of the whole board: %s', (ties) => {
    fc.assert(
      fc.property(scores, fc.nat(), fc.nat(8), (unsorted, start, count) => {
        const board = unsorted.toSorted((a, b) => b - a).map((one, place) => ({ member: `m${place}`, score: one }));
        const rank = (place: number): number => {
          const better = board.filter((other) => other.score > (board[place]?.score ?? 0)).map((other) => other.score);
          return 1 + { competition: better.length, dense: new Set(better).size, earliest: place }[ties];
        };
        const from = start % board.length;
        const rows = rankRows(ties, board.slice(from, from + count), from, rank(from));
        expect(rows).toEqual(
          board.slice(from, from + count).map((entry, place) => ({ ...entry, rank: rank(from + place) })),
        );
      }),
    );
  });

  it('are none for no rows', () => {
    expect(rankRows('dense', [], 7, 3)).toEqual([]);
  });
});
