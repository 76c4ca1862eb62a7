/** The conformance suite of the counters facet. */

import assert from 'node:assert/strict';
import { expectError, expectExpiry, suite, type ConformanceCase, type Define, type SuiteOptions } from './suite.ts';

const largest = Number.MAX_SAFE_INTEGER;

/**
 * Returns the cases that the counters of every adapter must pass, for whatever runs tests.
 *
 * @example
 * for (const { name, run } of countersSuite({ create })) it(name, run);
 */
export function countersSuite(options: SuiteOptions<'counters'>): readonly ConformanceCase[] {
  return suite(options, (it) => {
    defineSumCases(it);
    defineLifetimeCases(it);
    defineRefusalCases(it);
  });
}

function defineSumCases(it: Define<'counters'>): void {
  it('counts a key that is not there as 0', async ({ backend: { counters }, key }) => {
    assert.deepEqual(await counters.read([key(), key()]), [0, 0]);
    assert.equal(await counters.add(key(), 7, 60_000), 7);
    assert.equal(await counters.add(key(), 0, 60_000), 0);
  });

  it('returns the sum of what was added and taken off', async ({ backend: { counters }, peer, key }) => {
    const name = key();
    assert.equal(await counters.add(name, 5, 60_000), 5);
    assert.equal(await counters.add(name, 10, 60_000), 15);
    assert.equal(await peer.counters.add(name, -6, 60_000), 9);
    assert.equal(await counters.add(name, 0, 60_000), 9);
    assert.deepEqual(await peer.counters.read([name]), [9]);
  });

  it('makes 0 of a sum below 0', async ({ backend: { counters }, key }) => {
    const name = key();
    assert.equal(await counters.add(name, -3, 60_000), 0);
    assert.equal(await counters.add(name, 2, 60_000), 2);
    assert.equal(await counters.add(name, -5, 60_000), 0);
    assert.deepEqual(await counters.read([name]), [0]);
    assert.equal(await counters.add(name, 1, 60_000), 1);
    assert.equal(await counters.add(name, -largest, 60_000), 0);
  });

  it('is exact up to 2^53 - 1', async ({ backend: { counters }, key }) => {
    const [whole, steps] = [key(), key()];
    assert.equal(await counters.add(whole, largest, 60_000), largest);
    assert.deepEqual(await counters.read([whole]), [largest]);
    assert.equal(await counters.add(whole, -1, 60_000), largest - 1);
    await counters.add(steps, largest - 3, 60_000);
    assert.equal(await counters.add(steps, 1, 60_000), largest - 2);
    assert.equal(await counters.add(steps, 2, 60_000), largest);
  });

  it('reads in the order of the keys, with duplicates and gaps', async ({ backend: { counters }, key }) => {
    const [a, b, missing] = [key(), key(), key()];
    await counters.add(a, 1, 60_000);
    await counters.add(b, 2, 60_000);
    assert.deepEqual(await counters.read([b, missing, a, b]), [2, 0, 1, 2]);
    assert.deepEqual(await counters.read([]), []);
  });

  it('applies each of 200 concurrent additions once', async ({ backend, peer, key }) => {
    const name = key();
    const sums = await Promise.all(
      Array.from({ length: 200 }, (_, index) => (index % 2 ? backend : peer).counters.add(name, 1, 60_000)),
    );
    assert.deepEqual(
      sums.sort((a, b) => a - b),
      Array.from({ length: 200 }, (_, index) => index + 1),
    );
    assert.deepEqual(await backend.counters.read([name]), [200]);
  });

  it('applies concurrent additions of both signs exactly', async ({ backend, peer, key }) => {
    const name = key();
    await backend.counters.add(name, 1000, 60_000);
    await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        (index % 3 ? backend : peer).counters.add(name, index % 2 ? index : -3, 60_000),
      ),
    );
    // 1 + 3 + … + 199 = 10,000, and 100 times 3 taken off.
    assert.deepEqual(await backend.counters.read([name]), [10_700]);
  });
}

function defineLifetimeCases(it: Define<'counters'>): void {
  it('starts the lifetime when the key is created, does not extend it, and starts again at 0', async (trial) => {
    const { counters } = trial.backend;
    const name = trial.key();
    const before = trial.elapsed();
    let last = await counters.add(name, 5, trial.shortMs);
    assert.equal(last, 5);
    await expectExpiry(trial, before, trial.shortMs, async () => {
      const sum = await counters.add(name, 1, 60_000);
      const goesOn = sum === last + 1;
      if (!goesOn) assert.equal(sum, 1);
      last = sum;
      return goesOn;
    });
    assert.deepEqual(await counters.read([name]), [1]);
  });

  it('reads 0 after the time of a counter and not before', async (trial) => {
    const { counters } = trial.backend;
    const name = trial.key();
    const before = trial.elapsed();
    await counters.add(name, 3, trial.shortMs);
    await expectExpiry(trial, before, trial.shortMs, async () => (await counters.read([name]))[0] !== 0);
  });

  it('keeps a counter without an end', async (trial) => {
    const name = trial.key();
    await trial.backend.counters.add(name, 3, Infinity);
    await trial.wait(2 * trial.granularityMs + 50);
    assert.deepEqual(await trial.backend.counters.read([name]), [3]);
  });
}

function defineRefusalCases(it: Define<'counters'>): void {
  it('refuses to add what is not whole and changes nothing', async ({ backend: { counters }, key }) => {
    const name = key();
    await counters.add(name, 1, 60_000);
    for (const by of [0.5, Number.NaN, Infinity]) await expectError(counters.add(name, by, 60_000));
    assert.deepEqual(await counters.read([name]), [1]);
  });

  it('refuses bad keys', async ({ backend: { counters }, key }) => {
    for (const bad of ['', 'a b', 'a\r\nb', 'caf\u00e9', 'k'.repeat(241)]) {
      await expectError(counters.add(bad, 1, 60_000), 'KEY_INVALID');
      await expectError(counters.read([key(), bad]), 'KEY_INVALID');
    }
  });

  it('refuses everything with CLOSED after close', async ({ backend, key }) => {
    const name = key();
    await backend.counters.add(name, 1, 60_000);
    await backend.close();
    await expectError(backend.counters.add(name, 1, 60_000), 'CLOSED');
    await expectError(backend.counters.read([name]), 'CLOSED');
  });
}
