/** Shows how long a reader waits for a load: `timeout.soft` while something stale can be answered, `timeout.hard` in any case. */

import { describe, expect, it } from 'vitest';
import { HotshelfError } from 'hotshelf';
import { fakeClock } from 'hotshelf/testing';
import { sleep } from '../../src/support/clock.ts';
import { codeOf, counting, forms, gate, inTime, isSettled, never, record, shelves } from './forms.ts';

const soft = { ttl: '10s', grace: '1m', timeout: { soft: '100ms' } } as const;
const hard = { ttl: '10s', timeout: { hard: '1s' } } as const;
const patient = { ttl: '10s', grace: '1m', timeout: { hard: '1s' } } as const;

describe.each(forms)('timeout.soft, %s', (form) => {
  it('answers with the stale entry when the load is slow, and stores what comes in the end', async () => {
    const { cache, clock, open } = shelves(form);
    await cache.get('k', () => 'old', soft);
    await clock.advance(15_000);
    const events = record(cache);
    const slow = gate<string>();
    const read = cache.lookup('k', () => slow.passed, soft);
    await clock.advance(99);
    expect(await isSettled(read)).toBe(false);
    await clock.advance(1);
    expect(await read).toEqual({
      value: 'old',
      status: 'stale',
      reason: 'load slow',
      stored: false,
      ageMs: 15_000,
      ttlMs: -5000,
    });
    await clock.advance(3000);
    slow.open('new');
    await clock.advance(0);
    expect(await cache.lookup('k', never, soft)).toMatchObject({ value: 'new', status: 'hit' });
    expect(await open().get('k', never)).toBe('new');
    expect(events).toEqual(['miss', 'stale', 'load', 'hit']);
  });

  it('lets a load that is quick enough answer, and leaves no timer', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'old', soft);
    await clock.advance(15_000);
    const events = record(cache);
    const read = cache.lookup('k', () => sleep(clock, 90).then(() => 'new'), soft);
    await clock.advance(90);
    expect(await read).toMatchObject({ value: 'new', status: 'miss' });
    await clock.advance(5000);
    expect(events).toEqual(['miss', 'load']);
    expect(cache.stats()).toMatchObject({ staleServed: 0 });
  });

  it('counts from when each reader came, and all share the one load', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'old', soft);
    await clock.advance(15_000);
    const slow = gate<string>();
    const load = counting(slow.passed);
    const first = cache.lookup('k', load, soft);
    await clock.advance(60);
    const second = cache.lookup('k', load, soft);
    await clock.advance(40);
    expect(await isSettled(first)).toBe(true);
    expect(await isSettled(second)).toBe(false);
    await clock.advance(60);
    expect(await second).toMatchObject({ status: 'stale', reason: 'load slow' });
    const third = cache.lookup('k', load, soft);
    await clock.advance(10);
    slow.open('new');
    expect(await third).toMatchObject({ value: 'new', status: 'collapsed' });
    expect(load.calls).toBe(1);
  });

  it('answers once, and counts once, where the slow load fails after all', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'old', soft);
    await clock.advance(15_000);
    const events = record(cache);
    const slow = gate<string>();
    const read = cache.get('k', () => slow.passed, soft);
    await clock.advance(100);
    expect(await read).toBe('old');
    slow.fail(new Error('down'));
    await clock.advance(0);
    expect(events).toEqual(['miss', 'stale', 'load failed']);
    expect(cache.stats()).toMatchObject({ staleServed: 1, failedLoads: 1, hitRatio: 1 / 2 });
    expect(await cache.lookup('k', never, soft)).toMatchObject({ status: 'stale', reason: 'load failed' });
    expect(cache.stats()).toMatchObject({ staleServed: 2, failedLoads: 1, hitRatio: 2 / 3 });
  });

  it('of 0 never waits, and still loads', async () => {
    const { cache, clock } = shelves(form);
    const none = { ...soft, timeout: { soft: 0 } } as const;
    await cache.get('k', () => 'old', none);
    await clock.advance(15_000);
    const slow = gate<string>();
    const read = cache.get('k', () => slow.passed, none);
    await clock.advance(0);
    expect(await read).toBe('old');
    slow.open('new');
    await clock.advance(0);
    expect(await cache.get('k', never, none)).toBe('new');
  });

  it('does not hurry a reader for whom nothing stale is there', async () => {
    const { cache, clock } = shelves(form);
    const read = cache.get('k', () => sleep(clock, 5000).then(() => 'new'), soft);
    await clock.advance(4999);
    expect(await isSettled(read)).toBe(false);
    await clock.advance(1);
    expect(await read).toBe('new');
  });

  it('does not let a slow load store what was invalidated after the answer', async () => {
    const { cache, clock, open } = shelves(form);
    await cache.get('k', () => 'old', soft);
    await clock.advance(15_000);
    const slow = gate<string>();
    const read = cache.get('k', () => slow.passed, soft);
    await clock.advance(100);
    expect(await read).toBe('old');
    await open().invalidate('k');
    slow.open('from before');
    await clock.advance(0);
    expect(await cache.peek('k')).toBeUndefined();
    expect(await cache.get('k', () => 'new', soft)).toBe('new');
  });

  it('holds for a reader who waits for the load of another process', async () => {
    const { cache, clock, open } = shelves(form);
    await cache.get('k', () => 'old', soft);
    await clock.advance(15_000);
    const slow = gate<string>();
    const strict = open().get('k', () => slow.passed, { ttl: '10s' });
    await clock.advance(0);
    const read = cache.lookup('k', never, soft);
    await clock.advance(100);
    expect(await read).toMatchObject({ value: 'old', status: 'stale', reason: 'load slow' });
    slow.open('new');
    expect(await strict).toBe('new');
  });
});

