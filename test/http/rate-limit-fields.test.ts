/** Shows that the fields for limits are written as draft-ietf-httpapi-ratelimit-headers-10 and RFC 9651 want them. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { problem } from '../../src/http/problem-details.ts';
import {
  formatRateLimit,
  formatRateLimitPolicy,
  policyNames,
  type QuotaPolicy,
  type ServiceLimit,
  wholeSeconds,
} from '../../src/http/rate-limit-fields.ts';
import { parseList } from '../../src/http/structured-fields.ts';

describe('RateLimit-Policy', () => {
  it.each<[QuotaPolicy[], string]>([
    [[{ name: 'burst', quota: 100, windowMs: 60_000 }], '"burst";q=100;w=60'],
    [
      [
        { name: 'permin', quota: 50, windowMs: 60_000 },
        { name: 'perhr', quota: 1000, windowMs: 3_600_000 },
      ],
      '"permin";q=50;w=60, "perhr";q=1000;w=3600',
    ],
    [[{ name: 'at once', quota: 5, unit: 'concurrent-requests' }], '"at once";q=5;qu="concurrent-requests"'],
    [[{ name: 'a"b', quota: 1, windowMs: 10 }], String.raw`"a\"b";q=1;w=1`],
    [[{ name: 'slow', quota: 2 ** 53 - 1, windowMs: 1001 }], '"slow";q=999999999999999;w=2'],
  ])('of %j is %s', (policies, field) => {
    expect(formatRateLimitPolicy(policies)).toBe(field);
  });
});

describe('RateLimit', () => {
  it.each<[ServiceLimit[], string]>([
    [[{ name: 'default', remaining: 50, resetMs: 30_000 }], '"default";r=50;t=30'],
    [[{ name: 'default', remaining: 0, resetMs: 1 }], '"default";r=0;t=1'],
    [[{ name: 'default', remaining: 9, resetMs: 0 }], '"default";r=9;t=0'],
    [[{ name: 'default', remaining: -3, resetMs: Infinity }], '"default";r=0'],
    [
      [
        { name: 'a', remaining: 1 },
        { name: 'b', remaining: 2, resetMs: 2000 },
      ],
      '"a";r=1, "b";r=2;t=2',
    ],
  ])('of %j is %s', (limits, field) => {
    expect(formatRateLimit(limits)).toBe(field);
  });

  it('can be read back, whatever the names and numbers are', () => {
    const name = fc.string({ unit: 'grapheme-ascii', minLength: 1 });
    const limit = fc.record({ name, remaining: fc.maxSafeNat(), resetMs: fc.double({ min: 0, noNaN: true }) });
    fc.assert(
      fc.property(fc.array(limit, { minLength: 1, maxLength: 5 }), (limits) => {
        const field = formatRateLimit(limits);
        expect(policyNames(field)).toEqual(limits.map((each) => each.name));
        for (const member of parseList(field) ?? []) expect(member.parameters.get('r')?.kind).toBe('integer');
      }),
    );
  });
});

describe('the names in a field', () => {
  it('are none without a field, and unknown where it is no list', () => {
    expect(policyNames(undefined)).toEqual([]);
    expect(policyNames('limit=100, remaining=5')).toBeUndefined();
  });
});

describe('whole seconds', () => {
  it.each([
    [0, '0'],
    [0.1, '1'],
    [1000, '1'],
    [1001, '2'],
    [-5, '0'],
  ])('of %d ms are %s', (ms, seconds) => {
    expect(wholeSeconds(ms)).toBe(seconds);
  });
});

describe('a problem', () => {
  it('has the type, the title and the status that the draft gives it', () => {
    const { status, body } = problem('quota-exceeded', 'Try again in 3 s.', ['burst']);
    expect(status).toBe(429);
    expect(JSON.parse(body)).toEqual({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      title: 'Quota Exceeded',
      status: 429,
      detail: 'Try again in 3 s.',
      'violated-policies': ['burst'],
    });
    expect(JSON.parse(problem('temporary-reduced-capacity', 'Busy.').body)).toEqual({
      type: 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity',
      title: 'Temporary Reduced Capacity',
      status: 503,
      detail: 'Busy.',
    });
    expect(JSON.parse(problem('forbidden', 'No.').body)).toMatchObject({ type: 'about:blank', title: 'Forbidden' });
  });
});
