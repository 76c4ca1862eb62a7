/** The cases of the newest edition that are told in one line: the first response has these fields, and what of the second? */

import type { Kind } from 'http-cache-tests/tests/index.mjs';
import type { Case, CaseField } from './case.ts';

type Row = readonly [id: string, kind: Kind, says: string, fields: readonly CaseField[]];

/** The first response has these fields; three seconds later it is reused, or it is not. */
const after = (from: 'cache' | 'origin', [id, kind, says, fields]: Row): Case => ({
  id,
  kind,
  says,
  steps: [{ answer: { fields }, expect: { from: 'origin' }, pause: true }, { expect: { from } }],
});

export const now: CaseField = ['Date', 0];
export const hour: CaseField = ['Cache-Control', 'max-age=3600'];
const age = (...values: readonly string[]): CaseField[] => [now, hour, ...values.map((one): CaseField => ['Age', one])];
const expires = (...values: readonly string[]): CaseField[] => [
  ...values.map((one): CaseField => ['Expires', one]),
  now,
];
export const cdn = (value: string, ...others: readonly CaseField[]): CaseField[] => [
  ['CDN-Cache-Control', value],
  ...others,
];

const reused: readonly Row[] = [
  // RFC 9111 section 5.1
  ['age-parse-nonnumeric', 'required', 'an Age that is no number is ignored', age('abc')],
  ['age-parse-negative', 'required', 'a negative Age is ignored', age('-7200')],
  ['age-parse-float', 'required', 'an Age with a fraction is ignored', age('7200.0')],
  ['age-parse-prefix-twoline', 'required', 'of two Age lines the first counts', age('0', '7200')],
  ['age-parse-dup-0', 'required', 'Age: 0, 0 is no age', age('0, 0')],
  ['age-parse-dup-0-twoline', 'required', 'two lines of Age: 0 are no age', age('0', '0')],
  [
    'age-parse-dup-old',
    'required',
    'two lines of one Age below the lifetime leave it fresh',
    [now, ['Cache-Control', 'max-age=10000'], ['Age', '3600'], ['Age', '3600']],
  ],
  // RFC 9111 section 5.3
  ['freshness-expires-32bit', 'optimal', 'Expires may need 32 bits', expires('Tue, 19 Jan 2038 14:14:08 GMT')],
  [
    'freshness-expires-far-future',
    'optimal',
    'Expires may be centuries away',
    expires('Sun, 21 Nov 2286 04:46:39 GMT'),
  ],
  // RFC 9111 section 5.2.2.3
  [
    'status-200-must-understand',
    'optimal',
    'no-store beside must-understand is ignored for a status that is understood',
    [['Cache-Control', 'max-age=3600, no-store, must-understand']],
  ],
  // RFC 9213 section 2.2
  ['cdn-max-age', 'optimal', 'the targeted max-age is a lifetime', cdn('max-age=3600')],
  ['cdn-max-age-max', 'optimal', 'the targeted max-age may be 2^31', cdn('max-age=2147483648')],
  ['cdn-max-age-max-plus', 'optimal', 'the targeted max-age may be more', cdn('max-age=99999999999')],
  ['cdn-max-age-extension', 'optimal', 'unknown targeted directives are ignored', cdn('foobar, max-age=3600')],
  [
    'cdn-max-age-expires',
    'optimal',
    'the targeted max-age wins over a past Expires',
    cdn('max-age=3600', ['Expires', -10_000], now),
  ],
  [
    'cdn-max-age-cc-max-age-invalid-expires',
    'optimal',
    'the targeted max-age wins over an invalid Expires',
    cdn('max-age=3600', ['Expires', '0'], now),
  ],
  [
    'cdn-max-age-short-cc-max-age',
    'optimal',
    'the targeted max-age wins over a shorter one',
    cdn('max-age=3600', ['Cache-Control', 'max-age=1']),
  ],
  [
    'cdn-fresh-cc-nostore',
    'required',
    'the targeted max-age wins over no-store',
    cdn('max-age=10000', ['Cache-Control', 'no-store']),
  ],
];

