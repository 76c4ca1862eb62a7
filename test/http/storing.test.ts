/** Shows what is stored, and for how long it may be used in which way: RFC 9111 section 3, RFC 5861, RFC 6585. */

import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { type Fields, governing, planStorage, type StoreRefusal, type StoreRules } from 'hotshelf/http';
import { anyValue, expectUnharmed } from './adversary.ts';
import { at, everything, get, now, ok, planned, stored, strict } from './heads.ts';

const etag = { etag: '"abcd"' };

describe('a response is stored', () => {
  it('with all that a hit needs to know', () => {
    const fields = {
      'cache-control': 'max-age=60, stale-while-revalidate=30, stale-if-error=90, immutable',
      vary: 'Foo, accept, FOO',
      age: '7',
    };
    expect(planned(ok(fields))).toEqual({
      lifetimeMs: 60_000,
      ageMs: 7000,
      swrMs: 30_000,
      sieMs: 90_000,
      revalidateAlways: false,
      mustRevalidate: false,
      immutable: true,
      keepMs: 90_000,
      vary: ['accept', 'foo'],
    });
  });

  it.each<[string, Fields, Partial<StoreRules>]>([
    ['max-age', { 'cache-control': 'max-age=1' }, {}],
    ['s-maxage', { 'cache-control': 's-maxage=1' }, {}],
    ['Expires', { expires: at(1) }, {}],
    [
      'a targeted field, even with no-store (9213 2.2)',
      { 'cdn-cache-control': 'max-age=1', 'cache-control': 'no-store' },
      {},
    ],
    ['a stale one with a validator', { 'cache-control': 'max-age=0', ...etag }, {}],
    ['a stale one with Last-Modified', { expires: at(-5000), 'last-modified': at(-9000) }, {}],
    ['an old one with a validator', { 'cache-control': 'max-age=60', age: '99999', ...etag }, {}],
    ['a stale one that may help on errors', { 'cache-control': 'max-age=0, stale-if-error=1' }, {}],
    ['no-cache with a validator', { 'cache-control': 'no-cache', ...etag }, {}],
    ['public with a validator', { 'cache-control': 'public', ...etag }, {}],
    ['private fields only (5.2.2.7)', { 'cache-control': 'max-age=1, private="a"' }, {}],
    ['a validator, where the heuristic is on', { 'last-modified': at(0) }, { heuristic: true }],
    ['must-understand beside no-store (5.2.2.3)', { 'cache-control': 'must-understand, no-store, max-age=1' }, {}],
    ['Pragma, which a response does not have (5.4)', { 'cache-control': 'max-age=1', pragma: 'no-cache' }, {}],
    ['a ttl in code', {}, { ttlMs: 1 }],
  ])('that has %s', (_, fields, rules) => {
    expect(planned(ok(fields), rules)).toBeTypeOf('object');
  });

  // RFC 9111 section 3: any final status, with a lifetime of its own.
  it.each([200, 203, 204, 299, 301, 302, 303, 307, 308, 400, 404, 410, 499])('with the status %i', (status) => {
    expect(planned({ status, fields: { expires: at(9), date: at(0) } })).toBeTypeOf('object');
  });

  it.each([500, 501, 502, 503, 504, 599])('with the status %i only where errors are stored', (status) => {
    const response = { status, fields: { expires: at(9), date: at(0) } };
    expect(planned(response)).toBe('status');
    expect(planned(response, { storeErrors: true })).toBeTypeOf('object');
  });
});

