/** Shows that lifetimes and ages are computed as RFC 9111 section 4.2 wants them. */

import { describe, expect, it } from 'vitest';
import { type Fields, initialAgeMs, type Lifetime, lifetimeOf } from 'hotshelf/http';
import { at, now, ok } from './heads.ts';

const rules = { targets: ['cdn-cache-control'], heuristic: true };

describe('the freshness lifetime', () => {
  it.each<[string, Fields, number, Lifetime['source']]>([
    ['4.2.1: s-maxage first', { 'cache-control': 'max-age=1, s-maxage=60', expires: at(9) }, 60, 's-maxage'],
    ['4.2.1: s-maxage, however short', { 'cache-control': 's-maxage=1, max-age=60' }, 1, 's-maxage'],
    ['4.2.1: s-maxage of another line', { 'cache-control': ['max-age=60', 's-maxage=1'] }, 1, 's-maxage'],
    ['4.2.1: then max-age', { 'cache-control': 'max-age=60', expires: at(-9) }, 60, 'max-age'],
    ['4.2.1: max-age with an invalid Expires', { 'cache-control': 'max-age=60', expires: '0' }, 60, 'max-age'],
    ['4.2.1: max-age=0 before a later Expires', { 'cache-control': 'max-age=0', expires: at(9) }, 0, 'max-age'],
    ['4.2.1: then Expires minus Date', { expires: at(60), date: at(-10) }, 70, 'expires'],
    ['4.2.1: Expires without a Date', { expires: at(60) }, 60, 'expires'],
    ['4.2.1: Expires with an invalid Date', { expires: at(10), date: 'foo' }, 10, 'expires'],
    ['4.2.1: Expires before Date, both fast', { expires: at(300), date: at(400) }, 0, 'expires'],
    ['5.3: Expires that is Date', { expires: at(0), date: at(0) }, 0, 'expires'],
    ['5.3: the invalid Expires "0"', { expires: '0', date: at(0) }, 0, 'expires'],
    ['5.3: the number 0 as Expires', { expires: 0, 'last-modified': at(-1000) }, 0, 'expires'],
    ['5.3: an empty Expires', { expires: '', 'last-modified': at(-1000) }, 0, 'expires'],
    ['4.2.1: two lines of Expires', { expires: [at(60), at(61)] }, 0, 'expires'],
    ['4.2: Expires in another zone', { expires: at(60).replace('GMT', 'UTC') }, 0, 'expires'],
    ['5.3: Expires without a case', { expires: at(60).toUpperCase() }, 60, 'expires'],
    [
      '9110 5.6.7: Expires in the form of RFC 850',
      { expires: 'Thursday, 18-Aug-50 02:01:18 GMT' },
      749_052_078,
      'expires',
    ],
    ['1.2.2: nothing above 2^31', { expires: 'Fri, 31 Dec 9999 23:59:59 GMT' }, 2 ** 31, 'expires'],
    ['4.2.1: an invalid max-age', { 'cache-control': 'max-age=x', expires: at(9) }, 0, 'max-age'],
    ['4.2.1: an invalid s-maxage', { 'cache-control': 's-maxage=x, max-age=9' }, 0, 's-maxage'],
    [
      '9213 2.2: a target before all',
      { 'cdn-cache-control': 'max-age=60', 'cache-control': 's-maxage=9' },
      60,
      'targeted',
    ],
    ['9213 2.2: a target that says 0', { 'cdn-cache-control': 'max-age=0', expires: at(9) }, 0, 'targeted'],
    ['9213 2.2: a target that says nothing', { 'cdn-cache-control': 'foo', expires: at(9) }, 0, 'none'],
    ['4.2.2: a tenth of the time unchanged', { 'last-modified': at(-100), date: at(0) }, 10, 'heuristic'],
    ['4.2.2: without a Date', { 'last-modified': at(-100) }, 10, 'heuristic'],
    ['4.2.2: modified in the future', { 'last-modified': at(100) }, 0, 'heuristic'],
    ['4.2.2: at most a day', { 'last-modified': at(-1e8) }, 86_400, 'heuristic'],
    ['4.2.2: an invalid Last-Modified', { 'last-modified': 'yesterday' }, 0, 'none'],
    ['nothing at all', {}, 0, 'none'],
  ])('%s', (_, fields, seconds, source) => {
    expect(lifetimeOf(ok(fields), rules, now)).toEqual({ ms: seconds * 1000, source });
  });

  const modified = { 'last-modified': at(-86_400), date: at(0) };

  // RFC 9110 section 15.1.
  it.each([200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501])('may be a heuristic one for %i', (status) => {
    expect(lifetimeOf({ status, fields: modified }, rules, now)).toEqual({ ms: 8_640_000, source: 'heuristic' });
  });

  it.each([201, 202, 302, 303, 307, 400, 403, 500, 502, 503, 504, 599])(
    'is a heuristic one for %i only where it is public (RFC 9111 section 4.2.2)',
    (status) => {
      expect(lifetimeOf({ status, fields: modified }, rules, now).source).toBe('none');
      const fields = { ...modified, 'cache-control': 'public' };
      expect(lifetimeOf({ status, fields }, rules, now)).toEqual({ ms: 8_640_000, source: 'heuristic' });
    },
  );

  it('is no heuristic one where the rules want none', () => {
    expect(lifetimeOf(ok(modified), { ...rules, heuristic: false }, now)).toEqual({ ms: 0, source: 'none' });
  });
});

describe('the age on arrival (RFC 9111 section 4.2.3)', () => {
  it.each<[string, Fields, number]>([
    ['nothing is said', {}, 0],
    ['Age says it', { age: '30', date: at(0) }, 30],
    ['Age is a number', { age: 30 }, 30],
    ['Date says it', { date: at(-7200) }, 7200],
    ['both say it: the larger one', { age: '25', date: at(-10) }, 25],
    ['both say it: the larger one', { age: '5', date: at(-10) }, 10],
    ['Date is in the future', { age: '15', date: at(10) }, 15],
    ['Date is invalid', { date: 'foo' }, 0],
    // Section 5.1: the first member of a list, and what is no number of seconds is ignored.
    ['Age has two lines, the first one old', { age: ['7200', '0'] }, 7200],
    ['Age has two lines, the first one new', { age: ['0', '7200'] }, 0],
    ['Age is a list', { age: '3600, 3600' }, 3600],
    ['Age is no number', { age: 'abc' }, 0],
    ['Age is negative', { age: '-7200' }, 0],
    ['Age is a decimal', { age: '7200.0' }, 0],
    ['Age has a parameter', { age: '7200;foo=bar' }, 0],
    ['Age is empty', { age: '' }, 0],
    ['Age is above 2^31', { age: '99999999999' }, 2 ** 31],
  ])('where %s', (_, fields, seconds) => {
    expect(initialAgeMs(fields, now, now)).toBe(seconds * 1000);
  });

  it('counts the time from the request to the response', () => {
    expect(initialAgeMs({ age: '30' }, now - 1500, now)).toBe(31_500);
    expect(initialAgeMs({ age: '30', date: at(-40) }, now - 1500, now)).toBe(40_000);
  });

  it('takes no age from the fraction of a second that a Date cannot have', () => {
    expect(initialAgeMs({ date: at(0) }, now + 999, now + 999)).toBe(0);
    expect(initialAgeMs({ date: at(0) }, now + 1000, now + 1000)).toBe(1000);
  });

  it('takes no age from a clock that was set back', () => {
    expect(initialAgeMs({}, now + 5000, now)).toBe(0);
  });
});
