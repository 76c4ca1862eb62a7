/** Shows which requests select the same variant: those that match by RFC 9111 section 4.1, and no others. */

import express from 'express';
import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import type { Fields } from '../../src/http/fields.ts';
import { variantKey, type VariantOptions } from '../../src/http/vary.ts';
import { anyValue, expectUnharmed } from './adversary.ts';

function match(names: readonly string[], a: Fields, b: Fields, options?: VariantOptions): boolean {
  return variantKey(names, a, options) === variantKey(names, b, options);
}

describe('two requests match', () => {
  it.each<[why: string, names: string[], a: Fields, b: Fields]>([
    ['in the same value', ['foo'], { foo: '1' }, { foo: '1' }],
    ['without the field', ['foo'], {}, {}],
    ['in the fields that select', ['foo'], { foo: '1', other: '2' }, { foo: '1', other: '3' }],
    [
      'in three fields',
      ['bar', 'baz', 'foo'],
      { foo: '1', bar: 'abc', baz: '789' },
      { baz: '789', bar: 'abc', foo: '1' },
    ],
    ['where one of three is absent', ['bar', 'baz', 'foo'], { foo: '1', baz: '789' }, { foo: '1', baz: '789' }],
    ['without any names', [], { foo: '1' }, { foo: '2' }],
    ['in a list on one line and on two', ['foo'], { foo: '1, 2' }, { foo: ['1', '2'] }],
    ['with blanks around commas', ['foo'], { foo: '1,2' }, { foo: ' 1\t, 2 ' }],
    [
      'with blanks in a list of languages',
      ['accept-language'],
      { 'accept-language': 'en, de' },
      { 'accept-language': ' en ,   de' },
    ],
    ['in the case of languages', ['accept-language'], { 'accept-language': 'en, de' }, { 'accept-language': 'eN, De' }],
    [
      'in the case of codings',
      ['accept-encoding'],
      { 'accept-encoding': 'GZIP;q=0.5' },
      { 'accept-encoding': 'gzip ; Q=0.5' },
    ],
    ['with blanks before weights', ['accept'], { accept: 'text/html ;q=0.5, */*' }, { accept: 'text/html; q=0.5,*/*' }],
  ])('%s', (_, names, a, b) => {
    expect(match(names, a, b)).toBe(true);
  });
});

describe('two requests do not match', () => {
  it.each<[why: string, names: string[], a: Fields, b: Fields]>([
    ['in another value', ['foo'], { foo: '1' }, { foo: '2' }],
    ['where one has no such field', ['foo'], { foo: '1' }, {}],
    ['where one is empty, and one absent', ['foo'], { foo: '' }, {}],
    [
      'in one of three fields',
      ['bar', 'baz', 'foo'],
      { foo: '1', bar: 'abc4', baz: '789' },
      { foo: '1', bar: 'abc', baz: '789' },
    ],
    ['in which field has the value', ['bar', 'foo'], { foo: '1' }, { bar: '1' }],
    ['in the case of what nobody knows', ['foo'], { foo: 'a' }, { foo: 'A' }],
    ['in the case of media types, whose parameters have one', ['accept'], { accept: 'a/b;p=X' }, { accept: 'a/b;p=x' }],
    ['in the order of what nobody knows', ['foo'], { foo: '1,2' }, { foo: '2,1' }],
    ['in blanks between words', ['foo'], { foo: 'a b' }, { foo: 'ab' }],
    ['in blanks inside quotes', ['foo'], { foo: '"a, b"' }, { foo: '"a,b"' }],
    ['in blanks after an escaped quote', ['foo'], { foo: String.raw`"\", b\""` }, { foo: String.raw`"\",b\""` }],
    ['in blanks of a quoted string without an end', ['foo'], { foo: '"a, ' }, { foo: '"a,' }],
    ['in empty members of what may be no list', ['foo'], { foo: '1,,2' }, { foo: '1,2' }],
    ['in a cookie, which is no list', ['cookie'], { cookie: 'a=1, 2' }, { cookie: 'a=1,2' }],
    ['in an authorization', ['authorization'], { authorization: 'Basic YQ, ' }, { authorization: 'Basic YQ,' }],
    [
      'in the order of languages',
      ['accept-language'],
      { 'accept-language': 'en, de' },
      { 'accept-language': 'de, en' },
    ],
    [
      'in the weights of languages',
      ['accept-language'],
      { 'accept-language': 'en;q=0.5' },
      { 'accept-language': 'en' },
    ],
    ['in a value that looks like the next field', ['a', 'b'], { a: '1', b: '2' }, { a: '11:b1:2' }],
    ['in a field of every object', ['constructor'], { constructor: 'x' }, {}],
  ])('%s', (_, names, a, b) => {
    expect(match(names, a, b)).toBe(false);
  });
});

