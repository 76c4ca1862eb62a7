/** The conformance suite of `values.changes`, for backends whose server tells of changes by anybody. */

import assert from 'node:assert/strict';
import type { SubscribeOptions, Subscription } from '../backend/bus.ts';
import type { Changes } from '../backend/values.ts';
import { bytesOf } from './bytes.ts';
import {
  expectError,
  expectExpiry,
  expectSoon,
  suite,
  type ConformanceCase,
  type Define,
  type SuiteOptions,
  type Trial,
} from './suite.ts';

export interface ChangesSuiteOptions extends SuiteOptions<'values'> {
  readonly outside: Outside;
}

/** What others do to the server. It should have no other users: it is flushed, and its connections are cut. */
export interface Outside {
  /** Writes a key, named as the backend names it, as any other program would. */
  set(key: string, text: string): Promise<unknown>;
  /** Deletes everything. */
  flush(): Promise<unknown>;
  /** Closes the connections that changes are told on. */
  cut(): Promise<unknown>;
}

/**
 * Returns the cases that `values.changes` must pass; run one after the other.
 *
 * @example
 * for (const { name, run } of changesSuite({ create, outside })) it(name, run);
 */
export function changesSuite(options: ChangesSuiteOptions): readonly ConformanceCase[] {
  const { outside } = options;
  return suite(options, (it) => {
    defineWriteCases(it, outside);
    defineProbeCases(it);
    defineGapCases(it, outside);
    defineEndCases(it, outside);
  });
}

/** What one watch was told: keys, `all`, and the states of its gaps. */
interface Told {
  readonly facts: string[];
  readonly subscription: Subscription;
}

function changesOf(trial: Trial<'values'>): Changes {
  const { changes } = trial.backend.values;
  assert.ok(changes !== undefined, 'the backend has no `values.changes`');
  return changes;
}

async function watch(trial: Trial<'values'>, prefix: string, options?: SubscribeOptions): Promise<Told> {
  const facts: string[] = [];
  const listener = (keys: readonly string[] | undefined) => void facts.push(...(keys ?? ['all']));
  const onGap = (state: string) => void facts.push(state);
  return { facts, subscription: await changesOf(trial).watch(prefix, listener, { onGap, ...options }) };
}

function defineWriteCases(it: Define<'values'>, outside: Outside): void {
  it('tells of every verb that writes, whoever calls it', async (trial) => {
    const prefix = trial.key();
    const told = await watch(trial, `${prefix}/`);
    for (const { values } of [trial.backend, trial.peer]) {
      const next = async (what: string, write: (key: string) => Promise<unknown>) => {
        const key = `${prefix}/${what}`;
        await values.set(key, bytesOf('old'), Infinity);
        await expectSoon(trial, `a word of set before ${what}`, () => told.facts.includes(key));
        told.facts.length = 0;
        assert.ok(await write(key), `${what} did nothing`);
        await expectSoon(trial, `a word of ${what}`, () => told.facts.includes(key));
        told.facts.length = 0;
      };
      const versionOf = async (key: string) => {
        const stored = await values.get(key);
        assert.ok(stored !== undefined);
        return stored.version;
      };
      await next('set', (key) => values.set(key, bytesOf('new'), 60_000));
      await next('cas', async (key) => values.cas(key, await versionOf(key), bytesOf('new'), 60_000));
      await next('touch', (key) => values.touch(key, 60_000));
      await next('delete', (key) => values.delete([key]));
      await next('deleteIf', async (key) => values.deleteIf(key, await versionOf(key)));
      await next('take', (key) => values.take(key));
      await values.add(`${prefix}/add`, bytesOf('new'), Infinity);
      await expectSoon(trial, 'a word of add', () => told.facts.includes(`${prefix}/add`));
      await values.delete([`${prefix}/add`]);
    }
  });

  it('tells of what another program writes, and of nothing beside the prefix', async (trial) => {
    const prefix = trial.key();
    const told = await watch(trial, `${prefix}/a`);
    for (const key of [prefix, `${prefix}/`, `${prefix}/b`, `${prefix}/A`, `x${prefix}/a`]) await outside.set(key, 'x');
    await outside.set(`${prefix}/a`, 'x');
    await outside.set(`${prefix}/a:\u00e9`, 'x');
    await expectSoon(trial, 'a word of both', () => told.facts.length >= 2);
    assert.deepEqual(told.facts, [`${prefix}/a`, `${prefix}/a:\u00e9`]);
  });

  it('tells several watches, also of prefixes that overlap', async (trial) => {
    const prefix = trial.key();
    const all = await Promise.all([`${prefix}/`, `${prefix}/a`, `${prefix}/a`, ''].map((one) => watch(trial, one)));
    await trial.peer.values.set(`${prefix}/ab`, bytesOf('x'), Infinity);
    await expectSoon(trial, 'a word to all', () => all.every(({ facts }) => facts.includes(`${prefix}/ab`)));
  });

  it('tells that all may have changed when the server is flushed', async (trial) => {
    const prefix = trial.key();
    await trial.backend.values.set(`${prefix}/a`, bytesOf('x'), Infinity);
    const told = await watch(trial, prefix);
    await outside.flush();
    await expectSoon(trial, 'a word of all', () => told.facts.includes('all'));
    await outside.set(`${prefix}/b`, 'x');
    await expectSoon(trial, 'a word of the next write', () => told.facts.at(-1) === `${prefix}/b`);
  });

  it('tells of what ends with its time once it is gone', async (trial) => {
    const key = trial.key();
    const told = await watch(trial, key);
    const storedAfter = trial.elapsed();
    await trial.backend.values.set(key, bytesOf('x'), trial.shortMs);
    await expectSoon(trial, 'a word of set', () => told.facts.length > 0);
    told.facts.length = 0;
    const isThere = async () => (await trial.peer.values.get(key)) !== undefined;
    await expectExpiry(trial, storedAfter, trial.shortMs, isThere);
    await expectSoon(trial, 'a word of the end', () => told.facts.includes(key));
  });
}

