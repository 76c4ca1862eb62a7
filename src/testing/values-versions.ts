/** The cases of the values suite about versions and about who wins when many ask at once. */

import assert from 'node:assert/strict';
import type { Version } from '../backend/values.ts';
import { bytesOf, expectBytes } from './bytes.ts';
import type { Define } from './suite.ts';

const callers = 50;

export function defineVersionCases(it: Define<'values'>): void {
  it('gives every stored state a version of its own', async ({ backend: { values }, key }) => {
    const name = key();
    const versions: (Version | undefined)[] = [];
    versions.push(await values.set(name, bytesOf('same'), 60_000));
    versions.push(await values.set(name, bytesOf('same'), 60_000));
    versions.push(await values.cas(name, versions[1] as Version, bytesOf('same'), 60_000));
    await values.delete([name]);
    versions.push(await values.add(name, bytesOf('same'), 60_000));
    await values.take(name);
    versions.push(await values.add(name, bytesOf('same'), 60_000));
    assert.ok(!versions.includes(undefined), 'every write was done');
    assert.equal(new Set(versions).size, 5);
  });

  it('gives the same version to the writer and to every reader', async ({ backend: { values }, peer, key }) => {
    const name = key();
    for (const write of [
      () => values.add(name, bytesOf('1'), 60_000),
      () => values.set(name, bytesOf('2'), 60_000),
      async () => values.cas(name, (await values.get(name))?.version as Version, bytesOf('3'), 60_000),
    ]) {
      const version = await write();
      assert.notEqual(version, undefined);
      assert.equal((await values.get(name))?.version, version);
      assert.equal((await peer.values.get(name))?.version, version);
    }
  });

  it('adds only where nothing is stored', async ({ backend: { values }, key }) => {
    const name = key();
    const version = await values.add(name, bytesOf('first'), 60_000);
    assert.notEqual(version, undefined);
    assert.equal(await values.add(name, bytesOf('second'), 60_000), undefined);
    expectBytes(await values.get(name), 'first');
    assert.equal((await values.get(name))?.version, version);
  });

  it(`lets one of ${callers} concurrent adds win`, async ({ backend, peer, key }) => {
    const name = key();
    const answers = await Promise.all(
      times(callers, (index) => (index % 2 ? backend : peer).values.add(name, bytesOf(`${index}`), 60_000)),
    );
    const winners = [...answers.keys()].filter((index) => answers[index] !== undefined);
    assert.equal(winners.length, 1);
    const stored = await backend.values.get(name);
    expectBytes(stored, `${winners[0]}`);
    assert.equal(stored?.version, answers[winners[0] ?? 0]);
  });

  it('replaces by cas exactly the state that the version names', async ({ backend: { values }, key }) => {
    const name = key();
    const first = await values.set(name, bytesOf('1'), 60_000);
    const second = await values.cas(name, first, bytesOf('2'), 60_000);
    assert.notEqual(second, undefined);
    expectBytes(await values.get(name), '2');
    assert.equal(await values.cas(name, first, bytesOf('3'), 60_000), undefined, 'a replaced version');
    expectBytes(await values.get(name), '2');
    assert.notEqual(await values.cas(name, second as Version, bytesOf('4'), 60_000), undefined);
    expectBytes(await values.get(name), '4');
  });

  it('refuses a cas once the state was deleted, taken or stored anew, even with equal bytes', async (trial) => {
    const { values } = trial.backend;
    const name = trial.key();
    const refuse = async (version: Version, why: string) => {
      assert.equal(await values.cas(name, version, bytesOf('wrong'), 60_000), undefined, why);
      assert.equal(await values.deleteIf(name, version), false, why);
    };
    let version = await values.set(name, bytesOf('same'), 60_000);
    await values.delete([name]);
    await refuse(version, 'deleted');
    assert.equal(await values.get(name), undefined, 'a refused cas stores nothing');
    await values.add(name, bytesOf('same'), 60_000);
    await refuse(version, 'deleted and added again');
    version = (await values.get(name))?.version as Version;
    await values.set(name, bytesOf('same'), 60_000);
    await refuse(version, 'set again');
    version = (await values.take(name))?.version as Version;
    await refuse(version, 'taken');
    await values.set(name, bytesOf('same'), 60_000);
    await refuse(version, 'taken and set again');
    expectBytes(await values.get(name), 'same');
  });

  it(`lets one of ${callers} concurrent cas of one version win`, async ({ backend, peer, key }) => {
    const name = key();
    const version = await backend.values.set(name, bytesOf('start'), 60_000);
    const answers = await Promise.all(
      times(callers, (index) => (index % 2 ? backend : peer).values.cas(name, version, bytesOf(`${index}`), 60_000)),
    );
    const winners = [...answers.keys()].filter((index) => answers[index] !== undefined);
    assert.equal(winners.length, 1);
    expectBytes(await backend.values.get(name), `${winners[0]}`);
  });

  it('loses no increment of concurrent get-and-cas loops', async ({ backend, peer, key }) => {
    const name = key();
    await backend.values.set(name, bytesOf('0'), 60_000);
    const increment = async (index: number) => {
      const { values } = index % 2 ? backend : peer;
      for (let done = 0, tries = 0; done < 5; tries += 1) {
        // Each refusal means that another one was done, of which there are 60.
        assert.ok(tries < 70, 'a cas of the state that was just read was refused too often');
        const stored = await values.get(name);
        assert.ok(stored !== undefined);
        const next = Number(new TextDecoder().decode(stored.bytes)) + 1;
        if ((await values.cas(name, stored.version, bytesOf(`${next}`), 60_000)) !== undefined) done += 1;
      }
    };
    await Promise.all(times(12, increment));
    expectBytes(await backend.values.get(name), '60');
  });

  it('deletes by deleteIf exactly the state that the version names', async ({ backend: { values }, key }) => {
    const name = key();
    const first = await values.set(name, bytesOf('1'), 60_000);
    const second = await values.set(name, bytesOf('2'), 60_000);
    assert.equal(await values.deleteIf(name, first), false);
    expectBytes(await values.get(name), '2');
    assert.equal(await values.deleteIf(name, second), true);
    assert.equal(await values.get(name), undefined);
    assert.equal(await values.deleteIf(name, second), false);
  });

  it(`lets one of ${callers} concurrent deleteIf win`, async ({ backend, peer, key }) => {
    const name = key();
    const version = await backend.values.set(name, bytesOf('x'), 60_000);
    const answers = await Promise.all(
      times(callers, (index) => (index % 2 ? backend : peer).values.deleteIf(name, version)),
    );
    assert.equal(answers.filter(Boolean).length, 1);
  });

  it(`gives a value to one of ${callers} concurrent takes`, async ({ backend, peer, key }) => {
    const name = key();
    assert.equal(await backend.values.take(name), undefined);
    const version = await backend.values.set(name, bytesOf('prize'), 60_000);
    const answers = await Promise.all(times(callers, (index) => (index % 2 ? backend : peer).values.take(name)));
    const taken = answers.filter((answer) => answer !== undefined);
    assert.equal(taken.length, 1);
    expectBytes(taken[0], 'prize');
    assert.equal(taken[0]?.version, version);
    assert.equal(await backend.values.get(name), undefined);
  });

  it('counts a deleted key for one of several concurrent deletes', async ({ backend, peer, key }) => {
    const name = key();
    await backend.values.set(name, bytesOf('x'), 60_000);
    const counts = await Promise.all(times(10, (index) => (index % 2 ? backend : peer).values.delete([name])));
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      1,
    );
  });
}

function times<T>(count: number, fn: (index: number) => Promise<T>): Promise<T>[] {
  return Array.from({ length: count }, (_, index) => fn(index));
}