describe('any order of languages', () => {
  const anyOrder = { anyOrder: true };

  it.each<[names: string, a: string, b: string, same: boolean]>([
    ['accept-language', 'en, de', 'de, en', true],
    ['accept-language', 'en, , de', 'DE,en', true],
    ['accept-encoding', 'gzip;q=0.5, br', 'br, gzip; q=0.5', true],
    ['accept-language', 'en;q=0.5, de', 'en, de;q=0.5', false],
    ['accept-language', 'en, en', 'en', false],
    ['foo', '1, 2', '2, 1', false],
    ['accept', 'a/b, c/d', 'c/d, a/b', false],
  ])('in %s: %j and %j: %j', (name, a, b, same) => {
    expect(match([name], { [name]: a }, { [name]: b }, anyOrder)).toBe(same);
  });
});

describe('the name of a variant', () => {
  const name = fc.constantFrom('a', 'b', 'a1', '1', '-', '1:a', 'cookie');
  const value = fc.option(fc.string({ unit: fc.constantFrom(...Array.from('a1:-é😀')), maxLength: 5 }), {
    nil: undefined,
  });

  it('tells all values of all fields apart', () => {
    const request = fc.uniqueArray(fc.tuple(name, value), { selector: ([field]) => field, maxLength: 4 });
    fc.assert(
      fc.property(request, request, (a, b) => {
        const of = (fields: [string, string | undefined][]) =>
          variantKey(
            fields.map(([field]) => field),
            Object.fromEntries(fields),
          );
        expect(of(a) === of(b)).toBe(JSON.stringify(a.map(shown)) === JSON.stringify(b.map(shown)));
      }),
      { numRuns: 3000 },
    );
  });

  const shown = ([field, text]: [string, string | undefined]) => [field, text ?? null];

  it('changes nothing of what Express negotiates', () => {
    const language = fc.constantFrom('en', 'de', 'DE-at', 'fr', '*', 'en-US');
    const weight = fc.constantFrom('', ';q=0.5', '; q=0.8', ' ;Q=1');
    const member = fc.tuple(fc.constantFrom('', ' ', '\t'), language, weight).map((pieces) => pieces.join(''));
    const list = fc.array(member, { minLength: 1, maxLength: 4 }).map((members) => members.join(','));
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(list, (header) => {
        const key = variantKey(['accept-language'], { 'accept-language': header });
        const chosen = chosenLanguages(header);
        expect(seen.get(key) ?? chosen, header).toBe(chosen);
        seen.set(key, chosen);
      }),
      { numRuns: 3000 },
    );
  });

  it('leaves the order in, because Express goes by it', () => {
    expect(chosenLanguages('en, de')).not.toBe(chosenLanguages('de, en'));
  });

  function chosenLanguages(header: string): string {
    const request: typeof express.request = Object.create(express.request);
    request.headers = { 'accept-language': header };
    return JSON.stringify([request.acceptsLanguages(['de', 'fr', 'en']), request.acceptsLanguages(['en-us', 'de-at'])]);
  }

  it('is made in linear time, whatever is in the fields', () => {
    for (const field of ['foo', 'accept', 'accept-language', 'cookie']) {
      expectUnharmed((text) => variantKey([field], { [field]: text }, { anyOrder: true }));
    }
  });

  it('stays the same when it is normalized again', () => {
    fc.assert(
      fc.property(fc.constantFrom('foo', 'accept', 'accept-language'), anyValue, (field, text) => {
        const key = variantKey([field], { [field]: text });
        const normalized = key.slice(key.indexOf(':', `${field.length}:${field}`.length) + 1);
        expect(variantKey([field], { [field]: normalized })).toBe(key);
      }),
    );
  });
});
