/** The cases of the values suite about lists of keys, for backends that know theirs. */

import assert from 'node:assert/strict';
import type { Values } from '../backend/values.ts';
import { bytesOf } from './bytes.ts';
import { expectError, expectExpiry, type Define } from './suite.ts';

/** More than any adapter lists in one portion. */
const many = 1300;

export function defineListCases(it: Define<'values'>): void {
  it('lists the keys that begin with a prefix, each once and no others', async ({ backend: { values }, peer, key }) => {
    if (values.list === undefined) return;
    const start = key();
    const names = Array.from({ length: many }, (_, index) => `${start}:{${index % 40}}:${index}`);
    await Promise.all([`${start}!`, `x${start}:1`, start].map((name) => values.set(name, bytesOf('x'), 60_000)));
    await Promise.all(names.map((name) => values.set(name, bytesOf('x'), 60_000)));
    assert.deepEqual((await listed(values, `${start}:`)).toSorted(), names.toSorted());
    assert.deepEqual((await listed(peer.values, `${start}:`)).toSorted(), names.toSorted());
    assert.deepEqual(await listed(values, `${start}:{1}:1281`), [`${start}:{1}:1281`]);
    assert.deepEqual(await listed(values, `${start}?`), []);
  });

  it('takes every letter of a prefix as it is', async ({ backend: { values }, key }) => {
    if (values.list === undefined) return;
    const start = key();
    const prefix = `${start}*?[a-z]\\^\\*-`;
    await values.set(`${prefix}own`, bytesOf('x'), 60_000);
    // What a pattern would take for the same.
    for (const other of [`${start}xxa\\^*-`, `${start}*?a\\^\\*-`, `${start}*?[a-z]^*-`, `${start}*?[a-z]\\^\\x-`])
      await values.set(`${other}own`, bytesOf('x'), 60_000);
    assert.deepEqual(await listed(values, prefix), [`${prefix}own`]);
  });

  it('lists no key that was deleted, and none whose time is over', async (trial) => {
    const { values } = trial.backend;
    if (values.list === undefined) return;
    const start = trial.key();
    const names = ['a', 'b', 'c', 'd'].map((end) => `${start}:${end}`);
    for (const name of names) await values.set(name, bytesOf('x'), 60_000);
    await values.delete([`${start}:a`]);
    await values.take(`${start}:b`);
    const before = trial.elapsed();
    await values.set(`${start}:c`, bytesOf('x'), trial.shortMs);
    await expectExpiry(trial, before, trial.shortMs, async () =>
      (await listed(values, `${start}:`)).includes(`${start}:c`),
    );
    assert.deepEqual(await listed(values, `${start}:`), [`${start}:d`]);
  });

  it('lists a key that is there all the while, whatever comes and goes', async ({ backend: { values }, peer, key }) => {
    if (values.list === undefined) return;
    const start = key();
    const [staying, going] = ['s', 'g'].map((kind) => Array.from({ length: 700 }, (_, n) => `${start}:${kind}${n}`));
    assert.ok(staying !== undefined && going !== undefined);
    await Promise.all([...staying, ...going].map((name) => values.set(name, bytesOf('x'), 60_000)));
    const found: string[] = [];
    let portions = 0;
    for await (const keys of values.list(`${start}:`)) {
      found.push(...keys);
      portions += 1;
      if (portions > 3) continue;
      // Goes and comes again, beside others that are new.
      await peer.values.delete(going);
      const fresh = Array.from({ length: 400 }, (_, n) => `${start}:n${portions}.${n}`);
      await Promise.all([...going, ...fresh, ...staying.slice(0, 50)].map((name) => set(peer.values, name)));
    }
    assert.deepEqual(
      staying.filter((name) => !found.includes(name)),
      [],
    );
    assert.equal(new Set(found).size, found.length, 'each key once');
  });

  it('refuses a list without a prefix, and one after close', async ({ backend, key }) => {
    const { values } = backend;
    if (values.list === undefined) return;
    await values.set(key(), bytesOf('x'), 60_000);
    for (const prefix of ['', 'a b', 'k'.repeat(241)]) await expectError(listed(values, prefix), 'KEY_INVALID');
    const prefix = key();
    await backend.close();
    await expectError(listed(values, prefix), 'CLOSED');
  });
}

const set = (values: Values, name: string) => values.set(name, bytesOf('y'), 60_000);

async function listed(values: Values, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const keys of values.list?.(prefix) ?? []) found.push(...keys);
  return found;
}
