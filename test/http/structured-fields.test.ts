/** Shows that structured fields are read by the grammar of RFC 9651, to the letter. */

import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import {
  type BareItem,
  type Member,
  parseDictionary,
  parseItem,
  parseList,
  serializeInteger,
  serializeString,
  serializeTokenOrString,
} from 'hotshelf/http';
import { expectUnharmed } from './adversary.ts';

function plain(member: Member | undefined): unknown {
  if (member === undefined) return undefined;
  const parameters = [...member.parameters].map(([key, bare]) => [key, bare.value]);
  const value = member.kind === 'item' ? member.bare.value : member.items.map(plain);
  return parameters.length === 0 ? value : { value, parameters };
}

describe('an Item', () => {
  it.each<[string, BareItem['kind'], BareItem['value']]>([
    ['42', 'integer', 42],
    ['-0', 'integer', 0],
    ['042', 'integer', 42],
    ['-999999999999999', 'integer', -999_999_999_999_999],
    ['4.5', 'decimal', 4.5],
    ['-123456789012.125', 'decimal', -123_456_789_012.125],
    ['"hello \\"world\\" \\\\"', 'string', 'hello "world" \\'],
    ['""', 'string', ''],
    ['foo123/456', 'token', 'foo123/456'],
    ['*a:b', 'token', '*a:b'],
    [':cHJldGVuZA==:', 'bytes', Uint8Array.from(Buffer.from('pretend'))],
    ['::', 'bytes', new Uint8Array()],
    ['?1', 'boolean', true],
    ['?0', 'boolean', false],
    ['@1659578233', 'date', 1_659_578_233],
    ['@-1', 'date', -1],
    ['%"This is intended for display to %c3%bcsers."', 'display-string', 'This is intended for display to üsers.'],
    ['  a  ', 'token', 'a'],
  ])('%s is read', (text, kind, value) => {
    expect(parseItem(text)).toEqual({ kind: 'item', bare: { kind, value }, parameters: new Map() });
  });

  it.each([
    '',
    '  ',
    '\t1',
    '-',
    '--1',
    '1.',
    '.5',
    '1.2345',
    '1234567890123.0',
    '1234567890123456',
    '1e3',
    '"a',
    '"a\\"',
    '"\\a"',
    '"ü"',
    '"a\tb"',
    ':YQ',
    ':Y-Q:',
    '?2',
    '?',
    '@1.5',
    '@a',
    '%"%C3"',
    '%"%c3"',
    '%"%c"',
    '%"ü"',
    '%a',
    '%"a',
    'a b',
    '1 2',
    'a, b',
    '(a)',
    '&',
    'ü',
    'a;B',
    'a;',
    'a;b=',
    'a ;b',
  ])('%j is none', (text) => {
    expect(parseItem(text)).toBeUndefined();
  });

  it('has parameters, of which the last of each name counts', () => {
    expect(plain(parseItem('1; a=2;b;  a=?0'))).toEqual({
      value: 1,
      parameters: [
        ['a', false],
        ['b', true],
      ],
    });
  });
});

describe('a List', () => {
  it.each<[string | undefined, unknown]>([
    [undefined, []],
    ['', []],
    [' ', []],
    ['sugar, tea, rum', ['sugar', 'tea', 'rum']],
    ['a\t,\t1', ['a', 1]],
    ['("foo" "bar"), ( "baz" ), ()', [['foo', 'bar'], ['baz'], []]],
    [
      '("foo"; a=1;b=2);lvl=5, x',
      [
        {
          value: [
            {
              value: 'foo',
              parameters: [
                ['a', 1],
                ['b', 2],
              ],
            },
          ],
          parameters: [['lvl', 5]],
        },
        'x',
      ],
    ],
  ])('%j is read', (text, members) => {
    expect(parseList(text)?.map(plain)).toEqual(members);
  });

  it.each(['a,', ',a', 'a,,b', 'a b', '(a', '(a,b)', '("a""b")', '(a))', '(a\tb)', '((a))'])('%j is none', (text) => {
    expect(parseList(text)).toBeUndefined();
  });
});

describe('a Dictionary', () => {
  it.each<[string | undefined, unknown]>([
    [undefined, []],
    ['', []],
    [
      'en="Applepie", da=:w4ZibGV0w6ZydGU=:',
      [
        ['en', 'Applepie'],
        ['da', Uint8Array.from(Buffer.from('Æbletærte'))],
      ],
    ],
    [
      'a=?0, b, c; foo=bar',
      [
        ['a', false],
        ['b', true],
        ['c', { value: true, parameters: [['foo', 'bar']] }],
      ],
    ],
    [
      'rating=1.5, feelings=(joy sadness)',
      [
        ['rating', 1.5],
        ['feelings', ['joy', 'sadness']],
      ],
    ],
    [
      'a=1,b=2,a=3',
      [
        ['a', 3],
        ['b', 2],
      ],
    ],
    ['*.-_1=1', [['*.-_1', 1]]],
  ])('%j is read', (text, members) => {
    const dictionary = parseDictionary(text);
    expect(dictionary && [...dictionary].map(([key, member]) => [key, plain(member)])).toEqual(members);
  });

  it.each(['a=', 'a =1', 'a= 1', 'A=1', 'a=1,', 'a=1 b', '1=a', 'max-age=10000, &&&&&'])('%j is none', (text) => {
    expect(parseDictionary(text)).toBeUndefined();
  });
});

describe('what is written', () => {
  it('can be read again', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseItem(serializeString(text))?.bare.value).toBe(text);
        expect(parseItem(serializeTokenOrString(text))?.bare.value).toBe(text);
      }),
    );
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (number) => {
        expect(parseItem(serializeInteger(number))?.bare.kind).toBe('integer');
      }),
    );
  });

  it('holds nothing that a String cannot hold', () => {
    expect(serializeString('x\r\nSet-Cookie: a=b\u0000é')).toBe('"xSet-Cookie: a=b"');
    expect(serializeTokenOrString('7up')).toBe('"7up"');
  });
});

describe('a structured field', () => {
  it.each([
    ['an Item', (value: string) => parseItem(value)],
    ['a List', (value: string) => parseList(value)],
    ['a Dictionary', (value: string) => parseDictionary(value)],
    ['an inner list', (value: string) => parseList(`(${value}`)],
    ['a String', (value: string) => parseItem(`"${value}`)],
    ['a Byte Sequence', (value: string) => parseItem(`:${value}`)],
    ['a Display String', (value: string) => parseItem(`%"${value}`)],
  ])('is read in linear time, whatever it holds: %s', (_, read) => {
    expectUnharmed(read);
  });

  it('may have any number of members', () => {
    expect(plain(parseList(`(${'a '.repeat(50_000)})`)?.[0])).toHaveLength(50_000);
    expect(parseItem(`a${';b;c'.repeat(50_000)}`)?.parameters.size).toBe(2);
  });
});
