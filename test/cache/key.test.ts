/** Shows that two keys never share a place in the backend, and that every key fits into any backend. */

import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import type { Key, KeyPart } from 'hotshelf';
import { encodeKey } from '../../src/cache/key.ts';
import { KnownKeys } from '../../src/cache/known-keys.ts';
import { codeOf, never, shelves } from './forms.ts';

/** What every server takes: printable ASCII without blanks, 240 characters at most. */
const contract = /^[!-~]{1,240}$/;

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.string({ unit: fc.constantFrom(...Array.from('ab%:=$/[]#+&@,!-.~ \n"é😀\u0000\u007f')), maxLength: 5 }),
);
const number = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer({ min: -3, max: 30 }));
const leaf: fc.Arbitrary<KeyPart> = fc.oneof(
  text,
  number,
  fc.bigInt({ min: -30n, max: 30n }),
  fc.boolean(),
  fc.constant(null),
  fc.constant(undefined),
  fc.date({ noInvalidDate: true }),
  fc.integer({ min: -3, max: 30 }).map((ms) => new Date(ms)),
);
const property = fc.oneof(text, fc.constantFrom('a', 'b', '__proto__', 'toString', '0', '10', '9'));
const part = fc.letrec<{ part: KeyPart; tuple: KeyPart[]; object: { [name: string]: KeyPart } }>((tie) => ({
  part: fc.oneof({ depthSize: 'small', withCrossShrink: true }, leaf, tie('tuple'), tie('object')),
  tuple: fc.array(tie('part'), { maxLength: 3 }),
  object: fc.dictionary(property, tie('part'), { maxKeys: 3 }),
})).part;
const tuple = fc.array(part, { minLength: 1, maxLength: 4 }).filter(([first]) => !Array.isArray(first));
const key: fc.Arbitrary<Key> = fc.oneof(text, tuple);
const prefix = fc
  .array(fc.string({ unit: fc.constantFrom('a', 'b', '.', '-', '_', '9'), minLength: 1, maxLength: 3 }), {
    minLength: 1,
    maxLength: 3,
  })
  .map((names) => names.join('/'));

