/** Shows what a stored response is worth to a request: RFC 9111 sections 4 and 5.2.1, RFC 5861, RFC 8246. */

import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import {
  currentAgeMs,
  decideReuse,
  type Fields,
  helpsOnError,
  parseCacheControl,
  requestDirectives,
  type Reuse,
  type Stock,
} from 'hotshelf/http';
import { expectUnharmed } from './adversary.ts';
import { now, ok, stored } from './heads.ts';

/** A response that was stored at `now`. */
function stock(cacheControl: string, fields: Fields = {}): Stock {
  return { ...stored(ok({ 'cache-control': cacheControl, etag: '"a"', ...fields })), respondedAt: now };
}

function reuse(of: Stock, request: string | undefined, seconds: number): Reuse {
  return decideReuse(of, request === undefined ? undefined : parseCacheControl(request), now + seconds * 1000);
}

describe('the current age (section 4.2.3)', () => {
  it('is the age on arrival and the time since', () => {
    expect(currentAgeMs(stock('max-age=60', { age: '7' }), now)).toBe(7000);
    expect(currentAgeMs(stock('max-age=60', { age: '7' }), now + 2500)).toBe(9500);
  });

  it('never falls below the age on arrival, if the clock is set back', () => {
    expect(currentAgeMs(stock('max-age=60', { age: '7' }), now - 5000)).toBe(7000);
  });
});

