/** Shows that Cache-Control is read as RFC 9111 section 5.2 wants it, and strictly where it is malformed. */

import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { type CacheControl, parseCacheControl } from 'hotshelf/http';
import { expectUnharmed } from './adversary.ts';

const nothing = parseCacheControl(undefined);

describe('Cache-Control', () => {
  it('says nothing where it is absent or empty', () => {
    const { noCacheFields, privateFields, ...others } = nothing;
    expect([...noCacheFields, ...privateFields]).toEqual([]);
    expect(Object.values(others).filter((value) => value !== false && value !== undefined)).toEqual([]);
    expect(parseCacheControl(' , ,')).toEqual(nothing);
  });

  it.each<[string, Partial<CacheControl>]>([
    // RFC 9111 sections 5.2.1 and 5.2.2, each directive.
    ['max-age=60', { maxAge: 60 }],
    ['s-maxage=60', { sMaxage: 60 }],
    ['no-cache', { noCache: true }],
    ['no-store', { noStore: true }],
    ['no-transform', { noTransform: true }],
    ['private', { private: true }],
    ['public', { public: true }],
    ['must-revalidate', { mustRevalidate: true }],
    ['proxy-revalidate', { proxyRevalidate: true }],
    ['must-understand, no-store', { mustUnderstand: true, noStore: true }],
    ['only-if-cached', { onlyIfCached: true }],
    ['min-fresh=5', { minFresh: 5 }],
    ['max-stale=5', { maxStale: 5 }],
    ['max-stale', { maxStale: Number.POSITIVE_INFINITY }],
    // RFC 5861 and RFC 8246.
    ['stale-while-revalidate=30, stale-if-error=40', { staleWhileRevalidate: 30, staleIfError: 40 }],
    ['max-age=1, immutable', { maxAge: 1, immutable: true }],
    ['immutable=whatever', { immutable: true }],
    // Section 5.2: names have no case, and unknown ones are ignored (section 5.2.3).
    ['MaX-aGe=60, nO-sToRe', { maxAge: 60, noStore: true }],
    ['foobar, community="UCI", max-age=60', { maxAge: 60 }],
    // Sections 5.2.2.4 and 5.2.2.7: the qualified forms, as a list in quotes or one token.
    ['no-cache="Set-Cookie, a"', { noCacheFields: ['set-cookie', 'a'] }],
    ['private=Set-Cookie', { privateFields: ['set-cookie'] }],
    ['no-cache="a", no-cache="b"', { noCacheFields: ['a', 'b'] }],
    ['no-cache="a", no-cache', { noCache: true }],
    ['private, private="a"', { private: true }],
    // Section 5.2: a token and a quoted string mean the same.
    ['max-age="60"', { maxAge: 60 }],
    [String.raw`max-age="6\0"`, { maxAge: 60 }],
    // Section 1.2.2: 2^31 stands for everything above.
    ['max-age=2147483647', { maxAge: 2_147_483_647 }],
    ['max-age=2147483648', { maxAge: 2_147_483_648 }],
    ['max-age=2147483649', { maxAge: 2_147_483_648 }],
    ['max-age=99999999999', { maxAge: 2_147_483_648 }],
    [`max-age=${'9'.repeat(5000)}`, { maxAge: 2_147_483_648 }],
    ['max-age=003600', { maxAge: 3600 }],
    // What stands in quotes is no directive.
    ['extension="max-age=3600", max-age=1', { maxAge: 1 }],
    ['max-age=1, extension="max-age=3600"', { maxAge: 1 }],
    ['extension="max-age=3600", max-age="1"', { maxAge: 1 }],
    [String.raw`extension="\", no-store, max-age=3600", max-age=1`, { maxAge: 1 }],
  ])('%s', (value, expected) => {
    expect(parseCacheControl(value)).toEqual({ ...nothing, ...expected });
  });

  // RFC 9111 section 4.2.1: invalid freshness information is no freshness.
  it.each([
    'max-age',
    'max-age=',
    'max-age=""',
    'max-age=-3600',
    "max-age='3600'",
    'max-age=3600.0',
    'max-age=3600.5',
    'max-age=a3600',
    'max-age=3600a',
    'max-age=3600; public',
    'max-age =3600',
    'max-age= 3600',
    'max-age="3600',
    'max-age="3600"x',
    'max-age=1e3',
    'max-age=\u0663',
    'max-age=1800, max-age=1',
    'max-age=1, max-age=1800',
    'max-age=1800, max-age=x',
  ])('%s is no lifetime', (value) => {
    expect(parseCacheControl(value).maxAge).toBe(0);
    expect(parseCacheControl(value.replaceAll('max-age', 's-maxage')).sMaxage ?? 0).toBe(0);
  });

  it('may repeat a directive with the same value', () => {
    expect(parseCacheControl('max-age=60, max-age=60').maxAge).toBe(60);
  });

  it.each(['stale-while-revalidate=x', 'stale-if-error', 'max-stale=x', 'stale-if-error=1, stale-if-error=2'])(
    '%s allows nothing',
    (value) => expect(parseCacheControl(value)).toEqual(nothing),
  );

  it('is public only where it says so and nothing more', () => {
    expect(parseCacheControl('public=maybe').public).toBe(false);
    expect(parseCacheControl('"public"').public).toBe(false);
  });

  it.each(['no-cache=""', 'no-cache="a b"', 'no-cache="', 'no-cache=a b', 'no-cache="ü"', 'no-cache ="a"'])(
    '%s is about the whole response',
    (value) => {
      expect(parseCacheControl(value)).toMatchObject({ noCache: true, noCacheFields: [] });
      expect(parseCacheControl(value.replace('no-cache', 'private'))).toMatchObject({
        private: true,
        privateFields: [],
      });
    },
  );

  it.each(['no-store', 'private', 'no-cache', 'must-revalidate'])('an argument takes nothing from %s', (name) => {
    for (const argument of ['=', '=0', '=""', ' = x', '="'])
      expect(parseCacheControl(name + argument)).not.toEqual(nothing);
  });

  it('hides no directive behind a quote that never ends, and is fresh for no time then', () => {
    const parsed = parseCacheControl('public, max-age=3600, x="a, no-store, private, stale-if-error=9');
    expect(parsed).toMatchObject({ noStore: true, private: true, maxAge: 0, public: false, staleIfError: undefined });
    // Nor is it stale for any time.
    expect(parsed.proxyRevalidate).toBe(true);
  });

  it('never states a longer lifetime than a number that stands in it', () => {
    const piece = fc.constantFrom('max-age', 's-maxage', '=', '5', '70', '"', "'", ',', ' ', ';', '-', '.', 'x', '\\');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const text = pieces.join('');
        const largest = Math.max(0, ...(text.match(/\d+/g) ?? []).map(Number));
        const { maxAge = 0, sMaxage = 0 } = parseCacheControl(text);
        expect(Math.max(maxAge, sMaxage)).toBeLessThanOrEqual(largest);
      }),
      { numRuns: 2000 },
    );
  });

  it('is read in linear time, whatever it holds', () => {
    expectUnharmed(parseCacheControl);
    expectUnharmed((value) => parseCacheControl(`no-cache="${value}`));
    expectUnharmed((value) => parseCacheControl(`max-age=${value}`));
  });
});