describe('a response is refused', () => {
  it.each<[string, StoreRefusal, Fields]>([
    ['no-store (5.2.2.5)', 'no-store', { 'cache-control': 'No-StOrE' }],
    ['no-store beside a lifetime', 'no-store', { 'cache-control': 'max-age=10000, no-store', expires: at(10_000) }],
    ['no-store of a target', 'no-store', { 'cdn-cache-control': 'no-store', 'cache-control': 'max-age=10000' }],
    ['no-store after a broken quote', 'no-store', { 'cache-control': 'max-age=9, x="a, no-store', ...etag }],
    ['private (5.2.2.7)', 'private', { 'cache-control': 'private, max-age=3600' }],
    ['private of a target', 'private', { 'cdn-cache-control': 'private', 'cache-control': 'max-age=10000' }],
    ['Set-Cookie', 'set-cookie', { 'cache-control': 'public, max-age=3600', 'set-cookie': ['a=b'] }],
    ['an empty Set-Cookie', 'set-cookie', { 'cache-control': 'public, max-age=3600', 'set-cookie': '' }],
    ['Vary: * (4.1)', 'vary', { 'cache-control': 'max-age=1', vary: '*' }],
    ['Vary: *, *', 'vary', { 'cache-control': 'max-age=1', vary: '*, *' }],
    ['Vary: *, Foo', 'vary', { 'cache-control': 'max-age=1', vary: '*, Foo' }],
    ['Vary: Foo, *', 'vary', { 'cache-control': 'max-age=1', vary: 'Foo, *' }],
    ['Vary: , *', 'vary', { 'cache-control': 'max-age=1', vary: ', *' }],
    ['* on another line of Vary', 'vary', { 'cache-control': 'max-age=1', vary: ['', '*'] }],
    ['a Vary that names no field', 'vary', { 'cache-control': 'max-age=1', vary: 'Foo Bar' }],
    ['nothing at all', 'no-lifetime', {}],
    ['a validator and no word about caches', 'no-lifetime', { ...etag, 'last-modified': at(-1000) }],
    ['no lifetime and no validator', 'no-lifetime', { 'cache-control': 'max-age=0' }],
    ['a lifetime below its age', 'no-lifetime', { 'cache-control': 'max-age=3600', age: '7200' }],
    ['an Expires of the past', 'no-lifetime', { expires: at(-9), date: at(0) }],
    ['no-cache and no validator', 'no-lifetime', { 'cache-control': 'max-age=10000, no-cache' }],
    ['no-cache and an empty ETag', 'no-lifetime', { 'cache-control': 'no-cache', etag: '' }],
    ['no-cache and an invalid Last-Modified', 'no-lifetime', { 'cache-control': 'no-cache', 'last-modified': 'x' }],
    [
      'must-revalidate beside stale-if-error',
      'no-lifetime',
      { 'cache-control': 'max-age=0, must-revalidate, stale-if-error=9' },
    ],
  ])('with %s', (_, refusal, fields) => {
    expect(planned(ok(fields))).toBe(refusal);
  });

  // RFC 9110 section 15.4.5: a 304 says that there would be a 200 now, and confirms nothing else.
  it.each([203, 404, 410])('with the status %i and nothing but a validator to keep it for', (status) => {
    const fields = { 'cache-control': 'max-age=0', ...etag, 'last-modified': at(-9000) };
    expect(planned({ status, fields })).toBe('no-lifetime');
    expect(planned(ok(fields))).toBeTypeOf('object');
  });

  it.each(['POST', 'HEAD', 'PUT', 'get', ''])('to the method %j (section 3)', (method) => {
    expect(planned(ok({ 'cache-control': 'max-age=1' }), {}, { method, fields: {} })).toBe('method');
  });

  // RFC 9111 section 4.3.4, RFC 9110 sections 13.1 and 14.2, RFC 6585 sections 3 to 6; no final status; no status.
  it.each([304, 412, 416, 428, 429, 431, 511, 100, 103, 199, 600, 0, Number.NaN])('with the status %d', (status) => {
    expect(planned({ status, fields: { 'cache-control': 'public, max-age=1', ...etag } }, everything)).toBe('status');
  });

  it('with a part only (section 3.3)', () => {
    expect(planned({ status: 206, fields: { 'cache-control': 'public, max-age=1' } }, everything)).toBe('partial');
  });

  it.each([599, 299, 499])('with must-understand and the unknown status %i (5.2.2.3)', (status) => {
    expect(planned({ status, fields: { 'cache-control': 'max-age=3600, must-understand' } }, everything)).toBe(
      'status',
    );
  });

  it.each([201, 202, 302, 403, 502, 599])('without a lifetime, with the status %i (section 3)', (status) => {
    const fields = { 'last-modified': at(-86_400), date: at(0), ...etag };
    expect(planned({ status, fields }, everything)).toBe('no-lifetime');
    expect(planned({ status, fields: { ...fields, 'cache-control': 'no-cache' } }, everything)).toBe('no-lifetime');
    expect(planned({ status, fields: { ...fields, 'cache-control': 'public' } }, everything)).toBeTypeOf('object');
  });

  it('to a request with no-store, where its directives are honoured (5.2.1.5)', () => {
    const request = { method: 'GET', fields: { 'cache-control': 'no-store' } };
    expect(planned(ok({ 'cache-control': 'max-age=1' }), {}, request)).toBeTypeOf('object');
    expect(planned(ok({ 'cache-control': 'max-age=1' }), { requestDirectives: true }, request)).toBe('no-store');
  });
});

