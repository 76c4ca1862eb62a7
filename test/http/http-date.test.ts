/** Shows that dates are read and written as RFC 9110 section 5.6.7 and RFC 9111 section 4.2 want them. */

import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { formatHttpDate, parseHttpDate } from 'hotshelf/http';
import { expectUnharmed } from './adversary.ts';

const example = Date.UTC(1994, 10, 6, 8, 49, 37);
const now = Date.UTC(2026, 10, 22);

describe('an HTTP date', () => {
  it.each([
    ['Sun, 06 Nov 1994 08:49:37 GMT', example],
    ['Sunday, 06-Nov-94 08:49:37 GMT', example],
    ['Sun Nov  6 08:49:37 1994', example],
    ['Thu Aug 18 02:01:18 2050', Date.UTC(2050, 7, 18, 2, 1, 18)],
    // RFC 9111 section 4.2: without regard to case.
    ['SUN, 06 nov 1994 08:49:37 gMT', example],
    ['Thu, 29 Feb 2024 00:00:00 GMT', Date.UTC(2024, 1, 29)],
    ['Sat, 31 Dec 2016 23:59:60 GMT', Date.UTC(2017, 0, 1)],
    ['Thu, 01 Jan 0050 00:00:00 GMT', new Date('0050-01-01T00:00:00Z').getTime()],
  ])('%s is read', (text, at) => {
    expect(parseHttpDate(text)).toBe(at);
  });

  it.each([
    undefined,
    '',
    '0',
    '-1',
    'foo',
    '784111777',
    '1994-11-06T08:49:37Z',
    ' Sun, 06 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 GMT ',
    'Sun 06 Nov 1994 08:49:37 GMT',
    'Sun, 06  Nov  1994 08:49:37 GMT',
    'Sun, 06-Nov-1994 08:49:37 GMT',
    'Sun, 06 Nov 94 08:49:37 GMT',
    'Sun, 06 Nov 1994 8:49:37 GMT',
    'Sun, 06 Nov 1994 08.49.37 GMT',
    // RFC 9111 section 4.2: no other zone.
    'Sun, 06 Nov 1994 08:49:37 UTC',
    'Sun, 06 Nov 1994 08:49:37 AEST',
    'Sun, 06 Nov 1994 08:49:37 +0000',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 31 Nov 1994 08:49:37 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Thu, 29 Feb 2023 00:00:00 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:37 GMT',
    'Sun, 06 Nov 1994 08:49:61 GMT',
    'Son, 06 Nov 1994 08:49:37 GMT',
    'Sun, 06 Okt 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
  ])('%j is none', (text) => {
    expect(parseHttpDate(text)).toBeUndefined();
    expect(parseHttpDate(text, now)).toBeUndefined();
  });

  // RFC 9110 section 5.6.7: more than 50 years ahead is in the past.
  it.each([
    ['Thursday, 18-Aug-50 02:01:18 GMT', now, 2050],
    ['Sunday, 22-Nov-76 00:00:00 GMT', now, 2076],
    ['Sunday, 23-Nov-76 00:00:00 GMT', now, 1976],
    ['Sunday, 06-Nov-94 08:49:37 GMT', now, 1994],
    ['Sunday, 06-Nov-05 08:49:37 GMT', Date.UTC(2099, 0, 1), 2005],
    ['Sunday, 06-Nov-69 08:49:37 GMT', undefined, 2069],
    ['Sunday, 06-Nov-70 08:49:37 GMT', undefined, 1970],
  ])('%s, read at %s, is in %s', (text, at, year) => {
    expect(new Date(parseHttpDate(text, at) ?? 0).getUTCFullYear()).toBe(year);
  });

  it('comes back in whole seconds from its text', () => {
    fc.assert(
      fc.property(fc.integer({ min: -30_000_000_000_000, max: 253_402_300_799_999 }), (ms) => {
        expect(parseHttpDate(formatHttpDate(ms))).toBe(
          Math.trunc(ms / 1000) * 1000 - (ms < 0 && ms % 1000 !== 0 ? 1000 : 0),
        );
      }),
    );
    expect(formatHttpDate(example + 999)).toBe('Sun, 06 Nov 1994 08:49:37 GMT');
  });

  it('can be written for any number', () => {
    expect(formatHttpDate(Number.NaN)).toBe('Thu, 01 Jan 1970 00:00:00 GMT');
    expect(formatHttpDate(Number.POSITIVE_INFINITY)).toBe('Fri, 31 Dec 9999 23:59:59 GMT');
    expect(parseHttpDate(formatHttpDate(Number.NEGATIVE_INFINITY))).toBe(Date.UTC(1000, 0, 1));
  });

  it('is read in linear time, whatever it holds', () => {
    expectUnharmed((value) => parseHttpDate(value));
    expectUnharmed((value) => parseHttpDate(`Sun, ${value}`, now));
  });
});
