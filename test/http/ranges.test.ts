/** Shows that a range is cut as RFC 9110 section 14 wants it, and that one that is not understood changes nothing. */

import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { contentRange, type RangeAnswer, selectRange } from '../../src/http/ranges.ts';
import { anyValue, expectUnharmed } from './adversary.ts';

const changedAt = Date.UTC(2020, 0, 1);
const selected = { etag: '"a"', lastModifiedMs: changedAt, dateMs: changedAt + 1000 };
const whole: RangeAnswer = { kind: 'whole' };
const unsatisfiable: RangeAnswer = { kind: 'unsatisfiable' };
const part = (start: number, end: number): RangeAnswer => ({ kind: 'part', start, end });

describe('a range of 10 bytes', () => {
  it.each<[range: string | undefined, RangeAnswer]>([
    [undefined, whole],
    // Section 14.1.2: the forms of a range.
    ['bytes=0-1', part(0, 1)],
    ['bytes=0-0', part(0, 0)],
    ['bytes=1-', part(1, 9)],
    ['bytes=-1', part(9, 9)],
    ['bytes=0-9', part(0, 9)],
    ['bytes=0-', part(0, 9)],
    ['bytes=00-01', part(0, 1)],
    // Section 14.1.2: the end is cut to what there is.
    ['bytes=5-100', part(5, 9)],
    ['bytes=-100', part(0, 9)],
    [`bytes=5-${'9'.repeat(400)}`, part(5, 9)],
    [`bytes=-${'9'.repeat(400)}`, part(0, 9)],
    // Section 14.1.2: nothing of it is there.
    ['bytes=10-', unsatisfiable],
    ['bytes=10-20', unsatisfiable],
    ['bytes=-0', unsatisfiable],
    [`bytes=${'9'.repeat(400)}-`, unsatisfiable],
    // Section 14.1: units have no case; section 5.6.1: empty members do not count.
    ['Bytes=0-1', part(0, 1)],
    ['bytes= 0-1 ', part(0, 1)],
    ['bytes=,0-1, ', part(0, 1)],
    // Section 14.2: what is not understood, or not wanted, is ignored.
    ['bytes=0-1,3-4', whole],
    ['bytes=20-30,40-50', whole],
    ['items=0-1', whole],
    ['bytes', whole],
    ['bytes=', whole],
    ['bytes=-', whole],
    ['bytes=--1', whole],
    ['bytes=1', whole],
    ['bytes=2-1', whole],
    ['bytes=20-19', whole],
    ['bytes=a-b', whole],
    ['bytes=0x0-1', whole],
    ['bytes=+0-1', whole],
    ['bytes=0.5-1', whole],
    ['bytes=1e0-2', whole],
    ['bytes=0 - 1', whole],
    ['bytes=0-1-2', whole],
    ['bytes 0-1', whole],
    ['', whole],
  ])('%j', (range, expected) => {
    expect(selectRange(range === undefined ? {} : { range }, 10, selected)).toEqual(expected);
  });

  it.each<[range: string, RangeAnswer]>([
    ['bytes=0-', unsatisfiable],
    ['bytes=-5', whole],
    ['bytes=-0', unsatisfiable],
  ])('of none: %j', (range, expected) => {
    expect(selectRange({ range }, 0, selected)).toEqual(expected);
  });

  it('is cut as Buffer.subarray() cuts', () => {
    fc.assert(
      fc.property(fc.nat({ max: 20 }), fc.nat({ max: 25 }), fc.nat({ max: 25 }), (length, start, more) => {
        const body = Buffer.from(Array.from({ length }, (_, index) => index));
        for (const [range, bytes] of [
          [`bytes=${start}-${start + more}`, body.subarray(start, start + more + 1)],
          [`bytes=${start}-`, body.subarray(start)],
          [`bytes=-${start + 1}`, body.subarray(-(start + 1))],
        ] as const) {
          const answer = selectRange({ range }, length, selected);
          if (answer.kind === 'part') expect(body.subarray(answer.start, answer.end + 1)).toEqual(bytes);
          else expect(bytes).toHaveLength(0);
        }
      }),
    );
  });
});

describe('If-Range', () => {
  const date = new Date(changedAt).toUTCString();

  // RFC 9110 section 13.1.5.
  it.each([
    ['the same strong tag', '"a"', selected, true],
    ['another tag', '"b"', selected, false],
    ['a weak tag', 'W/"a"', selected, false],
    ['a stored tag that is weak', '"a"', { ...selected, etag: 'W/"a"' }, false],
    ['no stored tag', '"a"', { ...selected, etag: undefined }, false],
    ['several tags', '"a", "b"', selected, false],
    ['the date of the last change', date, selected, true],
    ['a later date', new Date(changedAt + 1000).toUTCString(), selected, false],
    ['a date within whose second the answer was made', date, { ...selected, dateMs: changedAt + 999 }, false],
    ['a date, but none is stored', date, { ...selected, lastModifiedMs: undefined }, false],
    ['a date, but not when the answer was made', date, { ...selected, dateMs: undefined }, false],
    ['nonsense', 'x', selected, false],
    ['nothing', '', selected, false],
  ])('with %s', (_, ifRange, stored, holds) => {
    const answer = selectRange({ range: 'bytes=0-1', 'if-range': ifRange }, 10, stored);
    expect(answer).toEqual(holds ? part(0, 1) : whole);
    // Nor is a range refused that does not count.
    const beyond = selectRange({ range: 'bytes=10-', 'if-range': ifRange }, 10, stored);
    expect(beyond).toEqual(holds ? unsatisfiable : whole);
  });
});

describe('an answer to any range', () => {
  it('lies within the body, and is found in linear time', () => {
    expectUnharmed((range) => selectRange({ range }, 10, selected));
    expectUnharmed((ifRange) => selectRange({ range: 'bytes=0-1', 'if-range': ifRange }, 10, selected));
    fc.assert(
      fc.property(anyValue, anyValue, fc.boolean(), fc.nat({ max: 12 }), (range, ifRange, conditional, length) => {
        const answer = selectRange({ range, ...(conditional ? { 'if-range': ifRange } : {}) }, length, selected);
        if (answer.kind !== 'part') return;
        expect(answer.start).toBeGreaterThanOrEqual(0);
        expect(answer.end).toBeGreaterThanOrEqual(answer.start);
        expect(answer.end).toBeLessThan(length);
      }),
    );
  });

  // RFC 9110 section 14.4.
  it.each([
    [part(0, 1), 'bytes 0-1/10'],
    [unsatisfiable, 'bytes */10'],
    [whole, undefined],
  ])('%j has the Content-Range %j', (answer, expected) => {
    expect(contentRange(answer, 10)).toBe(expected);
  });
});
