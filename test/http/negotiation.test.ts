/** Shows that codings and languages are weighed as RFC 9110 sections 12.5.3 and 12.5.4 say. */

import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { acceptsCoding, chooseCoding, type Coding, preferredLanguage } from '../../src/http/negotiation.ts';
import { anyValue, expectUnharmed } from './adversary.ts';

type Weights = readonly [br: number, gzip: number, identity: number];
const codings: readonly Coding[] = ['br', 'gzip', 'identity'];
const least = 0.001;

function fieldsOf(list: string | undefined) {
  return list === undefined ? {} : { 'accept-encoding': list };
}

describe('Accept-Encoding', () => {
  it.each<[list: string | undefined, Weights]>([
    // Absent: any coding is acceptable. Empty: none is wanted.
    [undefined, [1, 1, 1]],
    ['', [0, 0, 1]],
    [' , ', [0, 0, 1]],
    // The examples of the section.
    ['compress, gzip', [0, 1, least]],
    ['*', [1, 1, 1]],
    ['compress;q=0.5, gzip;q=1.0', [0, 1, least]],
    ['gzip;q=1.0, identity; q=0.5, *;q=0', [0, 1, 0.5]],
    // Identity is refused only in these two ways.
    ['identity;q=0', [0, 0, 0]],
    ['*;q=0', [0, 0, 0]],
    ['*;q=0, identity', [0, 0, 1]],
    ['gzip;q=0', [0, 0, least]],
    // "*" stands for what is not named.
    ['br;q=0.2, *;q=0.7', [0.2, 0.7, 0.7]],
    ['br;q=0, *', [0, 1, 1]],
    // No case, blanks around the semicolon, and the old name (section 8.4.1.3).
    ['GZIP ; Q=0.123', [0, 0.123, least]],
    ['x-gzip;q=0.4', [0, 0.4, least]],
    ['gzip, deflate, br', [1, 1, least]],
    ['br;q=1.000, gzip;q=0.', [1, 0, least]],
    // What is named twice counts for the less.
    ['gzip;q=0.9, gzip;q=0.1', [0, 0.1, least]],
    ['gzip;q=0, gzip', [0, 0, least]],
    // A weight that cannot be read refuses (section 12.4.2).
    ['gzip;q=2', [0, 0, least]],
    ['gzip;q=0.1234', [0, 0, least]],
    ['gzip;q=-1', [0, 0, least]],
    ['gzip;q=.5', [0, 0, least]],
    ['gzip;q=1.001', [0, 0, least]],
    ['gzip;q=', [0, 0, least]],
    ['gzip;q', [0, 0, least]],
    ['gzip;', [0, 0, least]],
    ['gzip;q=0.5;q=1', [0, 0, least]],
    ['gzip;q="0.5"', [0, 0, least]],
    ['gzip;level=9', [0, 0, least]],
    // Other names are other codings.
    ['brotli, gzipped', [0, 0, least]],
  ])('%j', (list, weights) => {
    expect(codings.map((coding) => acceptsCoding(fieldsOf(list), coding))).toEqual(weights);
  });

  it('counts on several lines', () => {
    expect(acceptsCoding({ 'accept-encoding': ['gzip;q=0.5', 'br'] }, 'gzip')).toBe(0.5);
  });

  it.each<[list: string | undefined, offered: readonly Coding[], Coding | undefined]>([
    ['gzip, br', codings, 'br'],
    ['gzip, br', ['gzip', 'br', 'identity'], 'gzip'],
    ['gzip, br;q=0.9', codings, 'gzip'],
    ['gzip;q=0.001', codings, 'gzip'],
    ['gzip;q=0.5, identity', codings, 'identity'],
    ['deflate', codings, 'identity'],
    ['', codings, 'identity'],
    ['*', codings, 'br'],
    ['identity;q=0', codings, undefined],
    ['identity;q=0, gzip', ['br', 'identity'], undefined],
    ['gzip', [], undefined],
    // Who says nothing may be able to decode nothing.
    [undefined, codings, 'identity'],
    [undefined, ['br', 'gzip'], 'br'],
  ])('%j with %j offered gets %j', (list, offered, expected) => {
    expect(chooseCoding(fieldsOf(list), offered)).toBe(expected);
  });

  it('never gets a coding that it refuses, and one whenever it takes one', () => {
    fc.assert(
      fc.property(anyValue, fc.subarray([...codings]), (list, offered) => {
        const chosen = chooseCoding(fieldsOf(list), offered);
        const weights = offered.map((coding) => acceptsCoding(fieldsOf(list), coding));
        expect(chosen === undefined ? 0 : acceptsCoding(fieldsOf(list), chosen)).toBe(Math.max(0, ...weights));
        for (const weight of weights) expect(weight >= 0 && weight <= 1).toBe(true);
      }),
    );
  });

  it('is read in linear time, whatever is in it', () => {
    expectUnharmed((list) => chooseCoding(fieldsOf(list), codings));
  });
});

describe('Accept-Language', () => {
  // RFC 9110 sections 12.4.2 and 12.5.4.
  it.each([
    ['de', 'de'],
    ['DE-ch', 'de-ch'],
    ['fr;q=0.5, de;q=1.0', 'de'],
    ['de;q=0.1', 'de'],
    ['de;q=0.2, fr;q=0.1, *;q=0.1', 'de'],
    ['de, de;q=0.5, fr;q=0.7', 'fr'],
  ])('%j likes %j best', (list, language) => {
    expect(preferredLanguage({ 'accept-language': list })).toBe(language);
  });

  it.each([undefined, '', ',', '*', 'de, *', '*, de', 'de, en', 'en;q=0.5, de;q=0.5', 'de;q=0', 'de;q=x'])(
    '%j likes none best',
    (list) => {
      expect(preferredLanguage({ 'accept-language': list })).toBeUndefined();
    },
  );
});