/** A way of writing keys that is plainly injective, to compare with. */
function canonical(value: KeyPart): string {
  if (isTuple(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof Date) return `Date ${value.getTime()}`;
  if (typeof value === 'object' && value !== null) {
    const properties = Object.entries(value).map(([name, inner]) => `${JSON.stringify(name)}: ${canonical(inner)}`);
    return `{${properties.sort().join(',')}}`;
  }
  return `${typeof value} ${Object.is(value, -0) ? 0 : String(value)}`;
}

function isTuple(value: KeyPart): value is readonly KeyPart[] {
  return Array.isArray(value);
}

/** The same value, with the properties of every object in another order. */
function reordered(value: KeyPart): KeyPart {
  if (isTuple(value)) return value.map(reordered);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  const entries = Object.entries(value).map(([name, inner]) => [name, reordered(inner)] as const);
  return Object.fromEntries(entries.toReversed());
}

class City {
  readonly id = 7;
}
class LocalDate extends Date {}

function itself(): unknown {
  const object: { self?: unknown } = {};
  object.self = object;
  return object;
}

describe('a key', () => {
  it('has a place of its own', () => {
    const twin = fc.oneof(
      fc.tuple(key, key),
      key.map((one): [Key, Key] => [one, one]),
    );
    fc.assert(
      fc.property(prefix, prefix, twin, (prefixA, prefixB, [a, b]) => {
        const same = prefixA === prefixB && canonical(a) === canonical(b);
        expect(encodeKey(prefixA, a) === encodeKey(prefixB, b)).toBe(same);
      }),
      { numRuns: 5000 },
    );
  });

  it('has a place of its own among many', () => {
    fc.assert(
      fc.property(fc.array(key, { minLength: 50, maxLength: 100 }), (keys) => {
        const places = new Map<string, string>();
        for (const each of keys) {
          const place = encodeKey('hs', each);
          expect(places.get(place) ?? canonical(each)).toBe(canonical(each));
          places.set(place, canonical(each));
        }
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ['a', ['a']],
    [
      ['a', 7],
      ['a', '7'],
    ],
    [
      ['a', 7],
      ['a', 7n],
    ],
    [['a', 'b'], ['a:b']],
    ['a:b', ['a', 'b']],
    [
      ['a', null],
      ['a', 'null'],
    ],
    [
      ['a', null],
      ['a', undefined],
    ],
    [
      ['a', null],
      ['a', ''],
    ],
    [
      ['a', true],
      ['a', 'true'],
    ],
    [
      ['a', []],
      ['a', ['']],
    ],
    [
      ['a', [[]]],
      ['a', ['', '']],
    ],
    [
      ['a', ['b', 'c']],
      ['a', ['b,c']],
    ],
    [
      ['a', ['b'], 'c'],
      ['a', ['b', 'c']],
    ],
    [
      ['a', [['b'], 'c']],
      ['a', [['b', 'c']]],
    ],
    ['', ['']],
    ['%20', ' '],
    ['é', 'e\u0301'],
    ['a', 'A'],
    [
      ['a', 1e21],
      ['a', '1e21'],
    ],
    [
      ['a', 0.1],
      ['a', 0, 1],
    ],
    [
      ['a', {}],
      ['a', []],
    ],
    [
      ['a', { b: undefined }],
      ['a', {}],
    ],
    [
      ['a', { b: 1, c: 2 }],
      ['a', { b: 2, c: 1 }],
    ],
    [
      ['a', { b: { c: 1 } }],
      ['a', { b: {}, c: 1 }],
    ],
    [
      ['a', { 'b=#1:c': 2 }],
      ['a', { b: 1, c: 2 }],
    ],
    [
      ['a', { 0: 'b' }],
      ['a', ['b']],
    ],
    [
      ['a', new Date(7)],
      ['a', 7],
    ],
    [
      ['a', new Date(7)],
      ['a', '1970-01-01T00:00:00.007Z'],
    ],
  ] as const)('is not another one: pair %#', (a, b) => {
    expect(encodeKey('hs', a)).not.toBe(encodeKey('hs', b));
  });

  it('is the same in whatever order the properties of an object stand', () => {
    fc.assert(
      fc.property(part, (each) => {
        expect(encodeKey('hs', ['a', reordered(each)])).toBe(encodeKey('hs', ['a', each]));
      }),
      { numRuns: 2000 },
    );
    const bare: { [name: string]: KeyPart } = Object.assign(Object.create(null), { b: 1, a: 2 });
    expect(encodeKey('hs', ['a', bare])).toBe(encodeKey('hs', ['a', { a: 2, b: 1 }]));
  });

  it('is the same for equal numbers', () => {
    expect(encodeKey('hs', ['a', -0])).toBe(encodeKey('hs', ['a', 0]));
    expect(encodeKey('hs', ['a', 1e3])).toBe(encodeKey('hs', ['a', 1000]));
  });

  it('is written as its users can read it', () => {
    expect(encodeKey('hs', 'city:7')).toBe('hs=city:7');
    expect(encodeKey('hs', ['city', 7])).toBe('hs:city:#7');
    expect(encodeKey('hs/geo', ['near', 43.7, -7.2, null, undefined, true, 5n, ['x', []]])).toBe(
      'hs/geo:near:#43.7:#-7.2:@:@@:&true:+5:[:x:[]]',
    );
    expect(encodeKey('hs', ['find', { page: 2, country: 'FR', near: [1, { km: 5 }] }, new Date(86_400_000)])).toBe(
      'hs:find:<:country=FR:near=[:#1:<:km=#5>]:page=#2>:^86400000',
    );
    expect(encodeKey('hs', ['find', {}, { 'a=b': undefined }])).toBe('hs:find:<>:<:a%3Db=@@>');
    expect(encodeKey('hs', 'Zürich HB')).toBe('hs=Z%C3%BCrich%20HB');
  });

  it('fits into any backend', () => {
    fc.assert(
      fc.property(prefix, key, (name, each) => {
        expect(encodeKey(name, each)).toMatch(contract);
      }),
      { numRuns: 2000 },
    );
  });

  it('is hashed when it is long, to a place of its own', () => {
    const long = 'x'.repeat(1000);
    const places = [
      encodeKey('hs', long),
      encodeKey('hs', [long]),
      encodeKey('hs', `${long}y`),
      encodeKey('hs2', long),
    ];
    expect(new Set(places).size).toBe(4);
    for (const place of places) expect(place).toMatch(contract);
    expect(places[0]).toMatch(/^hs\$[\w-]{43}$/);
    for (let length = 190; length < 210; length += 1) {
      expect(encodeKey('hs', 'x'.repeat(length)).length).toBeLessThanOrEqual(200);
    }
    expect(encodeKey('p'.repeat(120), '😀'.repeat(5000))).toMatch(contract);
  });

  it.each([
    ['a lone surrogate', 'a\ud800'],
    ['a lone surrogate in a tuple', ['a', '\udc00b']],
    ['NaN', ['a', Number.NaN]],
    ['an infinity', ['a', -Infinity]],
    ['an object', { id: 7 }],
    ['an instance of a class', ['a', new City()]],
    ['a Map', ['a', new Map()]],
    ['an invalid Date', ['a', new Date(Number.NaN)]],
    ['a Date of its own kind', ['a', new LocalDate(7)]],
    ['an object that only looks like a Date', ['a', Object.create(Date.prototype)]],
    ['an object with a function in it', ['a', { b: never }]],
    ['an object with a lone surrogate in a name', ['a', { '\ud800': 1 }]],
    ['an object that is nested too deep', ['a', { b: { b: { b: { b: { b: { b: { b: { b: { b: 1 } } } } } } } } }]],
    ['an object that contains itself', ['a', itself()]],
    ['a symbol', ['a', Symbol('s')]],
    ['a function', ['a', never]],
    ['an empty tuple', []],
    ['a number', 7],
    ['null', null],
    ['nothing', undefined],
    ['a tuple that is nested too deep', ['a', [[[[[[[[['x']]]]]]]]]]],
    ['a list of one key', [['city', 7]]],
    ['a list of keys', [['city', 7], 'cities']],
  ])('is refused if it is %s', async (_, bad) => {
    const { cache, wire } = shelves();
    expect(await codeOf(cache.get(bad as Key, never))).toBe('KEY_INVALID');
    expect(await codeOf(cache.set(bad as Key, 1))).toBe('KEY_INVALID');
    expect(wire.sent).toEqual([]);
  });

  it('is refused with a hint where a list of keys is taken for one', async () => {
    const { cache } = shelves();
    await expect(cache.invalidate([['city', 7]])).rejects.toThrow(/got a list of keys/);
    await expect(cache.invalidateTags([[['country', 'FR']]])).rejects.toThrow(/got a list of keys/);
    await expect(cache.mutate([], ({ invalidateTags }) => invalidateTags([['country', 'FR']]))).rejects.toThrow(
      /got a list of keys/,
    );
  });

  it('is refused with a hint which class it was that it cannot have', () => {
    expect(() => encodeKey('hs', ['a', new City()] as unknown as Key)).toThrow(/an instance of City\. Put in the key/);
  });

  it('may have control characters', async () => {
    const { cache } = shelves();
    await cache.set('a\r\nflush_all\r\n', 1);
    expect(await cache.get('a\r\nflush_all\r\n', never)).toBe(1);
    expect(await cache.peek('a')).toBeUndefined();
  });
});

describe('known keys', () => {
  it('are the same as written ones, also when there are more than are remembered', () => {
    const known = new KnownKeys('hs');
    const keys: Key[] = [];
    for (let index = 0; index < 6000; index += 1) {
      keys.push(`k${index}`, ['pair', index], ['pair', `${index}`], [`own${index}`, 1], ['a', 1, index]);
      keys.push(['a', index, 'b', 1], ['a', index, 'b', 1, 2], [index, 'a'], ['a', { index }], ['a', new Date(index)]);
    }
    for (const each of [...keys, ...keys.toReversed()]) {
      expect(known.find(each) ?? known.write(each)).toBe(encodeKey('hs', each));
    }
  });

  it('never answer for a key that must be refused', () => {
    const known = new KnownKeys('hs');
    known.write(['a', 0]);
    known.write('a');
    for (const bad of [['a', Number.NaN], ['a', undefined, 1], [], { 0: 'a', 1: 0, length: 2 }, null, undefined]) {
      expect(known.find(bad as unknown as Key)).toBeUndefined();
    }
    expect(known.find(['a', -0])).toBe('hs:a:#0');
    expect(known.find(['a', '0'])).toBeUndefined();
    expect(known.find([['a'], 0])).toBeUndefined();
    expect(known.find(['a'])).toBeUndefined();
    expect(known.find(['a', 0, undefined])).toBeUndefined();
  });

  it('never answer for an object that has changed', () => {
    const known = new KnownKeys('hs');
    const filter: Record<string, number> = { page: 1 };
    const first = known.write(['find', filter]);
    filter['page'] = 2;
    const key: Key = ['find', filter];
    expect(known.find(key) ?? known.write(key)).not.toBe(first);
  });
});