describe.each(forms)('timeout.hard, %s', (form) => {
  it('ends the wait with an error, aborts the signal, and throws away what comes later', async () => {
    const { cache, clock } = shelves(form);
    const events = record(cache);
    const slow = gate<string>();
    let signal: AbortSignal | undefined;
    const read = cache.get('k', (context) => ((signal = context.signal), slow.passed), hard);
    const outcome = read.catch((error: unknown) => error);
    await clock.advance(999);
    expect(await isSettled(read)).toBe(false);
    expect(signal?.aborted).toBe(false);
    await clock.advance(1);
    const error = await outcome;
    expect(error).toBeInstanceOf(HotshelfError);
    expect(error).toMatchObject({ code: 'CACHE_LOAD_TIMEOUT' });
    expect(signal?.aborted).toBe(true);
    expect(signal?.reason).toBe(error);
    slow.open('too late');
    await clock.advance(0);
    expect(await cache.peek('k')).toBeUndefined();
    expect(events).toEqual(['miss', 'load failed']);
    expect(cache.stats()).toMatchObject({ failedLoads: 1, fills: 0 });
  });

  it('frees the key: the next reader anywhere loads at once, and the late result does not replace that', async () => {
    const { cache, clock, open } = shelves(form);
    for (const next of [cache, open()]) {
      const slow = gate<string>();
      const read = codeOf(cache.get('k', () => slow.passed, hard));
      await clock.advance(1000);
      expect(await read).toBe('CACHE_LOAD_TIMEOUT');
      const again = next.get('k', () => 'new', hard);
      expect(await isSettled(again)).toBe(true);
      expect(await again).toBe('new');
      slow.open('too late');
      await clock.advance(0);
      expect(await cache.get('k', never, hard)).toBe('new');
      await cache.delete('k');
    }
  });

  it('gives everybody who shares the load the error', async () => {
    const { cache, clock } = shelves(form);
    const reads = Array.from({ length: 3 }, () => codeOf(cache.get('k', () => gate<string>().passed, hard)));
    await clock.advance(1000);
    expect(await Promise.all(reads)).toEqual(Array.from({ length: 3 }, () => 'CACHE_LOAD_TIMEOUT'));
    expect(cache.stats()).toMatchObject({ loads: 1 });
  });

  it('answers with the stale entry within its grace, also while it refreshes behind', async () => {
    for (const swr of [false, true]) {
      const { cache, clock } = shelves(form);
      const options = { ...patient, swr };
      await cache.get('k', () => 'old', options);
      await clock.advance(15_000);
      const slow = gate<string>();
      const read = cache.lookup('k', () => slow.passed, options);
      await clock.advance(1000);
      const reason = swr ? 'refreshing' : 'load failed';
      expect(await read).toMatchObject({ value: 'old', status: 'stale', reason });
      slow.open('too late');
      await clock.advance(0);
      expect(await cache.peek('k')).toBeUndefined();
      expect(await cache.lookup('k', never, options)).toMatchObject({ value: 'old', reason: 'load failed' });
      await clock.advance(1000);
      expect(
        await inTime(
          clock,
          cache.get('k', () => 'new', { ...options, swr: false }),
        ),
      ).toBe('new');
    }
  });

  it('counts, where both are given, after the soft one has answered', async () => {
    const { cache, clock } = shelves(form);
    const both = { ...patient, timeout: { soft: '100ms', hard: '1s' } } as const;
    await cache.get('k', () => 'old', both);
    await clock.advance(15_000);
    let signal: AbortSignal | undefined;
    const read = cache.lookup('k', (context) => ((signal = context.signal), gate<string>().passed), both);
    await clock.advance(100);
    expect(await read).toMatchObject({ status: 'stale', reason: 'load slow' });
    await clock.advance(899);
    expect(signal?.aborted).toBe(false);
    await clock.advance(1);
    expect(signal?.aborted).toBe(true);
    expect(cache.stats()).toMatchObject({ staleServed: 1, failedLoads: 1 });
  });

  it('leaves a load alone that ended in time, whether it returned, rejected or threw', async () => {
    const { cache, clock } = shelves(form);
    const signals: AbortSignal[] = [];
    const note = ({ signal }: { readonly signal: AbortSignal }) => void signals.push(signal);
    await cache.get('a', note, hard);
    await codeOf(cache.get('b', async (context) => [note(context), never()], hard));
    await codeOf(cache.get('c', (context) => [note(context), never()], hard));
    await clock.advance(2000);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false, false]);
  });

  it('leaves no timer that would keep the process', async () => {
    const { open } = shelves(form);
    const clock = fakeClock();
    const cache = open({ clock });
    await cache.get('a', () => undefined, hard);
    await codeOf(cache.get('b', async () => never(), hard));
    await codeOf(cache.get('c', () => never(), hard));
    await clock.advance(200);
    expect(clock.timers).toBe(0);
  });

  it('aborts also a signal that is asked for too late', async () => {
    const { cache, clock } = shelves(form);
    let late: AbortSignal | undefined;
    const load = async (context: { readonly signal: AbortSignal }) => {
      await sleep(clock, 2000);
      late = context.signal;
      return 'too late';
    };
    const read = codeOf(cache.get('k', load, hard));
    await clock.advance(1000);
    expect(await read).toBe('CACHE_LOAD_TIMEOUT');
    await clock.advance(1000);
    expect(late?.aborted).toBe(true);
    expect(late?.reason).toMatchObject({ code: 'CACHE_LOAD_TIMEOUT' });
  });

  it('ends the wait for a load of another process, however many take their turn, and the storm stays out', async () => {
    const { cache, clock, open } = shelves(form);
    const load = counting(gate<string>().passed);
    void cache.get('k', load);
    await clock.advance(0);
    const others = Array.from({ length: 5 }, () => open());
    const reads = others.map((other) => codeOf(other.get('k', load, hard)));
    await clock.advance(1000);
    expect(await Promise.all(reads)).toEqual(others.map(() => 'CACHE_LOAD_TIMEOUT'));
    expect(load.calls).toBe(1);
    expect(others.map((other) => other.stats().collapsed)).toEqual(others.map(() => 1));
  });

  it('leaves a load of its own its time after a wait', async () => {
    const { cache, clock, open } = shelves(form);
    const [first, second] = [gate<string>(), gate<string>()];
    const failed = codeOf(cache.get('k', () => first.passed));
    await clock.advance(0);
    const read = open().get('k', () => second.passed, hard);
    await clock.advance(900);
    first.fail(new Error('the other'));
    expect(await failed).toBe('Error: the other');
    await clock.advance(900);
    second.open('new');
    expect(await inTime(clock, read)).toBe('new');
  });

  it('is that of each caller who shares a load', async () => {
    const { cache, clock } = shelves(form);
    const slow = gate<string>();
    const patientRead = cache.get('k', () => slow.passed);
    await clock.advance(0);
    const read = codeOf(cache.get('k', never, hard));
    await clock.advance(1000);
    expect(await read).toBe('CACHE_LOAD_TIMEOUT');
    slow.open('new');
    expect(await patientRead).toBe('new');
  });

  it('is that of each caller who shares a load past the cache', async () => {
    const { cache, clock } = shelves(form);
    await cache.close();
    const slow = gate<string>();
    const patientRead = cache.get('k', () => slow.passed);
    const read = codeOf(cache.get('k', never, hard));
    await clock.advance(1000);
    expect(await read).toBe('CACHE_LOAD_TIMEOUT');
    slow.open('new');
    expect(await patientRead).toBe('new');
  });

  it('answers with the stale entry after a wait, and at once for a second after it', async () => {
    const { cache, clock, open } = shelves(form);
    const other = open();
    await cache.get('k', () => 'old', patient);
    await clock.advance(15_000);
    void cache.get('k', () => gate<string>().passed, { grace: '1m' });
    await clock.advance(0);
    const read = other.lookup('k', never, patient);
    await clock.advance(1000);
    expect(await read).toMatchObject({ value: 'old', status: 'stale', reason: 'load failed' });
    expect(await isSettled(other.get('k', never, patient))).toBe(true);
    expect(other.stats()).toMatchObject({ staleServed: 2, hitRatio: 1 });
  });

  it('holds for loads past the cache too', async () => {
    const { cache, clock } = shelves(form);
    await cache.close();
    const read = codeOf(cache.get('k', () => gate<string>().passed, hard));
    await clock.advance(1000);
    expect(await read).toBe('CACHE_LOAD_TIMEOUT');
  });

  it('is what the loader of many keys is told too', async () => {
    const { cache, clock } = shelves(form);
    let signal: AbortSignal | undefined;
    const load = (_: readonly number[], context: { readonly signal: AbortSignal }) => {
      signal = context.signal;
      return gate<Map<number, string>>().passed;
    };
    const read = codeOf(cache.getMany('k', [1, 2], load, hard));
    await clock.advance(0);
    expect(signal?.aborted).toBe(false);
    await clock.advance(1000);
    expect(await read).toBe('CACHE_LOAD_TIMEOUT');
    expect(signal?.aborted).toBe(true);
  });
});

it('timeout.hard does not count what a hanging backend takes before a load that is shared', async () => {
  const { cache, clock, wire } = shelves('over a network');
  await cache.get('first', () => 1);
  await clock.advance(0);
  wire.before = (verb) => (verb === 'add' ? sleep(clock, 800) : undefined);
  const slow = gate<string>();
  const reads = Promise.all(Array.from({ length: 3 }, () => cache.get('k', () => slow.passed, hard)));
  await clock.advance(1300);
  slow.open('new');
  expect(await inTime(clock, reads)).toEqual(['new', 'new', 'new']);
  expect(cache.stats()).toMatchObject({ collapsed: 2 });
});

describe.each(forms)('without a timeout, %s', (form) => {
  it('a load may take as long as it likes, and its signal never fires', async () => {
    const { cache, clock } = shelves(form);
    const slow = gate<string>();
    let signal: AbortSignal | undefined;
    const read = cache.get('k', (context) => ((signal = context.signal), slow.passed));
    await clock.advance(60_000);
    expect(signal?.aborted).toBe(false);
    slow.open('at last');
    expect(await read).toBe('at last');
    await clock.advance(0);
    expect(await cache.get('k', never)).toBe('at last');
  });
});
