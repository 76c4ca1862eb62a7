/** The cases of the values suite about lifetimes. */

import assert from 'node:assert/strict';
import type { Version } from '../backend/values.ts';
import { bytesOf, expectBytes } from './bytes.ts';
import { expectExpiry, type Define, type Trial } from './suite.ts';

export function defineLifetimeCases(it: Define<'values'>): void {
  it('lets a value of set go after its time and not before', async (trial) => {
    const { values } = trial.backend;
    const name = trial.key();
    const before = trial.elapsed();
    await values.set(name, bytesOf('x'), trial.shortMs);
    await expectExpiry(trial, before, trial.shortMs, async () => (await values.get(name)) !== undefined);
  });

  it('lets a value of add go after its time and not before, for getMany too', async (trial) => {
    const { values } = trial.backend;
    const name = trial.key();
    const before = trial.elapsed();
    await values.add(name, bytesOf('x'), trial.shortMs);
    await expectExpiry(trial, before, trial.shortMs, async () => (await values.getMany([name]))[0] !== undefined);
  });

  it('lets a value of cas go after the time of the cas', async (trial) => {
    const { values } = trial.backend;
    const name = trial.key();
    const version = await values.set(name, bytesOf('x'), Infinity);
    const before = trial.elapsed();
    assert.notEqual(await values.cas(name, version, bytesOf('y'), trial.shortMs), undefined);
    await expectExpiry(trial, before, trial.shortMs, async () => (await values.get(name)) !== undefined);
  });

  it('keeps a value that was replaced by one with a longer time', async (trial) => {
    const { values } = trial.backend;
    await inTime(trial, async (ttlMs, stillInTime) => {
      const [bySet, byCas] = [trial.key(), trial.key()];
      await values.set(bySet, bytesOf('x'), ttlMs);
      await values.set(bySet, bytesOf('kept'), Infinity);
      const version = await values.set(byCas, bytesOf('x'), ttlMs);
      if ((await values.cas(byCas, version, bytesOf('kept'), 60_000)) === undefined) return stillInTime();
      await trial.wait(ttlMs + 2 * trial.granularityMs + 20);
      expectBytes(await values.get(bySet), 'kept');
      expectBytes(await values.get(byCas), 'kept');
      return true;
    });
  });

  it('shortens a lifetime by touch and keeps the bytes', async (trial) => {
    const { values } = trial.backend;
    const name = trial.key();
    await values.set(name, bytesOf('kept'), Infinity);
    const before = trial.elapsed();
    assert.equal(await values.touch(name, trial.shortMs), true);
    await expectExpiry(trial, before, trial.shortMs, async () => {
      const stored = await values.get(name);
      if (stored !== undefined) expectBytes(stored, 'kept');
      return stored !== undefined;
    });
    assert.equal(await values.touch(name, 60_000), false);
  });

  it('lengthens a lifetime by touch; the state that is read then can be replaced', async (trial) => {
    const { values } = trial.backend;
    await inTime(trial, async (ttlMs, stillInTime) => {
      const [long, endless] = [trial.key(), trial.key()];
      await Promise.all([long, endless].map((name) => values.set(name, bytesOf('kept'), ttlMs)));
      const touched = await Promise.all([values.touch(long, 60_000), values.touch(endless, Infinity)]);
      if (touched.includes(false)) return stillInTime();
      await trial.wait(ttlMs + 2 * trial.granularityMs + 20);
      expectBytes(await values.get(endless), 'kept');
      const stored = await values.get(long);
      expectBytes(stored, 'kept');
      assert.notEqual(await values.cas(long, stored?.version as Version, bytesOf('new'), 60_000), undefined);
      return true;
    });
  });

  it('touches nothing where nothing is stored', async ({ backend: { values }, key }) => {
    const name = key();
    assert.equal(await values.touch(name, 60_000), false);
    assert.equal(await values.get(name), undefined);
  });

  it('treats an expired value as one that was never stored', async (trial) => {
    const { values } = trial.backend;
    const name = trial.key();
    const others = [trial.key(), trial.key(), trial.key()] as const;
    const before = trial.elapsed();
    const version = await values.set(name, bytesOf('old'), trial.shortMs);
    await Promise.all(others.map((other) => values.set(other, bytesOf('old'), trial.shortMs)));
    await trial.wait(trial.shortMs);
    // They may lie on several servers, each with a clock of its own.
    const left = async () => (await values.getMany([name, ...others])).some((stored) => stored !== undefined);
    await expectExpiry(trial, before, trial.shortMs, left);
    assert.equal(await values.cas(name, version, bytesOf('wrong'), 60_000), undefined);
    assert.equal(await values.deleteIf(name, version), false);
    assert.equal(await values.delete([others[0], others[2]]), 0);
    assert.equal(await values.take(others[1]), undefined);
    assert.equal(values.resident?.peek(name), undefined);
    const added = await values.add(name, bytesOf('new'), 60_000);
    assert.notEqual(added, undefined);
    assert.notEqual(added, version);
    expectBytes(await values.get(name), 'new');
  });

  it('keeps a value without an end', async (trial) => {
    const { values } = trial.backend;
    const name = trial.key();
    await values.set(name, bytesOf('x'), Infinity);
    await trial.wait(2 * trial.granularityMs + 50);
    expectBytes(await values.get(name), 'x');
  });

  it('takes lifetimes from one ms to ten years', async ({ backend: { values }, key }) => {
    const [brief, long] = [key(), key()];
    await values.set(brief, bytesOf('x'), 1);
    await values.set(long, bytesOf('x'), 3650 * 86_400_000);
    expectBytes(await values.get(long), 'x');
  });
}

/**
 * Runs `attempt` with longer and longer lifetimes until it says that it could do its steps within one. `stillInTime`
 * fails the case if the lifetime was not over: then it was not a slow machine.
 */
async function inTime(
  trial: Trial<'values'>,
  attempt: (ttlMs: number, stillInTime: () => boolean) => Promise<boolean>,
): Promise<void> {
  for (let ttlMs = trial.shortMs; ; ttlMs *= 4) {
    const before = trial.elapsed();
    const stillInTime = () => {
      assert.ok(trial.elapsed() - before >= ttlMs, 'refused although the lifetime was not over');
      return false;
    };
    if (await attempt(ttlMs, stillInTime)) return;
    assert.ok(ttlMs < 20_000, 'this machine is too slow for the case');
  }
}