describe('a response to a request with Authorization (section 3.5)', () => {
  const request = { method: 'GET', fields: { authorization: 'Bearer x' } };

  it.each(['max-age=60', 'max-age=60, proxy-revalidate', 'max-age=60, no-cache="a"', 'max-age=60, public=no'])(
    'is refused with %s',
    (value) => {
      expect(planned(ok({ 'cache-control': value, ...etag }), {}, request)).toBe('authorization');
      expect(planned(ok({ 'cache-control': value, ...etag }), { ttlMs: 60_000 }, request)).toBe('authorization');
      expect(planned(ok({ 'cache-control': value, ...etag }), { authorized: true }, request)).toBeTypeOf('object');
    },
  );

  it.each(['max-age=60, public', 's-maxage=60', 'max-age=60, must-revalidate'])('is stored with %s', (value) => {
    expect(planned(ok({ 'cache-control': value }), {}, request)).toBeTypeOf('object');
    expect(planned(ok({ 'cdn-cache-control': value }), {}, request)).toBeTypeOf('object');
  });

  it('is refused if only the field that does not govern allows it', () => {
    expect(planned(ok({ 'cdn-cache-control': 'max-age=60', 'cache-control': 'public' }), {}, request)).toBe(
      'authorization',
    );
  });
});

describe('a stale response', () => {
  const both = 'stale-while-revalidate=30, stale-if-error=90';

  // RFC 9111 section 4.2.4; section 5.2.2.10 for s-maxage.
  it.each(['must-revalidate', 'proxy-revalidate', 's-maxage=2', 'no-cache'])('is never served with %s', (directive) => {
    const response = ok({ 'cache-control': `max-age=2, ${both}, ${directive}`, ...etag });
    expect(stored(response)).toMatchObject({ swrMs: 0, sieMs: 0, mustRevalidate: true, keepMs: strict.keepStaleMs });
    expect(stored(response, { graceMs: 5000, swrMs: 5000 })).toMatchObject({ swrMs: 0, sieMs: 0 });
  });

  it('may be served for as long as the response says, else as the code says', () => {
    const said = ok({ 'cache-control': `max-age=2, ${both}` });
    const silent = ok({ 'cache-control': 'max-age=2' });
    const code = { graceMs: 5000, swrMs: 4000 };
    expect(stored(said)).toMatchObject({ swrMs: 30_000, sieMs: 90_000, keepMs: 90_000 });
    expect(stored(said, code)).toMatchObject({ swrMs: 30_000, sieMs: 90_000, keepMs: 90_000 });
    expect(stored(silent, code)).toMatchObject({ swrMs: 4000, sieMs: 5000, keepMs: 5000 });
    expect(stored(silent)).toMatchObject({ swrMs: 0, sieMs: 0, keepMs: 0 });
  });

  it('is kept for a revalidation, from now on where it is stale already', () => {
    expect(stored(ok({ 'cache-control': 'max-age=2', ...etag })).keepMs).toBe(600_000);
    expect(stored(ok({ 'cache-control': 'max-age=2', age: '1000', ...etag })).keepMs).toBe(600_000 + 998_000);
  });

  it('is kept for requests with max-stale, where their directives are honoured', () => {
    expect(stored(ok({ 'cache-control': 'max-age=2' }), { requestDirectives: true }).keepMs).toBe(600_000);
    expect(stored(ok({ 'cache-control': 's-maxage=2' }), { requestDirectives: true }).keepMs).toBe(0);
  });
});