describe('a request', () => {
  it.each<[string, string, string | undefined, number, Reuse]>([
    ['4.2: fresh', 'max-age=60', undefined, 59.999, 'serve'],
    ['4.2: stale at the end of the lifetime', 'max-age=60', undefined, 60, 'revalidate'],
    ['4.2: no lifetime', 'max-age=0', undefined, 0, 'revalidate'],
    ['5.2.2.4: no-cache', 'max-age=60, no-cache', undefined, 0, 'revalidate'],
    ['5.2.2.4: qualified no-cache', 'max-age=60, no-cache="a"', undefined, 0, 'serve'],
    ['5.2.2.2: fresh with must-revalidate', 'max-age=60, must-revalidate', undefined, 59, 'serve'],
    ['5.2.2.2: stale with must-revalidate', 'max-age=60, must-revalidate', undefined, 60, 'revalidate'],
    ['5861 3: stale a little', 'max-age=60, stale-while-revalidate=30', undefined, 60, 'refresh'],
    ['5861 3: the last moment', 'max-age=60, stale-while-revalidate=30', undefined, 89.999, 'refresh'],
    ['5861 3: stale too long', 'max-age=60, stale-while-revalidate=30', undefined, 90, 'revalidate'],
    [
      '4.2.4: must-revalidate before 5861',
      'max-age=60, must-revalidate, stale-while-revalidate=30',
      undefined,
      61,
      'revalidate',
    ],
    ['5.2.2.10: s-maxage before 5861', 's-maxage=60, stale-while-revalidate=30', undefined, 61, 'revalidate'],

    ['5.2.1: no directives', 'max-age=60', '', 1, 'serve'],
    ['5.2.1.4: no-cache', 'max-age=60', 'no-cache', 1, 'revalidate'],
    [
      '5.2.1.4: no-cache of what may be refreshed',
      'max-age=60, stale-while-revalidate=30',
      'no-cache',
      61,
      'revalidate',
    ],
    ['5.2.1.5: no-store, of what is stored already', 'max-age=60', 'no-store', 1, 'serve'],
    ['5.2.1.1: max-age above the age', 'max-age=60', 'max-age=10', 10, 'serve'],
    ['5.2.1.1: max-age below the age', 'max-age=60', 'max-age=10', 10.001, 'revalidate'],
    ['5.2.1.1: max-age=0', 'max-age=60', 'max-age=0', 0, 'revalidate'],
    ['5.2.1.1: an invalid max-age', 'max-age=60', 'max-age=x', 0, 'revalidate'],
    ['5.2.1.1: max-age wants nothing stale', 'max-age=60, stale-while-revalidate=30', 'max-age=600', 61, 'revalidate'],
    ['5.2.1.3: min-fresh is left', 'max-age=60', 'min-fresh=50', 10, 'serve'],
    ['5.2.1.3: min-fresh is not left', 'max-age=60', 'min-fresh=50', 10.001, 'revalidate'],
    [
      '5.2.1.3: min-fresh wants nothing stale',
      'max-age=60, stale-while-revalidate=30',
      'min-fresh=0',
      61,
      'revalidate',
    ],
    ['5.2.1.2: max-stale', 'max-age=60', 'max-stale=10', 70, 'serve'],
    ['5.2.1.2: staler than max-stale', 'max-age=60', 'max-stale=10', 70.001, 'revalidate'],
    ['5.2.1.2: max-stale without a limit', 'max-age=60', 'max-stale', 1e9, 'serve'],
    ['5.2.1.2: an invalid max-stale', 'max-age=60', 'max-stale=x', 61, 'revalidate'],
    [
      '5.2.1.2: max-stale of what may be refreshed',
      'max-age=60, stale-while-revalidate=30',
      'max-stale=99',
      61,
      'refresh',
    ],
    ['5.2.1.2: max-stale with max-age above the age', 'max-age=60', 'max-stale=10, max-age=65', 64, 'serve'],
    ['5.2.1.2: max-stale with max-age below the age', 'max-age=60', 'max-stale=10, max-age=65', 66, 'revalidate'],
    ['4.2.4: max-stale against must-revalidate', 'max-age=60, must-revalidate', 'max-stale', 61, 'revalidate'],
    ['4.2.4: max-stale against proxy-revalidate', 'max-age=60, proxy-revalidate', 'max-stale', 61, 'revalidate'],
    ['4.2.4: max-stale against s-maxage', 's-maxage=60', 'max-stale', 61, 'revalidate'],
    ['4.2.4: max-stale against no-cache', 'max-age=60, no-cache', 'max-stale', 1, 'revalidate'],
    ['5.2.1.7: only-if-cached, fresh', 'max-age=60', 'only-if-cached', 1, 'serve'],
    ['5.2.1.7: only-if-cached, stale', 'max-age=60', 'only-if-cached', 61, 'unavailable'],
    ['5.2.1.7: only-if-cached and max-stale', 'max-age=60', 'only-if-cached, max-stale', 61, 'serve'],
    ['5.2.1.7: only-if-cached and no-cache', 'max-age=60', 'only-if-cached, no-cache', 1, 'unavailable'],
    ['8246 2: a reload of what is immutable', 'max-age=60, immutable', 'max-age=0', 1, 'serve'],
    ['8246 2: no-cache of what is immutable', 'max-age=60, immutable', 'no-cache', 1, 'revalidate'],
    ['8246 2: stale and immutable', 'max-age=60, immutable', 'max-age=0', 61, 'revalidate'],
    ['8246 2: stale, immutable, and max-stale', 'max-age=60, immutable', 'max-age=0, max-stale', 61, 'revalidate'],
  ])('%s', (_, response, request, seconds, expected) => {
    expect(reuse(stock(response), request, seconds)).toBe(expected);
  });

  it('counts the age on arrival', () => {
    const old = stock('max-age=1500', { age: '1000' });
    expect(reuse(old, undefined, 499)).toBe('serve');
    expect(reuse(old, undefined, 500)).toBe('revalidate');
    expect(reuse(old, 'min-fresh=1000', 0)).toBe('revalidate');
    expect(reuse(old, 'max-age=600', 0)).toBe('revalidate');
    expect(reuse(stock('max-age=1500', { age: '2000' }), 'max-stale=1000', 0)).toBe('serve');
  });
});

describe('the directives of a request', () => {
  it('are those of Cache-Control', () => {
    expect(requestDirectives({ 'cache-control': 'max-age=0' }).maxAge).toBe(0);
    expect(requestDirectives({})).toEqual(parseCacheControl(undefined));
  });

  it.each<[string, Fields, boolean]>([
    ['alone', { pragma: 'No-Cache' }, true],
    ['among others', { pragma: 'foo, no-cache' }, true],
    ['beside Cache-Control', { pragma: 'no-cache', 'cache-control': 'max-age=5' }, false],
    ['beside an empty Cache-Control', { pragma: 'no-cache', 'cache-control': '' }, false],
    ['with something else', { pragma: 'unrecognised-extension' }, false],
    ['in quotes', { pragma: 'foo="a, no-cache"' }, false],
  ])('come from Pragma only without Cache-Control (section 5.4): %s', (_, fields, noCache) => {
    expect(requestDirectives(fields)).toEqual({
      ...parseCacheControl(fields['cache-control'] === 'max-age=5' ? 'max-age=5' : ''),
      noCache,
    });
  });

  it('are read in linear time', () => {
    expectUnharmed((value) => requestDirectives({ 'cache-control': value }));
    expectUnharmed((value) => requestDirectives({ pragma: value }));
  });
});