function defineProbeCases(it: Define<'values'>): void {
  it('has told before a probe is answered what was written before it was sent', async (trial) => {
    const prefix = trial.key();
    const resolvedAt: number[] = [];
    const missing: string[] = [];
    let probes = 0;
    const heard = new Set<string>();
    const onProbe = (sentAgoMs: number) => {
      probes += 1;
      const sentAt = trial.elapsed() - sentAgoMs;
      for (const [n, at] of resolvedAt.entries()) {
        if (at < sentAt && !heard.has(`${prefix}/${n}`)) missing.push(`key ${n}, probe ${probes}`);
      }
    };
    const listener = (keys: readonly string[] | undefined) => {
      for (const key of keys ?? []) heard.add(key);
    };
    await changesOf(trial).watch(prefix, listener, { probeEveryMs: 5, onProbe });
    await expectSoon(trial, 'the first probe', () => probes > 0);
    for (let n = 0; n < 100; n += 1) {
      await trial.peer.values.set(`${prefix}/${n}`, bytesOf('x'), 60_000);
      resolvedAt.push(trial.elapsed());
      if (n % 3 === 0) await trial.wait(2);
    }
    const before = probes;
    await expectSoon(trial, 'more probes', () => probes > before + 2);
    assert.deepEqual(missing, []);
    assert.equal(heard.size, 100);
  });
}

function defineGapCases(it: Define<'values'>, outside: Outside): void {
  it('reports a gap when its connection is lost, and tells again afterwards', async (trial) => {
    const prefix = trial.key();
    const [one, other] = [await watch(trial, prefix), await watch(trial, prefix)];
    for (const told of [one, other]) assert.deepEqual(told.facts, []);
    await outside.cut();
    await expectSoon(trial, 'both ends of both gaps', () => [one, other].every(({ facts }) => facts.length >= 2));
    await outside.set(`${prefix}/after`, 'x');
    await expectSoon(trial, 'a word', () => [one, other].every(({ facts }) => facts.length >= 3));
    for (const told of [one, other]) assert.deepEqual(told.facts, ['lost', 'restored', `${prefix}/after`]);
  });
}

function defineEndCases(it: Define<'values'>, outside: Outside): void {
  it('tells nothing to a watch that was closed, and goes on for the others', async (trial) => {
    const prefix = trial.key();
    const [closed, open] = [await watch(trial, prefix), await watch(trial, prefix)];
    await closed.subscription.close();
    await outside.set(`${prefix}/a`, 'x');
    await expectSoon(trial, 'a word', () => open.facts.length > 0);
    await closed.subscription.close();
    await trial.wait(20);
    assert.deepEqual([closed.facts, open.facts], [[], [`${prefix}/a`]]);
  });

  it('refuses everything with CLOSED after close, and tells nothing more', async (trial) => {
    const prefix = trial.key();
    const changes = changesOf(trial);
    const told = await watch(trial, prefix);
    await trial.backend.close();
    await expectError(
      changes.watch(prefix, () => {}),
      'CLOSED',
    );
    await outside.set(`${prefix}/a`, 'x');
    await trial.wait(20);
    assert.deepEqual(told.facts, []);
  });
}