describe('a ttl in code', () => {
  const code = { ttlMs: 60_000, graceMs: 5000, swrMs: 4000 };

  it.each<[string, Fields]>([
    ['nothing', {}],
    ['a shorter lifetime', { 'cache-control': 'max-age=1' }],
    ['a longer lifetime', { 'cache-control': 's-maxage=3600' }],
    ['no lifetime', { 'cache-control': 'max-age=0' }],
    ['an Expires of the past', { expires: '0' }],
    ['other spans', { 'cache-control': 'stale-while-revalidate=30, stale-if-error=90' }],
  ])('counts instead of %s', (_, fields) => {
    expect(stored(ok(fields), code)).toMatchObject({
      lifetimeMs: 60_000,
      swrMs: 4000,
      sieMs: 5000,
      mustRevalidate: false,
    });
  });

  it('counts from the arrival, and leaves the age true', () => {
    const plan = stored(ok({ 'cache-control': 'max-age=10', age: '500' }), code);
    expect(plan).toMatchObject({ ageMs: 500_000, lifetimeMs: 560_000 });
  });

  it.each<[StoreRefusal, Fields]>([
    ['no-store', { 'cache-control': 'no-store' }],
    ['private', { 'cache-control': 'private' }],
    ['set-cookie', { 'set-cookie': 'a=b' }],
    ['vary', { vary: '*' }],
    ['no-lifetime', { 'cache-control': 'no-cache' }],
  ])('stores nothing in spite of %s', (refusal, fields) => {
    expect(planned(ok(fields), code)).toBe(refusal);
  });

  it('leaves must-revalidate and no-cache in force', () => {
    expect(stored(ok({ 'cache-control': 'must-revalidate' }), code)).toMatchObject({ mustRevalidate: true, sieMs: 0 });
    expect(stored(ok({ 'cache-control': 'no-cache', ...etag }), code).revalidateAlways).toBe(true);
  });

  it.each([200, 204, 301, 308, 404, 410])('stores the status %i', (status) => {
    expect(planned({ status, fields: {} }, code)).toBeTypeOf('object');
  });

  it.each([201, 302, 307, 400, 401, 403, 429, 500, 503])('is not for the status %i', (status) => {
    expect(planned({ status, fields: { 'last-modified': at(-9e6) } }, { ...code, heuristic: true })).toBe('status');
  });

  it.each<Fields>([
    { 'cache-control': 'max-age=0' },
    { 'cache-control': 'public, max-age=0' },
    { 'cache-control': 'max-age=soon' },
    { expires: '0' },
  ])('is not for a redirect or a 403 that has no lifetime: %j', (fields) => {
    for (const status of [302, 403]) expect(planned({ status, fields }, code)).toBe('status');
  });

  it('is for any status that is public or has a lifetime of its own', () => {
    expect(planned({ status: 403, fields: { 'cache-control': 'public' } }, code)).toMatchObject({ lifetimeMs: 60_000 });
    expect(planned({ status: 302, fields: { 'cache-control': 'max-age=5' } }, code)).toMatchObject({
      lifetimeMs: 60_000,
    });
  });
});

/** Heads as an application, or somebody with bad intentions, could write them. */
const harmless = `max-age=5, max-age=70, max-age="9", s-maxage=3, no-cache="set-cookie", public, must-revalidate,
  proxy-revalidate, immutable, stale-while-revalidate=4, stale-if-error=8, MAX-AGE=6`.split(/,\s+/);
