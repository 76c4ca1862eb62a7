/** Shows that a targeted field governs a cache as RFC 9213 section 2 wants it. */

import { describe, expect, it } from 'vitest';
import { type CacheControl, governing, parseCacheControl } from 'hotshelf/http';
import { expectUnharmed } from './adversary.ts';

const targets = ['Shelf-Cache-Control', 'cdn-cache-control'];
const nothing = parseCacheControl(undefined);

describe('the field that governs', () => {
  it('is the first target that is there, even if a later field is stricter (section 2.2)', () => {
    const fields = {
      'cache-control': 'no-store',
      'cdn-cache-control': 'max-age=1',
      'shelf-cache-control': ['max-age=3600', 'stale-if-error=5'],
    };
    expect(governing(fields, targets)).toEqual({
      directives: { ...nothing, maxAge: 3600, staleIfError: 5 },
      target: 'shelf-cache-control',
    });
    expect(governing(fields, ['CDN-Cache-Control'])).toMatchObject({
      directives: { maxAge: 1 },
      target: 'cdn-cache-control',
    });
    expect(governing(fields, [])).toEqual({ directives: { ...nothing, noStore: true }, target: undefined });
  });

  // Section 2.1: as if the field were not there.
  it.each([
    '',
    '  ',
    'max-age=10000, &&&&&',
    'MaX-aGe=3600',
    'max-age =100',
    'max-age= 100',
    'max-age=1,',
    'no-store;',
  ])('is not a target that says %j', (value) => {
    const fields = { 'cache-control': 'max-age=7', 'cdn-cache-control': value };
    expect(governing(fields, targets)).toEqual({ directives: { ...nothing, maxAge: 7 }, target: undefined });
  });
});

describe('a targeted field', () => {
  it.each<[string, Partial<CacheControl>]>([
    ['max-age=60, must-revalidate', { maxAge: 60, mustRevalidate: true }],
    ['max-age=99999999999', { maxAge: 2 ** 31 }],
    ['foobar, max-age=60;x=y', { maxAge: 60 }],
    ['foobar', {}],
    ['no-cache="Set-Cookie, b"', { noCacheFields: ['set-cookie', 'b'] }],
    ['private=a', { privateFields: ['a'] }],
    // The last one of a Dictionary's keys counts.
    ['max-age=1, max-age=60', { maxAge: 60 }],
    // A false is no directive.
    ['no-store=?0, max-age=60', { maxAge: 60 }],
    // Section 2.1: a value of another type is not consumed; what would be stricter holds.
    ['max-age="60"', { maxAge: 0 }],
    ['max-age=60.0', { maxAge: 0 }],
    ['max-age=-60', { maxAge: 0 }],
    ['max-age', { maxAge: 0 }],
    ['max-age=(60)', { maxAge: 0 }],
    ['stale-if-error="60", stale-while-revalidate', {}],
    ['public=1', {}],
    ['private=1', { private: true }],
    ['no-cache=(a b)', { noCache: true }],
    ['no-store="x"', { noStore: true }],
  ])('%s', (value, expected) => {
    expect(governing({ 'cdn-cache-control': value, 'cache-control': 'max-age=7' }, targets)).toEqual({
      directives: { ...nothing, ...expected },
      target: 'cdn-cache-control',
    });
  });

  it('is read in linear time, whatever it holds', () => {
    expectUnharmed((value) => governing({ 'cdn-cache-control': value }, targets));
  });
});
