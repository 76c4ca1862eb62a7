/** Shows which fields are kept, renewed and sent again: RFC 9111 sections 3.1, 3.2 and 4.3.4, RFC 9110 section 15.4.5. */

import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { parseCacheControl } from '../../src/http/cache-control.ts';
import {
  type FieldLine,
  mayFreshen,
  notModifiedFields,
  storableFields,
  updatedFields,
} from '../../src/http/stored-fields.ts';
import { expectUnharmed } from './adversary.ts';

const free = parseCacheControl('max-age=60');
const namesOf = (lines: readonly FieldLine[]) => lines.map(([name]) => name);

/** Of RFC 9110 section 7.6.1, RFC 9111 section 3.1, and IETF ratelimit-headers-10. */
const forbidden = [
  'Connection',
  'Keep-Alive',
  'Proxy-Authenticate',
  'Proxy-Authentication-Info',
  'Proxy-Authorization',
  'Proxy-Connection',
  'TE',
  'Trailer',
  'Transfer-Encoding',
  'Upgrade',
  // One client's quota.
  'RateLimit',
  'RateLimit-Policy',
  'X-RateLimit-Remaining',
];

describe('a stored answer', () => {
  it.each(forbidden)('does not have %s', (name) => {
    const others: FieldLine[] = [['X-Other', '1']];
    for (const spelled of [name, name.toLowerCase(), name.toUpperCase()]) {
      expect(storableFields([[spelled, 'x'], ...others], free)).toEqual(others);
    }
  });

  // RFC 9111 section 3.1: all others, known or not.
  it.each([
    'Test-Header',
    'Content-Foo',
    'Cache-Control',
    'CDN-Cache-Control',
    'Cache-Groups',
    'Cache-Status',
    'Content-Encoding',
    'Content-Length',
    'Content-Location',
    'Content-MD5',
    'Content-Range',
    'Content-Security-Policy',
    'Content-Type',
    'Clear-Site-Data',
    'Date',
    'ETag',
    'Expires',
    'Last-Modified',
    'Public-Key-Pins',
    'Vary',
    'X-Frame-Options',
    'constructor',
  ])('has %s, as it was written', (name) => {
    const lines: FieldLine[] = [
      [name, 'a, B'],
      [name.toLowerCase(), ['1', '2']],
    ];
    expect(storableFields(lines, free)).toEqual(lines);
  });

  it('has none of the fields that Connection lists', () => {
    const lines: FieldLine[] = [
      ['A', '1'],
      ['b', '2'],
      ['C', '3'],
      ['d', '4'],
      ['Connection', ['a, B', 'close']],
      ['connection', ' ,d'],
    ];
    expect(namesOf(storableFields(lines, free))).toEqual(['C']);
  });

  it('has no Age, which each answer says anew', () => {
    expect(storableFields([['Age', '30']], free)).toEqual([]);
  });

  // RFC 9111 sections 5.2.2.4 and 5.2.2.7.
  it.each([
    ['no-cache="a, X-User"', ['B']],
    ['private="a"', ['X-User', 'B']],
    ['private="b", no-cache="x-user"', ['A']],
    ['max-age=1', ['A', 'X-User', 'B']],
  ])('with %s has %j', (cacheControl, names) => {
    const lines: FieldLine[] = [
      ['A', '1'],
      ['X-User', '2'],
      ['B', '3'],
    ];
    expect(namesOf(storableFields(lines, parseCacheControl(cacheControl)))).toEqual(names);
  });

  it('has cookies only where somebody wants it so', () => {
    const lines: FieldLine[] = [
      ['Set-Cookie', ['a=1', 'b=2']],
      ['set-cookie2', 'c=3'],
    ];
    expect(storableFields(lines, free)).toEqual([]);
    expect(storableFields(lines, free, { keepSetCookie: true })).toEqual(lines);
    expect(storableFields(lines, parseCacheControl('private="set-cookie"'), { keepSetCookie: true })).toEqual([
      ['set-cookie2', 'c=3'],
    ]);
  });
});

