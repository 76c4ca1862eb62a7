/** Shows that a value comes back as it was stored, and that what cannot come back is refused. */

import { isDeepStrictEqual } from 'node:util';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { HotshelfError, jsonCodec } from 'hotshelf';
import { anyValue } from './values.ts';

const key = 'hs:city:#7';

function roundTrip(value: unknown): unknown {
  const { payload, flags } = jsonCodec.encode(value, key);
  return jsonCodec.decode(Buffer.from(payload), flags, key);
}

function refusal(value: unknown): string {
  try {
    jsonCodec.encode(value, key);
  } catch (error) {
    if (error instanceof HotshelfError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'none';
}

describe('the json codec', () => {
  it('gives every value back as it was', () => {
    fc.assert(
      fc.property(anyValue, (given) => {
        fc.pre(given !== undefined);
        expect(isDeepStrictEqual(roundTrip(given), given)).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  it('says of a value whether it is plain JSON, and writes it as JSON does', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (given) => {
        const plain = !JSON.stringify([given], (_, part: unknown) =>
          Object.is(part, -0) ? 'minus zero' : part,
        ).includes('minus zero');
        const { payload, flags } = jsonCodec.encode(given, key);
        expect(jsonCodec.isPlain(flags)).toBe(plain);
        const written = Buffer.from(payload).toString('utf8');
        expect(written === JSON.stringify(given)).toBe(plain);
      }),
    );
    expect(jsonCodec.isPlain(jsonCodec.encode({ at: new Date() }, key).flags)).toBe(false);
  });

  it.each([
    ['a Buffer as the bytes that it is', Buffer.from([1, 2, 255]), new Uint8Array([1, 2, 255])],
    ['a part of a larger buffer', new Uint8Array([9, 1, 2, 9]).subarray(1, 3), new Uint8Array([1, 2])],
    ['a hole in an array as undefined', [1, , 3], [1, undefined, 3]], // oxlint-disable-line no-sparse-arrays
    ['an object without a prototype', Object.assign(Object.create(null) as object, { a: 1 }), { a: 1 }],
    [
      'an instance by its own members',
      new (class Point {
        x = 1;
        y = undefined;
      })(),
      { x: 1, y: undefined },
    ],
    [
      'an instance as it says of itself',
      new (class {
        secret = 1;
        toJSON() {
          return { at: new Date(5) };
        }
      })(),
      { at: new Date(5) },
    ],
    ['a URL as its text', new URL('http://h/p'), 'http://h/p'],
    ['a plain object as it says of itself', { a: 1, toJSON: () => [1n] }, [1n]],
    ['an object with a member toJSON', { toJSON: 5 }, { toJSON: 5 }],
    ['boxed values as JSON does', [Object(5), Object('text'), Object(false), Object(5n)], [5, 'text', false, 5n]],
    ['an invalid Date', [new Date(Number.NaN)], [new Date(Number.NaN)]],
    ['an invalid Date in a Map', new Map([['at', new Date(Number.NaN)]]), new Map([['at', new Date(Number.NaN)]])],
    ['a part that stands in it twice', [[1], [1]].map((_, __, all) => all[0]), [[1], [1]]],
  ])('writes %s', (_, given, expected) => {
    expect(roundTrip(given)).toStrictEqual(expected);
  });

  it('would be caught with a valid Date for an invalid one (control)', () => {
    expect([new Date(Number.NaN)]).not.toStrictEqual([new Date(0)]);
    expect(new Map([['at', new Date(0)]])).not.toStrictEqual(new Map([['at', new Date(Number.NaN)]]));
  });

  it('keeps an own member __proto__ a member', () => {
    const given: unknown = JSON.parse('{"__proto__":{"admin":true},"n":1}');
    for (const sent of [given, { at: new Date(0), given }]) {
      const back = roundTrip(sent) as Record<string, unknown>;
      expect(back).toStrictEqual(sent);
      expect('admin' in back).toBe(false);
    }
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
  });

  it('knows values of another realm', () => {
    const given: unknown = runInNewContext(
      `({ date: new Date(5), map: new Map([[1, new Set([2])]]), bytes: new Uint8Array([1]), list: [undefined], own: { a: 1 } })`,
    );
    expect(roundTrip(given)).toStrictEqual({
      date: new Date(5),
      map: new Map([[1, new Set([2])]]),
      bytes: new Uint8Array([1]),
      list: [undefined],
      own: { a: 1 },
    });
    for (const code of [
      'new Promise(() => {})',
      '/x/',
      'new Error("x")',
      'new WeakMap()',
      'new ArrayBuffer(1)',
      'Symbol()',
    ])
      expect(refusal([runInNewContext(code)])).toMatch(/^VALUE_INVALID/);
  });

  it('takes 400 levels', () => {
    let given: unknown = 1n;
    for (let level = 0; level < 400; level += 1) given = [given];
    expect(roundTrip(given)).toStrictEqual(given);
  });

  const cycle: { self?: unknown; at: Date } = { at: new Date() };
  cycle.self = [cycle];
  const plainCycle: unknown[] = [];
  plainCycle.push({ plainCycle });
  let deep: unknown = 1;
  for (let level = 0; level < 100_000; level += 1) deep = [deep];
  const mapCycle = new Map<string, unknown>();
  mapCycle.set('me', mapCycle);
  it.each([
    ['nothing', undefined],
    ['a function', () => 1],
    ['a class', Date],
    ['a symbol', Symbol('s')],
    ['a function inside', { a: [{ b: () => 1 }] }],
    ['a symbol inside', { a: 1n, b: Symbol('s') }],
    ['a cycle', cycle],
    ['a cycle in plain JSON', plainCycle],
    ['a cycle through a Map', mapCycle],
    [
      'an object that says it is itself',
      {
        toJSON() {
          return this;
        },
      },
    ],
    [
      'an object that never ends',
      {
        toJSON() {
          return { ...this };
        },
      },
    ],
    ['something very deep', deep],
    ['a promise', Promise.resolve(1)],
    ['a pattern', { a: /x/ }],
    ['an error', new TypeError('x')],
    ['a WeakMap', new WeakMap()],
    ['a WeakSet', new WeakSet()],
    ['a WeakRef', new WeakRef({})],
    ['an ArrayBuffer', new ArrayBuffer(2)],
    ['a DataView', new DataView(new ArrayBuffer(2))],
    ['floats', new Float64Array(2)],
    ['clamped bytes', new Uint8ClampedArray(2)],
    ['big integers', [new BigInt64Array(2)]],
  ])('refuses %s', (_, given) => {
    expect(refusal(given)).toMatch(/^VALUE_INVALID: \w/);
  });

  it('shows nothing of a refused value', () => {
    expect(refusal({ password: 'hunter2', fn: () => 'hunter2' })).not.toContain('hunter2');
  });

  it('refuses, with an error that becomes a miss, tagged parts that it does not know', () => {
    const rich = jsonCodec.encode(1n, key).flags;
    for (const bad of ['{"$unknown":1}', '{"$bigint":"x"}', '{"$map":5}', '[', ''])
      expect(() => jsonCodec.decode(Buffer.from(bad), rich, key)).toThrow(Error);
  });

  it('reads what the first format wrote', () => {
    const golden =
      '{"date":{"$date":1700000000000},"map":{"$map":[["a",{"$num":"-0"}]]},"set":{"$set":[{"$undefined":0}]},"big":{"$bigint":"7"},"bytes":{"$bytes":"AQL/"},"own":{"$object":{"$date":1}}}';
    expect(jsonCodec.decode(Buffer.from(golden), 3, key)).toStrictEqual({
      date: new Date(1_700_000_000_000),
      map: new Map([['a', -0]]),
      set: new Set([undefined]),
      big: 7n,
      bytes: new Uint8Array([1, 2, 255]),
      own: { $date: 1 },
    });
  });
});
