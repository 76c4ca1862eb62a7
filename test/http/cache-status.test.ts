/** Shows that Cache-Status fields are written as RFC 9211 and RFC 8941 want them. */

import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { formatCacheStatus, type CacheStatus } from 'hotshelf/http';

describe('a Cache-Status field', () => {
  // RFC 9211 section 2 and 3: the examples that this function can write.
  it.each<[CacheStatus, string]>([
    [{ cache: 'ExampleCache', hit: true }, 'ExampleCache; hit'],
    [{ cache: 'ExampleCache', hit: true, ttlSeconds: 376 }, 'ExampleCache; hit; ttl=376'],
    [{ cache: 'ExampleCache', hit: true, ttlSeconds: -412 }, 'ExampleCache; hit; ttl=-412'],
    [
      { cache: 'ExampleCache', hit: true, ttlSeconds: -412, detail: 'MEMORY' },
      'ExampleCache; hit; ttl=-412; detail=MEMORY',
    ],
    [{ cache: 'ExampleCache', fwd: 'uri-miss' }, 'ExampleCache; fwd=uri-miss'],
    [{ cache: 'ExampleCache', fwd: 'uri-miss', stored: true }, 'ExampleCache; fwd=uri-miss; stored'],
    [{ cache: 'ExampleCache', fwd: 'uri-miss', collapsed: true }, 'ExampleCache; fwd=uri-miss; collapsed'],
    [{ cache: 'ExampleCache', fwd: 'request', stored: false, collapsed: false }, 'ExampleCache; fwd=request'],
    [{ cache: 'CDN Company Here', hit: true, ttlSeconds: 545 }, '"CDN Company Here"; hit; ttl=545'],
  ])('of %j is %s', (status, field) => {
    expect(formatCacheStatus(status)).toBe(field);
  });

  it('says hit or fwd, never both', () => {
    expect(formatCacheStatus({ cache: 'c', hit: true, fwd: 'miss' })).toBe('c; hit');
    expect(formatCacheStatus({ cache: 'c', hit: false, fwd: 'miss' })).toBe('c; fwd=miss');
    expect(formatCacheStatus({ cache: 'c' })).toBe('c');
  });

  it('has whole seconds, and no ttl that is no number', () => {
    expect(formatCacheStatus({ cache: 'c', hit: true, ttlSeconds: 59.9 })).toBe('c; hit; ttl=59');
    expect(formatCacheStatus({ cache: 'c', hit: true, ttlSeconds: -0.5 })).toBe('c; hit; ttl=0');
    for (const ttlSeconds of [Number.NaN, Infinity, -Infinity])
      expect(formatCacheStatus({ cache: 'c', hit: true, ttlSeconds })).toBe('c; hit');
    // RFC 8941 section 3.3.1: an integer has at most 15 digits.
    expect(formatCacheStatus({ cache: 'c', hit: true, ttlSeconds: 1e21 })).toBe('c; hit; ttl=999999999999999');
    expect(formatCacheStatus({ cache: 'c', hit: true, ttlSeconds: -1e21 })).toBe('c; hit; ttl=-999999999999999');
  });

  it('quotes what is no token, and lets nothing through that a header must not have', () => {
    expect(formatCacheStatus({ cache: '7up', hit: true })).toBe('"7up"; hit');
    expect(formatCacheStatus({ cache: '', hit: true })).toBe('""; hit');
    expect(formatCacheStatus({ cache: 'c', fwd: 'miss', detail: 'a "b" \\ c' })).toBe(
      String.raw`c; fwd=miss; detail="a \"b\" \\ c"`,
    );
    expect(formatCacheStatus({ cache: 'c', fwd: 'miss', detail: 'x\r\nSet-Cookie: a=b\u0000é' })).toBe(
      'c; fwd=miss; detail="xSet-Cookie: a=b"',
    );
    expect(formatCacheStatus({ cache: 'c\n', hit: true })).toBe('"c"; hit');
  });

  it('can always be read by a parser of structured fields', () => {
    const token = String.raw`[A-Za-z*][\w!#$%&'*+.^|~:/\x60-]*`;
    const quoted = String.raw`"(?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"`;
    const field = new RegExp(
      `^(?:${token}|${quoted})(?:; (?:hit|stored|collapsed|fwd=[a-z-]+|ttl=-?\\d{1,15}|detail=(?:${token}|${quoted})))*$`,
    );
    fc.assert(
      fc.property(
        fc.record(
          {
            cache: fc.string({ unit: 'binary' }),
            hit: fc.boolean(),
            fwd: fc.constantFrom('miss' as const, 'bypass' as const),
            ttlSeconds: fc.double(),
            stored: fc.boolean(),
            collapsed: fc.boolean(),
            detail: fc.string({ unit: 'binary' }),
          },
          { requiredKeys: ['cache'] },
        ),
        (status) => {
          expect(formatCacheStatus(status)).toMatch(field);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
