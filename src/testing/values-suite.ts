/** The conformance suite of the values facet: every sentence of the contract as a case. */

import assert from 'node:assert/strict';
import type { Values, Version } from '../backend/values.ts';
import { bytesOf, expectBytes } from './bytes.ts';
import { expectError, suite, type ConformanceCase, type Define, type SuiteOptions } from './suite.ts';
import { defineLifetimeCases } from './values-lifetimes.ts';
import { defineListCases } from './values-lists.ts';
import { defineVersionCases } from './values-versions.ts';

/**
 * Returns the cases that the values of every adapter must pass, for whatever runs tests.
 *
 * @example
 * for (const { name, run } of valuesSuite({ create })) it(name, run);
 */
export function valuesSuite(options: SuiteOptions<'values'>): readonly ConformanceCase[] {
  return suite(options, (it) => {
    defineStorageCases(it);
    defineVersionCases(it);
    defineLifetimeCases(it);
    defineListCases(it);
    defineRefusalCases(it);
  });
}

function defineStorageCases(it: Define<'values'>): void {
  it('returns undefined for a key that was never stored', async ({ backend: { values }, key }) => {
    assert.equal(await values.get(key()), undefined);
    assert.deepEqual(await values.getMany([key(), key()]), [undefined, undefined]);
  });

  it('returns the bytes that were stored last', async ({ backend: { values }, peer, key }) => {
    const name = key();
    await values.set(name, bytesOf('first'), Infinity);
    await values.set(name, bytesOf('second'), 60_000);
    expectBytes(await values.get(name), 'second');
    expectBytes(await peer.values.get(name), 'second');
  });

  it('keeps empty bytes apart from nothing', async ({ backend: { values }, key }) => {
    const name = key();
    assert.notEqual(await values.add(name, new Uint8Array(), 60_000), undefined);
    expectBytes(await values.get(name), '');
    assert.equal(await values.add(name, bytesOf('x'), 60_000), undefined);
    expectBytes(await values.take(name), '');
  });

  it('keeps all 256 byte values, also of a view into a larger buffer', async ({ backend: { values }, key }) => {
    const every = Uint8Array.from({ length: 1024 }, (_, index) => index % 256);
    const [whole, view] = [key(), key()];
    await values.set(whole, every, 60_000);
    await values.set(view, every.subarray(250, 270), 60_000);
    expectBytes(await values.get(whole), every);
    expectBytes(await values.get(view), every.slice(250, 270));
  });

  it('keeps what was stored when the caller writes to its bytes later', async ({ backend: { values }, key }) => {
    const name = key();
    const bytes = bytesOf('before');
    await values.set(name, bytes, 60_000);
    bytes.fill(0);
    expectBytes(await values.get(name), 'before');
  });

  it('answers 200 gets of one tick, each with its own value', async ({ backend: { values }, key }) => {
    const names = Array.from({ length: 50 }, key);
    await Promise.all(names.map((name) => values.set(name, bytesOf(name), 60_000)));
    const asked = Array.from({ length: 200 }, (_, index) =>
      index % 4 === 3 ? key() : (names[(index * 7) % 50] ?? ''),
    );
    const answers = await Promise.all(asked.map((name) => values.get(name)));
    for (const [index, name] of asked.entries()) {
      if (index % 4 === 3) assert.equal(answers[index], undefined);
      else expectBytes(answers[index], name);
    }
  });

  it('answers getMany in the order of its keys, with duplicates and gaps', async ({ backend: { values }, key }) => {
    const [a, b, missing] = [key(), key(), key()];
    await values.set(a, bytesOf('a'), 60_000);
    const version = await values.set(b, bytesOf('b'), 60_000);
    const [many, one, none] = await Promise.all([
      values.getMany([b, missing, a, b]),
      values.get(a),
      values.getMany([]),
    ]);
    assert.equal(many.length, 4);
    expectBytes(many[0], 'b');
    assert.equal(many[0]?.version, version);
    assert.equal(many[1], undefined);
    expectBytes(many[2], 'a');
    expectBytes(many[3], 'b');
    expectBytes(one, 'a');
    assert.deepEqual(none, []);
  });

  it('takes keys of 240 characters and tells keys apart that differ in one', async ({ backend: { values }, key }) => {
    const start = key();
    const printable = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).join('');
    const names = ['a', 'A', '~', '!', '{'].map((last) => `${start}${'k'.repeat(239 - start.length)}${last}`);
    names.push(start + printable, `${start}__proto__`, `${start}\\r\\n`);
    await Promise.all(names.map((name, index) => values.set(name, bytesOf(`${index}`), 60_000)));
    for (const [index, name] of names.entries()) expectBytes(await values.get(name), `${index}`);
  });

  it('counts what it deletes, each key once', async ({ backend: { values }, key }) => {
    const [a, b, missing] = [key(), key(), key()];
    await values.set(a, bytesOf('a'), 60_000);
    await values.set(b, bytesOf('b'), 60_000);
    assert.equal(await values.delete([]), 0);
    assert.equal(await values.delete([missing]), 0);
    assert.equal(await values.delete([a, missing, a, b]), 2);
    assert.equal(await values.delete([a, b]), 0);
    assert.deepEqual(await values.getMany([a, b]), [undefined, undefined]);
  });

  it('shows the same state to a peek as to a get', async ({ backend: { values }, key }) => {
    if (values.resident === undefined) return;
    const name = key();
    assert.equal(values.resident.peek(name), undefined);
    await values.set(name, bytesOf('first'), 60_000);
    const first = values.resident.peek(name);
    expectBytes(first, 'first');
    assert.equal(first?.version, (await values.get(name))?.version);
    assert.equal(first?.memo, undefined);
    first?.remember({ parsed: 1 }, 100);
    assert.deepEqual(values.resident.peek(name)?.memo, { parsed: 1 });
    await values.set(name, bytesOf('first'), 60_000);
    assert.notEqual(values.resident.peek(name), first);
    assert.equal(values.resident.peek(name)?.memo, undefined);
    await values.delete([name]);
    assert.equal(values.resident.peek(name), undefined);
  });

  it('drops the keys that begin with one of the prefixes, and no others', async ({ backend: { values }, key }) => {
    if (values.resident === undefined) return;
    const start = key();
    const names = [`${start}=a`, `${start}=b`, `${start}:c`, `${start}x`, `${start}.=`];
    for (const name of names) await values.set(name, bytesOf(name), 60_000);
    values.resident.drop([`${start}=`, `${start}:`]);
    const left = (await values.getMany(names)).map((stored) => stored !== undefined);
    assert.deepEqual(left, [false, false, false, true, true]);
  });
}