describe('when the handler fails', () => {
  it.each<[string, string, string | undefined, number, boolean]>([
    ['5861 4: within stale-if-error', 'max-age=60, stale-if-error=90', undefined, 149.999, true],
    ['5861 4: after stale-if-error', 'max-age=60, stale-if-error=90', undefined, 150, false],
    ['5861 4: without stale-if-error', 'max-age=60', undefined, 60, false],
    ['5861 4: the request says it', 'max-age=60', 'stale-if-error=90', 149, true],
    ['5861 4: the response allows more', 'max-age=60, stale-if-error=90', 'stale-if-error=5', 149, true],
    ['5861 4: in spite of no-cache of the request', 'max-age=60, stale-if-error=90', 'no-cache', 61, true],
    ['fresh', 'max-age=60', 'no-cache', 59, true],
    ['fresh with must-revalidate', 'max-age=60, must-revalidate', 'no-cache', 59, true],
    ['4.2.4: must-revalidate', 'max-age=60, must-revalidate, stale-if-error=90', 'stale-if-error=90', 61, false],
    ['4.2.4: proxy-revalidate', 'max-age=60, proxy-revalidate, stale-if-error=90', 'stale-if-error=90', 61, false],
    ['4.2.4: s-maxage', 's-maxage=60, stale-if-error=90', 'stale-if-error=90', 61, false],
    ['4.2.4: no-cache', 'max-age=60, no-cache, stale-if-error=90', 'stale-if-error=90', 1, false],
  ])('%s', (_, response, request, seconds, expected) => {
    const directives = request === undefined ? undefined : parseCacheControl(request);
    expect(helpsOnError(stock(response), directives, now + seconds * 1000)).toBe(expected);
  });
});

it('nothing stale is served against the response, and nothing unasked for against the request', () => {
  const span = fc.integer({ min: 0, max: 100 });
  const flag = fc.boolean();
  const wish = fc.record(
    { maxAge: span, minFresh: span, maxStale: span, noCache: flag, onlyIfCached: flag },
    { requiredKeys: [] },
  );
  const case_ = fc.record({
    lifetime: span,
    age: span,
    swr: span,
    resident: span,
    must: flag,
    always: flag,
    wish: fc.option(wish),
  });
  fc.assert(
    fc.property(case_, ({ lifetime, age, swr, resident, must, always, wish }) => {
      const kept: Stock = {
        ...stock('max-age=1'),
        lifetimeMs: lifetime * 1000,
        ageMs: age * 1000,
        swrMs: must ? 0 : swr * 1000,
        revalidateAlways: always,
        mustRevalidate: must,
      };
      const request = wish === null ? undefined : { ...parseCacheControl(''), ...wish };
      const use = decideReuse(kept, request, now + resident * 1000);
      const total = age + resident;
      if (!(request?.onlyIfCached ?? false)) expect(use).not.toBe('unavailable');
      else expect(use).not.toBe('revalidate');
      if (use === 'revalidate' || use === 'unavailable') return;
      const stale = total - lifetime;
      expect(always).toBe(false);
      expect(request?.noCache === true).toBe(false);
      if (stale >= 0) {
        expect(must).toBe(false);
        expect(stale < swr || stale <= (request?.maxStale ?? -1)).toBe(true);
        expect(use).toBe(stale < swr ? 'refresh' : 'serve');
      }
      if (request?.maxAge !== undefined) expect(total).toBeLessThanOrEqual(request.maxAge);
      if (request?.minFresh !== undefined) expect(-stale).toBeGreaterThanOrEqual(request.minFresh);
    }),
    { numRuns: 10_000 },
  );
});
