/** Shows that Cache-Status fields are written as RFC 9211 and RFC 8941 want them. */

import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import {
  appendCacheStatus,
  type CacheOutcome,
  type CacheStatus,
  cacheStatusOf,
  formatCacheStatus,
} from 'hotshelf/http';
import { parseList } from '../../src/http/structured-fields.ts';

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
    [
      { cache: 'ExampleCache', fwd: 'stale', fwdStatus: 304, collapsed: true },
      'ExampleCache; fwd=stale; fwd-status=304; collapsed',
    ],
    [
      { cache: 'ExampleCache', fwd: 'miss', stored: true, key: '/a "b"' },
      String.raw`ExampleCache; fwd=miss; stored; key="/a \"b\""`,
    ],
    // Sections 2.3, 2.7: the origin's status goes with fwd, a key is a String.
    [{ cache: 'ExampleCache', hit: true, fwdStatus: 200, key: 'a' }, 'ExampleCache; hit; key="a"'],
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
    fc.assert(
      fc.property(
        fc.record(
          {
            cache: fc.string({ unit: 'binary' }),
            hit: fc.boolean(),
            fwd: fc.constantFrom('miss' as const, 'bypass' as const),
            fwdStatus: fc.oneof(fc.integer(), fc.double()),
            ttlSeconds: fc.double(),
            stored: fc.boolean(),
            collapsed: fc.boolean(),
            key: fc.string({ unit: 'binary' }),
            detail: fc.string({ unit: 'binary' }),
          },
          { requiredKeys: ['cache'] },
        ),
        (status) => {
          const members = parseList(formatCacheStatus(status));
          expect(members).toHaveLength(1);
          const parameters = members?.[0]?.parameters ?? new Map();
          expect(parameters.has('hit') && parameters.has('fwd')).toBe(false);
          expect(parameters.get('key')?.kind ?? 'string').toBe('string');
          expect(parameters.has('stored')).toBe(status.stored === true);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('the outcome of a lookup', () => {
  it.each<[CacheOutcome, string]>([
    [{ status: 'hit', stored: false, ttlMs: 59_900 }, 'c; hit; ttl=59'],
    [{ status: 'miss', stored: true, ttlMs: 60_000 }, 'c; fwd=miss; stored'],
    [{ status: 'miss', stored: false, ttlMs: 0 }, 'c; fwd=miss'],
    [{ status: 'collapsed', stored: false, ttlMs: 60_000 }, 'c; fwd=miss; collapsed'],
    [{ status: 'bypass', reason: 'backend', stored: false, ttlMs: 0 }, 'c; fwd=bypass; detail=backend'],
    [{ status: 'bypass', stored: false, ttlMs: 0 }, 'c; fwd=bypass'],
    // RFC 9211 section 2.1: what is answered without asking anybody is a hit, stale or not.
    [{ status: 'stale', reason: 'refreshing', stored: false, ttlMs: -3000 }, 'c; hit; ttl=-3; detail=refreshing'],
    [
      { status: 'stale', reason: 'load failed', stored: false, ttlMs: -3000 },
      'c; fwd=stale; ttl=-3; detail="load failed"',
    ],
  ])('%j is %s', (outcome, field) => {
    expect(formatCacheStatus(cacheStatusOf(outcome, 'c'))).toBe(field);
  });
});

describe('a member that is added', () => {
  it.each([
    // RFC 9211 section 2: after those that are nearer to the origin.
    ['OriginCache; hit; ttl=1100', 'OriginCache; hit; ttl=1100, c; hit'],
    ['a; hit, "b c"; fwd=miss;stored', 'a; hit, "b c"; fwd=miss;stored, c; hit'],
    [undefined, 'c; hit'],
    ['', 'c; hit'],
    // What cannot be read is not worth keeping: the whole field could not be read.
    ['a; hit,', 'c; hit'],
    ['a; "', 'c; hit'],
    ['a; HIT', 'c; hit'],
  ])('to %j makes %j', (existing, expected) => {
    expect(appendCacheStatus(existing, 'c; hit')).toBe(expected);
  });
});
