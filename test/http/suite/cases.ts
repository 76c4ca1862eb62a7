/** What the newest edition of the published suite asks and the packaged one does not, in our own words. */

import type { Case, CaseField } from './case.ts';
import { cdn, hour, now, rowCases } from './rows.ts';

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

export const cases: readonly Case[] = [...rowCases, ...neverStale, ...exceeding, ...interim, ...atOnce, ...stepByStep];
