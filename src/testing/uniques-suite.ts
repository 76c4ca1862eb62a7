/** The conformance suite of the uniques facet. */

import assert from 'node:assert/strict';
import type { Uniques } from '../backend/uniques.ts';
import { expectError, expectExpiry, suite, type ConformanceCase, type Define, type SuiteOptions } from './suite.ts';

/**
 * Returns the cases that the uniques of every adapter must pass, for whatever runs tests.
 *
 * @example
 * for (const { name, run } of uniquesSuite({ create })) it(name, run);
 */
export function uniquesSuite(options: SuiteOptions<'uniques'>): readonly ConformanceCase[] {
  return suite(options, (it) => {
    defineCountCases(it);
    defineUnionCases(it);
    defineLifetimeCases(it);
    defineRefusalCases(it);
  });
}

const dayMs = 86_400_000;

/** Notes numbered members, in calls of 1000. */
async function note(uniques: Uniques, key: string, first: number, count: number): Promise<void> {
  const members = Array.from({ length: count }, (_, index) => `user:${first + index}`);
  for (let from = 0; from < count; from += 1000) await uniques.add(key, members.slice(from, from + 1000), dayMs);
}

/** Fails unless `count` is within 3 % of `expected`: almost four times the standard error. */
function expectAbout(count: number, expected: number): void {
  assert.ok(Number.isInteger(count), `${count} is not whole`);
  assert.ok(Math.abs(count - expected) <= 0.03 * expected, `${count} instead of about ${expected}`);
}

function defineCountCases(it: Define<'uniques'>): void {
  it('counts a key that is not there as 0', async ({ backend: { uniques }, key }) => {
    assert.equal(await uniques.count([key()]), 0);
    const name = key();
    assert.equal(await uniques.count([`{${name}}:1`, `{${name}}:2`]), 0);
  });

  it('counts who comes again once, whoever noted it', async ({ backend: { uniques }, peer, key }) => {
    const name = key();
    await uniques.add(name, ['ann', 'bob', 'ann'], dayMs);
    await peer.uniques.add(name, ['bob', 'cem'], dayMs);
    for (const side of [uniques, peer.uniques]) assert.equal(await side.count([name]), 3);
  });

  it('tells any two texts apart', async ({ backend: { uniques }, key }) => {
    const name = key();
    const texts = [
      '',
      ' ',
      'a',
      'A',
      'a ',
      'a\0',
      '\0',
      'e\u0301',
      '\u00e9',
      '1',
      '1.0',
      '\u{1f600}',
      '\ue000',
      'x'.repeat(256),
    ];
    for (const [place, text] of texts.entries()) {
      await uniques.add(name, [text], dayMs);
      assert.equal(await uniques.count([name]), place + 1, JSON.stringify(text));
    }
    await uniques.add(name, texts, dayMs);
    assert.equal(await uniques.count([name]), texts.length);
  });

  it('counts few exactly and any number within 3 %', async ({ backend: { uniques }, key }) => {
    const name = key();
    await note(uniques, name, 0, 10);
    assert.equal(await uniques.count([name]), 10);
    for (const [first, count] of [
      [5, 95],
      [100, 900],
      [500, 4500],
      [5000, 35_000],
    ] as const) {
      await note(uniques, name, first, count);
      expectAbout(await uniques.count([name]), first + count);
    }
    const before = await uniques.count([name]);
    await note(uniques, name, 20_000, 5000);
    assert.equal(await uniques.count([name]), before);
  });

  it('loses none of 200 concurrent additions', async ({ backend, peer, key }) => {
    const name = key();
    await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        (index % 2 ? backend : peer).uniques.add(name, [`a${index % 50}`, `b${index % 50}`], dayMs),
      ),
    );
    expectAbout(await backend.uniques.count([name]), 100);
  });
}

