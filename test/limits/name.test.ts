/** Names that were typed: which share a bucket. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameBucket } from '../../src/limits/name.ts';

describe('the bucket of a name', () => {
  it.each([
    ['Alice'],
    ['ALICE'],
    ['  alice'],
    ['alice\t\n'],
    ['ａｌｉｃｅ'],
    ['al\u200bice'],
    ['\ufeffalice'],
    ['ali\u00adce'],
    ['alice\0'],
    ['𝒶lice'],
  ])('is alice for %j', (name) => {
    expect(nameBucket(name)).toBe('alice');
  });

  it.each([
    ['Straße', 'STRASSE'],
    ['ΟΔΟΣ', 'οδος'],
    ['José', 'JOSE\u0301'],
    ['ana  maria', ' Ana\u00a0Maria '],
    ['ﬁn', 'FIN'],
  ])('is one for %j and %j', (one, other) => {
    expect(nameBucket(one)).toBe(nameBucket(other));
  });

  it('tells other names apart, and is empty for what is no text', () => {
    const names = ['alice', 'alic', 'alice2', 'al ice', 'alíce', 'alice@example.com'];
    expect(new Set(names.map(nameBucket)).size).toBe(names.length);
    for (const value of [undefined, null, 7, ['alice'], { toString: () => 'alice' }])
      expect(nameBucket(value)).toBe('');
  });

  it('stays the same when it is asked again, and short whatever was typed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (name) => {
        const bucket = nameBucket(name);
        expect(nameBucket(bucket)).toBe(bucket);
        expect(nameBucket(name.toUpperCase())).toBe(nameBucket(name.toUpperCase().toLowerCase()));
      }),
      { numRuns: 2000 },
    );
    expect(nameBucket('ﷺ'.repeat(1e6)).length).toBeLessThan(10_000);
  });
});