const others = ['max-age=x', 's-maxage=-1', 'no-cache', 'no-store', 'private', 'must-understand', 'x="a, b"', '"'];
const directive = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...harmless) },
  { weight: 1, arbitrary: fc.constantFrom(...others) },
);
const cacheControl = fc.array(directive, { maxLength: 4 }).map((directives) => directives.join(', '));
const date = fc.oneof(fc.integer({ min: -99, max: 99 }).map(at), fc.constantFrom('0', 'foo', ''));
const responseFields: fc.Arbitrary<Fields> = fc.record(
  {
    'cache-control': fc.oneof(cacheControl, cacheControl, fc.array(cacheControl, { maxLength: 3 }), anyValue),
    'cdn-cache-control': fc.oneof(cacheControl, anyValue),
    expires: date,
    date,
    'last-modified': date,
    age: fc.constantFrom('0', '3', '40', 'x', '1, 2', '-1'),
    etag: fc.constantFrom('"a"', 'W/"a"', '', 'a'),
    vary: fc.oneof({ weight: 4, arbitrary: fc.constantFrom('*', 'Foo', 'foo, bar', '') }, anyValue),
    'set-cookie': fc.constantFrom(undefined, undefined, undefined, 'a=b', ''),
  },
  { requiredKeys: [] },
);
const requestFields: fc.Arbitrary<Fields> = fc.record(
  { authorization: fc.constantFrom('Bearer x', ''), 'cache-control': cacheControl, cookie: fc.constant('a=b') },
  { requiredKeys: [] },
);
const status = fc.oneof({ weight: 4, arbitrary: fc.constant(200) }, fc.integer({ min: 99, max: 601 }));
const rulesOf = fc.record({ heuristic: fc.boolean(), storeErrors: fc.boolean(), requestDirectives: fc.boolean() });

describe('whatever is asked and answered', () => {
  it('nothing is stored against its directives, and nothing is fresher than it says', () => {
    let storedOnes = 0;
    const pair = fc.tuple(requestFields, status, responseFields, rulesOf, fc.integer({ min: 0, max: 5000 }));
    fc.assert(
      fc.property(pair, ([asked, code, fields, flags, tookMs]) => {
        const rules = { ...strict, ...flags };
        const times = { requestedAt: now - tookMs, respondedAt: now };
        const plan = planStorage({ method: 'GET', fields: asked }, { status: code, fields }, rules, times);
        if (typeof plan === 'string') return;
        storedOnes++;
        const { directives, target } = governing(fields, rules.targets);

        expect(directives.private).toBe(false);
        expect(directives.noStore && !directives.mustUnderstand).toBe(false);
        expect(fields['set-cookie']).toBeUndefined();
        expect(plan.vary).not.toContain('*');
        if (asked['authorization'] !== undefined) {
          expect(directives.public || directives.mustRevalidate || directives.sMaxage !== undefined).toBe(true);
        }
        if (code >= 500) expect(rules.storeErrors).toBe(true);

        const allowed = directives.sMaxage ?? directives.maxAge;
        if (allowed !== undefined) expect(plan.lifetimeMs).toBe(allowed * 1000);
        // The dates above are at most 198 s apart, and a tenth of that is a heuristic.
        else if (fields['expires'] !== undefined && target === undefined)
          expect(plan.lifetimeMs).toBeLessThanOrEqual(198_000);
        else expect(plan.lifetimeMs).toBeLessThanOrEqual(rules.heuristic ? 19_800 : 0);
        expect(plan.ageMs).toBeGreaterThanOrEqual(tookMs);
        if (plan.mustRevalidate) expect(plan.swrMs + plan.sieMs).toBe(0);
        for (const ms of [plan.lifetimeMs, plan.ageMs, plan.swrMs, plan.sieMs, plan.keepMs]) {
          expect(Number.isFinite(ms) && ms >= 0).toBe(true);
        }
      }),
      { numRuns: 10_000 },
    );
    // The pairs are not all refused.
    expect(storedOnes).toBeGreaterThan(1000);
  });

  it('it is read in linear time', () => {
    for (const name of [
      'cache-control',
      'cdn-cache-control',
      'expires',
      'date',
      'age',
      'vary',
      'last-modified',
      'etag',
    ]) {
      expectUnharmed((value) => planned(ok({ 'cache-control': 'max-age=60', [name]: value }), everything));
    }
    expectUnharmed((value) =>
      planned(ok({ 'cache-control': 'max-age=60' }), everything, { ...get, fields: { 'cache-control': value } }),
    );
  });
});
