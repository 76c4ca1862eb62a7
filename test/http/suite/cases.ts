/** What the newest edition of the published suite asks and the packaged one does not, in our own words. */

import type { Kind } from 'http-cache-tests/tests/index.mjs';

/** A field; a number stands for a date so many seconds from the moment of the answer. */
export type CaseField = readonly [name: string, value: string | number];

export interface CaseAnswer {
  readonly fields?: readonly CaseField[];
  /** Interim responses that go before: 102, or 103 with its fields. */
  readonly interim?: readonly (102 | Readonly<Record<string, string>>)[];
  /** How long the origin takes, in ms. @default 0 */
  readonly takesMs?: number;
  /** The origin fails before it answers. */
  readonly fails?: boolean;
}

export interface Expected {
  /** `cache`: an earlier answer of the origin; `origin`: its answer to this request; `nothing`: no answer of the origin. */
  readonly from: 'cache' | 'origin' | 'nothing';
  readonly fields?: Readonly<Record<string, string>>;
  /** Fields that are there. */
  readonly having?: readonly string[];
  /** Fields that are not there. */
  readonly without?: readonly string[];
  /** Fields that are as they were in the first response. */
  readonly asAtFirst?: readonly string[];
  /** The interim responses that arrive: 102, or 103 with these fields among others. */
  readonly interim?: CaseAnswer['interim'];
}

export interface Step {
  readonly send?: readonly CaseField[];
  /** What the origin says if it is asked. @default a response of status 200 without fields */
  readonly answer?: CaseAnswer;
  readonly expect: Expected;
  /** Waits three seconds before the next request. @default false */
  readonly pause?: boolean;
}

export interface Case {
  readonly id: string;
  readonly kind: Kind;
  readonly says: string;
  readonly steps: readonly Step[];
}

type Row = readonly [id: string, kind: Kind, says: string, fields: readonly CaseField[]];

/** The first response has these fields; three seconds later it is reused, or it is not. */
const after = (from: 'cache' | 'origin', [id, kind, says, fields]: Row): Case => ({
  id,
  kind,
  says,
  steps: [{ answer: { fields }, expect: { from: 'origin' }, pause: true }, { expect: { from } }],
});

const now: CaseField = ['Date', 0];
const hour: CaseField = ['Cache-Control', 'max-age=3600'];
const age = (...values: readonly string[]): CaseField[] => [now, hour, ...values.map((one): CaseField => ['Age', one])];
const expires = (...values: readonly string[]): CaseField[] => [
  ...values.map((one): CaseField => ['Expires', one]),
  now,
];
const cdn = (value: string, ...others: readonly CaseField[]): CaseField[] => [['CDN-Cache-Control', value], ...others];

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

// RFC 9111 sections 5.2.2.2, 5.2.2.4, 5.2.2.8 and 5.2.2.10
const neverStale = ['must-revalidate', 'proxy-revalidate', 'no-cache', 's-maxage=2'].map((directive): Case => ({
  id: `stale-close-${directive}`,
  kind: 'required',
  says: `${directive} forbids the stale response when the origin hangs up`,
  steps: [
    { answer: { fields: [['Cache-Control', `max-age=2, ${directive}`]] }, expect: { from: 'origin' }, pause: true },
    { answer: { fails: true }, expect: { from: 'nothing' } },
  ],
}));

// RFC 9111 section 4.2: what the client sees of a response that outlives its own max-age here.
const exceeding = [
  { id: 'cdn-remove-age-exceed', says: 'Age is sent', expect: { having: ['Age'] } },
  { id: 'cdn-date-update-exceed', says: 'Date stays', expect: { asAtFirst: ['Date'] } },
  { id: 'cdn-expires-update-exceed', says: 'Expires stays', expect: { asAtFirst: ['Expires'] } },
].map(({ id, says, expect }): Case => ({
  id,
  kind: 'check',
  says: `${says} when the targeted lifetime is the longer one`,
  steps: [
    {
      answer: { fields: cdn('max-age=10000', ['Cache-Control', 'max-age=1'], ['Expires', 1], now) },
      expect: { from: 'origin' },
      pause: true,
    },
    { expect: { from: 'cache', ...expect } },
  ],
}));

const hint = { link: '</styles.css>; rel=preload; as=style' };
const hints = { ...hint, 'x-my-header': 'test' };
const day: CaseField[] = [['Cache-Control', 'max-age=100000'], now];