describe('a 304', () => {
  const renew = (stored: readonly FieldLine[], fresh: readonly FieldLine[], cacheControl = 'max-age=60') =>
    updatedFields(stored, fresh, parseCacheControl(cacheControl));

  it.each([
    'Test-Header',
    'X-Test-Header',
    'Content-Foo',
    'X-Content-Foo',
    'Cache-Control',
    'Content-Location',
    'Content-Security-Policy',
    'Content-Type',
    'Clear-Site-Data',
    'Date',
    'Expires',
    'Last-Modified',
    'Vary',
    'X-Frame-Options',
    'X-XSS-Protection',
  ])('renews %s', (name) => {
    expect(renew([[name, 'old']], [[name.toLowerCase(), 'new']])).toEqual([[name.toLowerCase(), 'new']]);
  });

  // RFC 9111 section 3.2: what is said of the stored bytes.
  it.each(['Content-Length', 'Content-Encoding', 'Content-Range', 'Content-MD5', 'Content-Digest', 'ETag'])(
    'does not change %s',
    (name) => {
      expect(renew([[name, 'old']], [[name.toLowerCase(), 'new']])).toEqual([[name, 'old']]);
      expect(renew([], [[name, 'new']])).toEqual([]);
    },
  );

  it.each([...forbidden, 'Age', 'Set-Cookie'])('does not bring %s', (name) => {
    expect(renew([['X-Other', '1']], [[name, 'new']])).toEqual([['X-Other', '1']]);
  });

  it('brings and renews cookies only where somebody wants it so', () => {
    const fresh: FieldLine[] = [['Set-Cookie', 'a=2']];
    expect(updatedFields([['Set-Cookie', 'a=1']], fresh, free, { keepSetCookie: true })).toEqual(fresh);
  });

  it('leaves what it does not have, adds what is new, and keeps the order', () => {
    const stored: FieldLine[] = [
      ['A', '1'],
      ['B', ['1', '2']],
      ['C', '1'],
      ['b', '3'],
    ];
    const fresh: FieldLine[] = [
      ['D', '2'],
      ['b', '4'],
      ['B', '5'],
      ['c', '2'],
    ];
    expect(renew(stored, fresh)).toEqual([
      ['A', '1'],
      ['b', '4'],
      ['B', '5'],
      ['c', '2'],
      ['D', '2'],
    ]);
  });

  it('brings nothing that its own Connection lists, and takes away nothing for it', () => {
    const fresh: FieldLine[] = [
      ['Connection', 'a, b'],
      ['a', 'new'],
      ['b', 'new'],
    ];
    expect(renew([['a', 'old']], fresh)).toEqual([['a', 'old']]);
  });

  it('takes away what is no longer for everybody', () => {
    expect(renew([['X-User', '1']], [['X-User', '2']], 'private="x-user"')).toEqual([]);
    expect(renew([['X-User', '1']], [], 'no-cache="x-user"')).toEqual([]);
  });

  it('never makes a field of what the standard forbids to keep', () => {
    const name = fc.constantFrom(...forbidden, 'Age', 'Set-Cookie', 'A', 'b', 'ETag', 'content-length', 'X-Private');
    const value = fc.oneof(fc.constantFrom('a', 'b, A', 'etag'), fc.array(fc.constantFrom('a', 'x'), { maxLength: 2 }));
    const lines = fc.array(fc.tuple(name, value), { maxLength: 8 });
    fc.assert(
      fc.property(lines, lines, (stored, fresh) => {
        const kept = storableFields(stored, parseCacheControl('private="x-private"'));
        const after = updatedFields(kept, fresh, parseCacheControl('private="x-private"'));
        const bad = [...forbidden, 'Age', 'Set-Cookie', 'X-Private'].map((field) => field.toLowerCase());
        for (const field of namesOf([...kept, ...after])) expect(bad).not.toContain(field.toLowerCase());
        // Nothing is lost either.
        const names = new Set(namesOf(after).map((field) => field.toLowerCase()));
        for (const field of namesOf(kept)) expect(names).toContain(field.toLowerCase());
        expect(updatedFields(after, fresh, parseCacheControl('private="x-private"'))).toEqual(after);
      }),
      { numRuns: 2000 },
    );
  });

  it('is applied in linear time, whatever is in it', () => {
    expectUnharmed((value) => storableFields([['Connection', value]], parseCacheControl(value)));
    expectUnharmed((value) => mayFreshen({ etag: value, lastModifiedMs: 0 }, { etag: value, 'last-modified': value }));
    const many = Array.from({ length: 20_000 }, (_, index): FieldLine => [`X-${index % 10_000}`, 'a']);
    const before = process.cpuUsage();
    expect(renew(many, many)).toHaveLength(20_000);
    expect(process.cpuUsage(before).user).toBeLessThan(1_000_000);
  });
});