const askedAgain: readonly Row[] = [
  // RFC 9111 section 4.2
  ['freshness-max-age-stale', 'required', 'max-age ends', [['Cache-Control', 'max-age=2']]],
  // RFC 9111 sections 1.2.2 and 5.1
  ['age-parse-large-minus-one', 'required', 'an Age of 2^31 - 1 is old', age('2147483647')],
  ['age-parse-large', 'required', 'an Age of 2^31 is old', age('2147483648')],
  ['age-parse-larger', 'required', 'an Age above 2^31 is old', age('2147483649')],
  // RFC 9111 section 5.3: an invalid date is a time in the past.
  ['freshness-expires-invalid-utc', 'required', 'the zone is not GMT', expires('Thu, 18 Aug 2050 02:01:18 UTC')],
  ['freshness-expires-invalid-aest', 'required', 'the zone is far away', expires('Thu, 18 Aug 2050 02:01:18 AEST')],
  [
    'freshness-expires-invalid-2-digit-year',
    'required',
    'a year of two digits',
    expires('Thu, 18 Aug 50 02:01:18 GMT'),
  ],
  ['freshness-expires-invalid-no-comma', 'required', 'no comma', expires('Thu 18 Aug 2050 02:01:18 GMT')],
  ['freshness-expires-invalid-multiple-spaces', 'required', 'two blanks', expires('Thu, 18  Aug  2050 02:01:18 GMT')],
  ['freshness-expires-invalid-date-dashes', 'required', 'dashes in the date', expires('Thu, 18-Aug-2050 02:01:18 GMT')],
  ['freshness-expires-invalid-time-periods', 'required', 'dots in the time', expires('Thu, 18 Aug 2050 02.01.18 GMT')],
  [
    'freshness-expires-invalid-1-digit-hour',
    'required',
    'an hour of one digit',
    expires('Thu, 18 Aug 2050 2:01:18 GMT'),
  ],
  [
    'freshness-expires-invalid-multiple-lines',
    'required',
    'two lines of Expires',
    expires('Thu, 18 Aug 2050 2:01:18 GMT', 'Thu, 18 Aug 2050 2:01:19 GMT'),
  ],
  // RFC 9213 section 2.2
  ['cdn-max-age-age', 'required', 'Age counts for a targeted lifetime', cdn('max-age=3600', now, ['Age', '7200'])],
  ['cdn-max-age-0', 'required', 'a targeted max-age of 0 is no lifetime', cdn('max-age=0')],
  [
    'cdn-max-age-0-expires',
    'required',
    'a targeted max-age of 0 wins over a future Expires',
    cdn('max-age=0', ['Expires', 10_000], now),
  ],
  ['cdn-max-age-long-cc-max-age', 'required', 'the targeted max-age wins over a longer one', cdn('max-age=1', hour)],
  ['cdn-private', 'required', 'targeted private wins', cdn('private', hour, ['Expires', 10_000], now)],
  ['cdn-no-cache', 'required', 'targeted no-cache wins', cdn('no-cache', hour, ['Expires', 10_000], now)],
  ['cdn-no-store-cc-fresh', 'required', 'targeted no-store wins', cdn('no-store', hour, ['Expires', 10_000], now)],
  // RFC 9213 section 2.1: what is no Dictionary is ignored as a whole, and so is a member of another type.
  [
    'cdn-cc-invalid-sh-type-unknown',
    'required',
    'a targeted field that is no Dictionary is ignored',
    cdn('max-age=10000, &&&&&', ['Cache-Control', 'no-store']),
  ],
  [
    'cdn-cc-invalid-sh-type-wrong',
    'required',
    'a targeted max-age that is a String is none',
    cdn('max-age="10000"', ['Cache-Control', 'no-store']),
  ],
  [
    'cdn-max-age-space-before-equals',
    'check',
    'a blank before the = makes it no Dictionary',
    cdn('max-age =100', ['Cache-Control', 'max-age=1']),
  ],
  [
    'cdn-max-age-space-after-equals',
    'check',
    'a blank after the = makes it no Dictionary',
    cdn('max-age= 100', ['Cache-Control', 'max-age=1']),
  ],
  ['cdn-max-age-case-insensitive', 'check', 'keys of a Dictionary have no capitals', cdn('MaX-aGe=3600')],
];

export const rowCases: readonly Case[] = [
  ...reused.map((row) => after('cache', row)),
  ...askedAgain.map((row) => after('origin', row)),
];