// RFC 9111 section 3: only final responses are stored. RFC 8297 and RFC 9110 section 15.2
const interim = (
  [
    ['interim-102', 'optimal', 'a 102 goes through', [102], []],
    ['interim-103', 'optimal', 'a 103 goes through', [hints], []],
    ['interim-not-cached', 'required', 'a 103 is not repeated', [hint], []],
    ['interim-no-header-reuse', 'optimal', 'fields of a 103 are not stored', [hints], ['x-my-header']],
  ] as const
).map(([id, kind, says, sent, without]): Case => ({
  id,
  kind,
  says: `${says}, and the final response is reused`,
  steps: [
    { answer: { fields: day, interim: sent }, expect: { from: 'origin', interim: sent, without }, pause: true },
    { expect: { from: 'cache', interim: [], without } },
  ],
}));

const old = { fields: [['Cache-Control', 'max-age=10000'], ['Expires', 10_000], now, ['A', '1']] } as const;
const stepByStep: readonly Case[] = [
  ...['no-store', 'no-store, max-age=0'].map((directives, at): Case => ({
    id: at === 0 ? 'cc-resp-no-store-old-new' : 'cc-resp-no-store-old-max-age',
    kind: 'required',
    says: `a newer response with ${directives} takes no place of a fresh one`,
    steps: [
      { answer: old, expect: { from: 'origin' }, pause: true },
      { answer: { fields: [['Cache-Control', directives], now, ['A', '2']] }, expect: { from: 'cache' }, pause: true },
      { expect: { from: 'cache', fields: { a: '1' } } },
    ],
  })),
  {
    // RFC 5861 section 3
    id: 'stale-while-revalidate',
    kind: 'optimal',
    says: 'a stale response is served within its stale-while-revalidate',
    steps: [
      {
        answer: {
          fields: [
            ['Cache-Control', 'max-age=1, stale-while-revalidate=3600'],
            ['ETag', '"abc"'],
          ],
        },
        expect: { from: 'origin' },
        pause: true,
      },
      { expect: { from: 'cache' } },
    ],
  },
  {
    // RFC 5861 section 3
    id: 'stale-while-revalidate-window',
    kind: 'required',
    says: 'no stale response is served after its stale-while-revalidate',
    steps: [
      {
        answer: {
          fields: [
            ['Cache-Control', 'max-age=1, stale-while-revalidate=1'],
            ['ETag', '"abc"'],
          ],
        },
        expect: { from: 'origin' },
        pause: true,
      },
      { expect: { from: 'origin' } },
    ],
  },
  {
    // RFC 9111 section 4.1
    id: 'vary-2-match-omit',
    kind: 'required',
    says: 'a request without the two fields that Vary names does not match one that had them',
    steps: [
      {
        send: [
          ['Foo', '1'],
          ['Bar', 'abc'],
        ],
        answer: { fields: [['Cache-Control', 'max-age=5000'], ['Last-Modified', -3000], now, ['Vary', 'Foo, Bar']] },
        expect: { from: 'origin' },
      },
      { expect: { from: 'origin' } },
    ],
  },
  ...(['Date', 'Expires'] as const).map((field): Case => ({
    // RFC 9110 section 6.6.1
    id: field === 'Date' ? 'other-date-update-expires' : 'other-date-update-expires-update',
    kind: field === 'Date' ? 'required' : 'check',
    says: `${field} stays as it was stored`,
    steps: [
      { answer: { fields: [['Expires', 30 * 86_400], now] }, expect: { from: 'origin' }, pause: true },
      { expect: { from: 'cache', asAtFirst: [field] } },
    ],
  })),
];

const atOnce: readonly Case[] = [
  {
    // RFC 9111 section 5.1: Age tells that the response was not made for this request.
    id: 'other-age-delay',
    kind: 'check',
    says: 'a response that took its time has no Age',
    steps: [{ answer: { fields: [hour, now], takesMs: 2000 }, expect: { from: 'origin', without: ['age'] } }],
  },
  {
    id: 'cdn-remove-header',
    kind: 'check',
    says: 'the targeted field goes on to the client',
    steps: [
      { answer: { fields: cdn('foo', hour) }, expect: { from: 'origin', fields: { 'cdn-cache-control': 'foo' } } },
    ],
  },
];

export const cases: readonly Case[] = [
  ...reused.map((row) => after('cache', row)),
  ...askedAgain.map((row) => after('origin', row)),
  ...neverStale,
  ...exceeding,
  ...interim,
  ...atOnce,
  ...stepByStep,
];
