/** Shows that the conditions of a request are evaluated in the order and by the comparisons of RFC 9110 section 13. */

import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import type { Fields } from '../../src/http/fields.ts';
import { conditionalFields, evaluate, type Precondition, type Selected } from '../../src/http/preconditions.ts';
import { anyValue, expectUnharmed } from './adversary.ts';

const second = 1000;
const changedAt = Date.UTC(2020, 0, 1);
const at = (ms: number) => new Date(ms).toUTCString();
const same = at(changedAt);
const earlier = at(changedAt - second);
const later = at(changedAt + second);

const selected = { etag: '"a"', lastModifiedMs: changedAt, dateMs: changedAt + 60 * second };
const weak = { ...selected, etag: 'W/"a"' };
const withoutEtag = { ...selected, etag: undefined };
const withoutDates = { etag: '"a"', lastModifiedMs: undefined, dateMs: undefined };
const withDateAlone = { etag: undefined, lastModifiedMs: undefined, dateMs: changedAt };

describe('a condition', () => {
  it.each<[clause: string, request: Fields, stored: Selected, Precondition]>([
    ['no condition at all', {}, selected, 'proceed'],

    ['13.1.2: the tag is listed', { 'if-none-match': '"a"' }, selected, 'not-modified'],
    ['13.1.2: the first of several', { 'if-none-match': '"a", "b", "c"' }, selected, 'not-modified'],
    ['13.1.2: one in the middle', { 'if-none-match': '"b", "a", "c"' }, selected, 'not-modified'],
    ['13.1.2: the last', { 'if-none-match': '"b", "c", "a"' }, selected, 'not-modified'],
    ['13.1.2: on several lines', { 'if-none-match': ['"b"', '"a"'] }, selected, 'not-modified'],
    ['13.1.2: the tag is not listed', { 'if-none-match': '"b"' }, selected, 'proceed'],
    ['13.1.2: by the weak comparison', { 'if-none-match': 'W/"a"' }, selected, 'not-modified'],
    ['13.1.2: a weak tag is stored', { 'if-none-match': '"a"' }, weak, 'not-modified'],
    ['13.1.2: there is an answer', { 'if-none-match': ' * ' }, withoutEtag, 'not-modified'],
    ['13.1.2: without a stored tag none is listed', { 'if-none-match': '"a"' }, withoutEtag, 'proceed'],
    ['8.8.3: a tag without quotes is none', { 'if-none-match': 'a' }, selected, 'proceed'],
    ['13.1.2: an empty list has none', { 'if-none-match': '' }, selected, 'proceed'],

    ['13.1.3: not changed since', { 'if-modified-since': same }, selected, 'not-modified'],
    ['13.1.3: changed before', { 'if-modified-since': later }, selected, 'not-modified'],
    ['13.1.3: changed since', { 'if-modified-since': earlier }, selected, 'proceed'],
    ['5.6.7: an rfc850 date', { 'if-modified-since': 'Wednesday, 01-Jan-20 00:00:00 GMT' }, selected, 'not-modified'],
    ['13.1.3: what is no date is ignored', { 'if-modified-since': 'yesterday' }, selected, 'proceed'],
    ['13.1.3: two dates are none', { 'if-modified-since': [same, same] }, selected, 'proceed'],
    ['13.1.3: without a date to compare with', { 'if-modified-since': later }, withoutDates, 'proceed'],
    ['9111 4.3.2: Date stands in for it', { 'if-modified-since': same }, withDateAlone, 'not-modified'],
    ['9111 4.3.2: Date is later', { 'if-modified-since': earlier }, withDateAlone, 'proceed'],

    ['13.1.3: the tag goes before', { 'if-none-match': '"b"', 'if-modified-since': later }, selected, 'proceed'],
    ['13.1.3: the tag goes before', { 'if-none-match': '"a"', 'if-modified-since': earlier }, selected, 'not-modified'],
    [
      '13.1.3: also without a stored tag',
      { 'if-none-match': '"a"', 'if-modified-since': later },
      withoutEtag,
      'proceed',
    ],

    ['13.1.1: the tag is listed', { 'if-match': '"b", "a"' }, selected, 'proceed'],
    ['13.1.1: the tag is not listed', { 'if-match': '"b"' }, selected, 'failed'],
    ['13.1.1: by the strong comparison', { 'if-match': 'W/"a"' }, selected, 'failed'],
    ['13.1.1: a weak tag is stored', { 'if-match': '"a"' }, weak, 'failed'],
    ['13.1.1: there is an answer', { 'if-match': '*' }, withoutEtag, 'proceed'],
    ['13.1.1: without a stored tag none is listed', { 'if-match': '"a"' }, withoutEtag, 'failed'],

    ['13.1.4: not changed since', { 'if-unmodified-since': same }, selected, 'proceed'],
    ['13.1.4: changed since', { 'if-unmodified-since': earlier }, selected, 'failed'],
    ['13.1.4: what is no date is ignored', { 'if-unmodified-since': '0' }, selected, 'proceed'],
    ['13.1.4: without a date to compare with', { 'if-unmodified-since': earlier }, withDateAlone, 'proceed'],
    ['13.1.4: the tag goes before', { 'if-match': '"a"', 'if-unmodified-since': earlier }, selected, 'proceed'],

    ['13.2.2: If-Match first', { 'if-match': '"b"', 'if-none-match': '"a"' }, selected, 'failed'],
    ['13.2.2: then If-None-Match', { 'if-match': '"a"', 'if-none-match': '"a"' }, selected, 'not-modified'],
    [
      '13.2.2: If-Unmodified-Since before If-None-Match',
      { 'if-unmodified-since': earlier, 'if-none-match': '"a"' },
      selected,
      'failed',
    ],
    [
      '13.2.2: then If-Modified-Since',
      { 'if-unmodified-since': same, 'if-modified-since': same },
      selected,
      'not-modified',
    ],
    ['13.2.2: a Range is none of them', { range: 'bytes=0-1', 'if-range': '"b"' }, selected, 'proceed'],
  ])('%s: %j', (_, request, stored, expected) => {
    expect(evaluate(request, stored)).toBe(expected);
  });

  it('is made by these fields alone', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), anyValue), (fields) => {
        const others = Object.entries(fields).filter(([name]) => !conditionalFields.includes(name));
        expect(evaluate(Object.fromEntries(others), selected)).toBe('proceed');
      }),
    );
  });

  it('is evaluated in linear time, whatever is in it', () => {
    for (const name of conditionalFields) {
      expectUnharmed((value) => evaluate({ [name]: value }, selected));
      expectUnharmed((etag) => evaluate({ [name]: '"a"' }, { ...selected, etag }));
    }
  });
});
