/** Shows that the mark of a page leads back to where it ended, and that nothing else is taken for one. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { entryAt, markOf } from '../../../src/backend/rankings/mark.ts';

describe('the mark of a page', () => {
  it('says exactly where it ended', () => {
    fc.assert(
      fc.property(
        fc.record({
          member: fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
          // There is no -0 on a board.
          score: fc.double({ noNaN: true, noDefaultInfinity: true }).map((score) => score + 0),
          reached: fc.nat(Number.MAX_SAFE_INTEGER),
        }),
        (entry) => {
          expect(entryAt(markOf(entry))).toEqual(entry);
        },
      ),
      { numRuns: 2000 },
    );
    for (const score of [-Number.MAX_VALUE, -2.2250738585072014e-308, 5e-324, 123_456_789.123_456_79, 1e21]) {
      const entry = { member: 'a|1|b\n|', score, reached: Number.MAX_SAFE_INTEGER };
      expect(entryAt(markOf(entry))).toEqual(entry);
    }
  });

  it.each([
    '',
    '|',
    '||',
    '1|0|',
    '1|0',
    '|0|ann',
    '1||ann',
    'one|0|ann',
    '1|-1|ann',
    '1|0.5|ann',
    'NaN|0|ann',
    '1e999|0|ann',
    'Infinity|0|ann',
  ])('is not %j, and the message does not show it', (text) => {
    expect(() => entryAt(text)).toThrow(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        message: 'Expected the mark of a page to be the `end` of another page.',
      }),
    );
  });
});