function defineUnionCases(it: Define<'uniques'>): void {
  it('counts who is under several keys once', async ({ backend: { uniques }, key }) => {
    const name = key();
    const keys = [`{${name}}:few`, `{${name}}:more`, `{${name}}:many`, `{${name}}:none`] as const;
    const [few, more, many, none] = keys;
    await note(uniques, few, 0, 20);
    await note(uniques, more, 10, 40);
    await note(uniques, many, 40, 6000);
    assert.equal(await uniques.count([few, more]), 50);
    assert.equal(await uniques.count([more, few, none]), 50);
    expectAbout(await uniques.count([few, more, many, none]), 6040);
    expectAbout(await uniques.count([many, few]), 6020);
    // Counting changes nothing.
    assert.equal(await uniques.count([few]), 20);
    assert.equal(await uniques.count([more]), 40);
    assert.equal(await uniques.count([none]), 0);
  });

  it('counts a thousand keys at once', async ({ backend: { uniques }, key }) => {
    const name = key();
    const keys = Array.from({ length: 1000 }, (_, index) => `{${name}}:${index}`);
    await Promise.all(keys.slice(0, 30).map((one, index) => note(uniques, one, 5 * index, 10)));
    expectAbout(await uniques.count(keys), 155);
  });
}

function defineLifetimeCases(it: Define<'uniques'>): void {
  it('forgets a key at the time that it was created with, and not before', async (trial) => {
    const { uniques } = trial.backend;
    const name = trial.key();
    const before = trial.elapsed();
    await uniques.add(name, ['ann', 'bob'], trial.shortMs);
    await uniques.add(name, ['cem'], dayMs);
    await expectExpiry(trial, before, trial.shortMs, async () => (await uniques.count([name])) === 3);
    assert.equal(await uniques.count([name]), 0);
    await uniques.add(name, ['dee'], dayMs);
    assert.equal(await uniques.count([name]), 1);
  });

  it('keeps a key without an end', async (trial) => {
    const name = trial.key();
    await trial.backend.uniques.add(name, ['ann'], Infinity);
    await trial.wait(2 * trial.granularityMs + 50);
    assert.equal(await trial.backend.uniques.count([name]), 1);
  });
}

function defineRefusalCases(it: Define<'uniques'>): void {
  it('refuses members and times that mean nothing, and notes nobody', async ({ backend: { uniques }, key }) => {
    const name = key();
    for (const member of ['x'.repeat(257), '\u00e9'.repeat(129), '\ud83d', 7 as never, null as never])
      await expectError(uniques.add(name, ['ann', member], dayMs), 'OPTION_INVALID');
    await expectError(uniques.add(name, [], dayMs), 'OPTION_INVALID');
    await expectError(
      uniques.add(
        name,
        Array.from({ length: 1001 }, (_, index) => `${index}`),
        dayMs,
      ),
      'OPTION_INVALID',
    );
    for (const ttlMs of [0, -1, Number.NaN]) await expectError(uniques.add(name, ['ann'], ttlMs), 'OPTION_INVALID');
    assert.equal(await uniques.count([name]), 0);
  });

  it('refuses bad keys, and keys that one server may not have', async ({ backend: { uniques }, key }) => {
    for (const bad of ['', 'a b', 'a\r\nb', 'caf\u00e9', 'k'.repeat(241)]) {
      await expectError(uniques.add(bad, ['ann'], dayMs), 'KEY_INVALID');
      await expectError(uniques.count([bad]), 'KEY_INVALID');
    }
    await expectError(uniques.count([]), 'OPTION_INVALID');
    const name = key();
    for (const keys of [
      [`${name}a`, `${name}b`],
      [`{${name}a}`, `{${name}b}`],
    ])
      await expectError(uniques.count(keys), 'KEY_INVALID');
    const many = Array.from({ length: 1001 }, (_, index) => `{${name}}:${index}`);
    await expectError(uniques.count(many), 'OPTION_INVALID');
  });

  it('refuses everything with CLOSED after close', async ({ backend, key }) => {
    const name = key();
    await backend.uniques.add(name, ['ann'], dayMs);
    await backend.close();
    await expectError(backend.uniques.add(name, ['ann'], dayMs), 'CLOSED');
    await expectError(backend.uniques.count([name]), 'CLOSED');
  });
}
