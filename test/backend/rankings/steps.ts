/** Draws what is done to boards, at random. */

import * as fc from 'fast-check';
import type { RankingRules } from 'hotshelf';

/** One thing that is done; boards, members and marks by their numbers. */
export type Step =
  | {
      readonly verb: 'submit';
      readonly boards: readonly number[];
      readonly scores: readonly (readonly [member: number, score: number])[];
      readonly cap: number;
    }
  | { readonly verb: 'remove'; readonly boards: readonly number[]; readonly members: readonly number[] }
  | { readonly verb: 'removeScores'; readonly boards: readonly number[]; readonly between: readonly [number, number] }
  | { readonly verb: 'from'; readonly board: number; readonly from: number; readonly count: number }
  | { readonly verb: 'around'; readonly board: number; readonly member: number; readonly count: number }
  | { readonly verb: 'after'; readonly board: number; readonly mark: number; readonly count: number }
  | {
      readonly verb: 'between';
      readonly board: number;
      readonly between: readonly [number, number];
      readonly skip: number;
      readonly count: number;
    }
  | { readonly verb: 'find'; readonly board: number; readonly members: readonly number[] }
  | { readonly verb: 'move'; readonly board: number; readonly to: number }
  | { readonly verb: 'scan'; readonly board: number }
  | { readonly verb: 'wait'; readonly ms: number };

/** Few, so that they meet often; the bytes of some are in another order than their UTF-16. */
export const members = ['ann', 'bob', 'a', 'Ann', '\u{1f600}', '\ue000', '\uffff', 'a|1|b', '\0', '\u00e9', 'zed', '0'];
export const boardCount = 3;

const board = fc.nat(boardCount - 1);
const boards = fc.uniqueArray(board, { minLength: 1, maxLength: boardCount });
const member = fc.nat(members.length - 1);
const count = fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 6 }) }, fc.constant(1000));
const cap = fc.oneof({ weight: 3, arbitrary: fc.constant(Infinity) }, fc.integer({ min: 1, max: 8 }));

/** Mostly from a handful, for the sake of ties. */
const plainScore = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: -2, max: 2 }) },
  { weight: 2, arbitrary: fc.constantFrom(-0, 0.1, 0.2, 0.30000000000000004, 5e-324) },
  { weight: 1, arbitrary: fc.constantFrom(2 ** 53, 2 ** 53 + 2, Number.MAX_VALUE, -Number.MAX_VALUE) },
  { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
);
const weight = fc.double({ min: 1, max: 100, noNaN: true });
const bound = fc.oneof(plainScore, fc.constantFrom(Infinity, -Infinity));

export function stepsFor(rules: RankingRules, length: number): fc.Arbitrary<readonly Step[]> {
  const isDecay = rules.mode === 'decay';
  const score = isDecay ? weight : plainScore;
  // The scores of decay are logarithms that grow with time: only their order can be told beforehand.
  const least = isDecay ? fc.constantFrom(Infinity, -Infinity) : bound;
  const between = fc.tuple(least, least).map(([a, b]): readonly [number, number] => (a <= b ? [a, b] : [b, a]));
  const scores = fc.array(fc.tuple(member, score), { minLength: 1, maxLength: 5 });
  const somebody = fc.array(member, { minLength: 1, maxLength: 4 });
  return fc.array(
    fc.oneof(
      { weight: 8, arbitrary: fc.record({ verb: fc.constant('submit' as const), boards, scores, cap }) },
      { weight: 2, arbitrary: fc.record({ verb: fc.constant('remove' as const), boards, members: somebody }) },
      { weight: 1, arbitrary: fc.record({ verb: fc.constant('removeScores' as const), boards, between }) },
      { weight: 3, arbitrary: fc.record({ verb: fc.constant('from' as const), board, from: fc.nat(13), count }) },
      { weight: 3, arbitrary: fc.record({ verb: fc.constant('around' as const), board, member, count }) },
      { weight: 3, arbitrary: fc.record({ verb: fc.constant('after' as const), board, mark: fc.nat(9), count }) },
      {
        weight: 3,
        arbitrary: fc.record({ verb: fc.constant('between' as const), board, between, skip: fc.nat(4), count }),
      },
      { weight: 2, arbitrary: fc.record({ verb: fc.constant('find' as const), board, members: somebody }) },
      { weight: 1, arbitrary: fc.record({ verb: fc.constant('move' as const), board, to: board }) },
      { weight: 1, arbitrary: fc.record({ verb: fc.constant('scan' as const), board }) },
      {
        weight: 1,
        arbitrary: fc.record({ verb: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 2000 }) }),
      },
    ),
    { minLength: 5, maxLength: length },
  );
}