/** Values up to this size are really sent; an adapter that takes more is trusted from there on. */
const largestSent = 32 * 1024 * 1024;

function defineRefusalCases(it: Define<'values'>): void {
  it('takes a value of maxValueBytes', async ({ backend: { values }, key }) => {
    const name = key();
    const bytes = Uint8Array.from({ length: 997 }, (_, index) => index);
    const big = new Uint8Array(Math.min(values.maxValueBytes, largestSent));
    for (let at = 0; at < big.length; at += bytes.length) big.set(bytes.subarray(0, big.length - at), at);
    await values.set(name, big, 60_000);
    expectBytes(await values.get(name), big);
    assert.equal(await values.delete([name]), 1);
  });

  it('refuses a value of one byte more and keeps the old one', async ({ backend: { values }, key }) => {
    const [name, missing] = [key(), key()];
    const version = await values.set(name, bytesOf('old'), 60_000);
    const tooLarge = new Uint8Array(values.maxValueBytes + 1);
    await expectError(values.set(name, tooLarge, 60_000), 'VALUE_TOO_LARGE');
    await expectError(values.cas(name, version, tooLarge, 60_000), 'VALUE_TOO_LARGE');
    await expectError(values.add(missing, tooLarge, 60_000), 'VALUE_TOO_LARGE');
    expectBytes(await values.get(name), 'old');
    assert.equal((await values.get(name))?.version, version);
    assert.equal(await values.get(missing), undefined);
  });

  for (const [what, bad] of badKeys) {
    it(`refuses ${what} as a key, with every verb`, async ({ backend: { values }, key }) => {
      for (const call of everyVerb(values, bad, key())) await expectError(call(), 'KEY_INVALID');
    });
  }

  it('refuses everything with CLOSED after close', async ({ backend, key }) => {
    const name = key();
    await backend.values.set(name, bytesOf('x'), 60_000);
    await backend.close();
    for (const call of everyVerb(backend.values, name, key())) await expectError(call(), 'CLOSED');
    assert.equal(backend.values.resident?.peek(name), undefined);
  });
}

const badKeys: readonly (readonly [string, string])[] = [
  ['an empty string', ''],
  ['a string of 241 characters', 'k'.repeat(241)],
  ['a string with a blank', 'a b'],
  ['a string with a line break', 'a\r\nget b'],
  ['a string with a letter beyond ASCII', 'caf\u00e9'],
  ['a string with a control character', 'a\u007f'],
];

function everyVerb(values: Values, name: string, other: string): (() => Promise<unknown>)[] {
  const bytes = bytesOf('x');
  // A version that was never given names no state.
  const version = '0' as Version;
  return [
    () => values.get(name),
    () => values.getMany([other, name]),
    () => values.set(name, bytes, 60_000),
    () => values.add(name, bytes, 60_000),
    () => values.cas(name, version, bytes, 60_000),
    () => values.touch(name, 60_000),
    () => values.delete([other, name]),
    () => values.deleteIf(name, version),
    () => values.take(name),
  ];
}