describe('a 304 is about the stored answer', () => {
  const changedAt = Date.UTC(2020, 0, 1);
  const same = new Date(changedAt).toUTCString();
  const later = new Date(changedAt + 1000).toUTCString();
  const both = { etag: '"a"', lastModifiedMs: changedAt };
  const weak = { etag: 'W/"a"', lastModifiedMs: changedAt };
  const tagAlone = { etag: '"a"', lastModifiedMs: undefined };
  const dateAlone = { etag: undefined, lastModifiedMs: changedAt };
  const neither = { etag: undefined, lastModifiedMs: undefined };

  it.each([
    ['with the same strong tag', both, { etag: '"a"' }, true],
    ['with another strong tag', both, { etag: '"b"' }, false],
    ['with another strong tag and the same date', both, { etag: '"b"', 'last-modified': same }, false],
    ['with the same strong tag and another date', both, { etag: '"a"', 'last-modified': later }, true],
    ['with a strong tag where a weak one is stored', weak, { etag: '"a"' }, false],
    ['with a strong tag where none is stored', dateAlone, { etag: '"a"', 'last-modified': same }, false],
    ['with the same weak tag', weak, { etag: 'W/"a"' }, true],
    ['with a weak tag where the same strong one is stored', both, { etag: 'W/"a"' }, true],
    ['with another weak tag', weak, { etag: 'W/"b"', 'last-modified': same }, false],
    [
      'with a weak tag where none is stored, and the same date',
      dateAlone,
      { etag: 'W/"a"', 'last-modified': same },
      true,
    ],
    ['with a weak tag where none is stored', dateAlone, { etag: 'W/"a"' }, false],
    ['with the same date', both, { 'last-modified': same }, true],
    ['with another date', both, { 'last-modified': later }, false],
    ['with a date where none is stored', tagAlone, { 'last-modified': same }, false],
    ['with what is no date', both, { 'last-modified': 'today' }, false],
    ['with what is no date where none is stored', tagAlone, { 'last-modified': 'today' }, false],
    ['with the same text that is no tag', { etag: 'a', lastModifiedMs: undefined }, { etag: 'a' }, true],
    ['with another text that is no tag', both, { etag: 'a' }, false],
    ['without any validator', both, {}, true],
    ['without any validator, as what is stored', neither, {}, true],
  ])('%s', (_, stored, fresh, expected) => {
    expect(mayFreshen(stored, fresh)).toBe(expected);
  });
});

describe('a 304 that is made', () => {
  const full: FieldLine[] = [
    ['Content-Type', 'text/html'],
    ['Content-Length', '10'],
    ['Content-Encoding', 'br'],
    ['Content-Language', 'de'],
    ['Content-Range', 'bytes 0-1/2'],
    ['Content-MD5', 'x'],
    ['Content-Digest', 'x'],
    ['Repr-Digest', 'x'],
    ['Cache-Control', 'max-age=1'],
    ['CDN-Cache-Control', 'max-age=2'],
    ['Content-Location', '/a'],
    ['Date', 'x'],
    ['ETag', '"a"'],
    ['Expires', 'x'],
    ['Last-Modified', 'x'],
    ['Vary', 'A'],
    ['Access-Control-Allow-Origin', '*'],
    ['X-Custom', ['1', '2']],
  ];
  const carried = full.slice(8).filter(([name]) => name !== 'Last-Modified');

  it('has what a client needs to renew its own answer, and nothing about the body', () => {
    expect(notModifiedFields(full)).toEqual(carried);
    const lowerCase = full.map(([name, value]): FieldLine => [name.toLowerCase(), value]);
    expect(notModifiedFields(lowerCase)).toEqual(carried.map(([name, value]) => [name.toLowerCase(), value]));
  });

  it('has Last-Modified where there is no ETag', () => {
    const withoutEtag = full.filter(([name]) => name !== 'ETag');
    expect(namesOf(notModifiedFields(withoutEtag))).toContain('Last-Modified');
  });
});
