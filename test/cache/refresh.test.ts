/** Shows when an entry is loaded again behind its readers: stale ones by `swr`, fresh ones by `refresh`; once in the fleet. */

import { describe, expect, it } from 'vitest';
import type { LoadContext } from 'hotshelf';
import { sleep } from '../../src/support/clock.ts';
import { counting, failing, forms, gate, inTime, isSettled, never, record, shelves } from './forms.ts';

const swr = { ttl: '10s', grace: '1m', swr: true } as const;
const early = { ttl: '10s', refresh: 0.8 } as const;
const fail = () => Promise.reject(new Error('the database is down'));

describe.each(forms)('stale-while-revalidate, %s', (form) => {
  it('answers at once from the stale entry and loads behind', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'old', swr);
    await clock.advance(15_000);
    const events = record(cache);
    const slow = gate<string>();
    expect(await cache.lookup('k', () => slow.passed, swr)).toEqual({
      value: 'old',
      status: 'stale',
      reason: 'refreshing',
      stored: false,
      ageMs: 15_000,
      ttlMs: -5000,
    });
    expect(await cache.get('k', never, swr)).toBe('old');
    slow.open('new');
    await clock.advance(0);
    expect(await cache.lookup('k', never, swr)).toMatchObject({ value: 'new', status: 'hit', ageMs: 0, ttlMs: 10_000 });
    expect(events.toSorted()).toEqual(['hit', 'load', 'refresh', 'stale', 'stale']);
    expect(cache.stats()).toMatchObject({ misses: 1, staleServed: 2, refreshes: 1, loads: 2, fills: 2 });
  });

  it('loads once in the fleet, however many processes answer from the entry', async () => {
    const { clock, open } = shelves(form);
    const fleet = Array.from({ length: 5 }, () => open());
    for (const cache of fleet) await cache.get('k', () => 'old', swr);
    await clock.advance(15_000);
    const slow = gate<string>();
    let calls = 0;
    const load = () => {
      calls += 1;
      return slow.passed;
    };
    // Longer than the pause after which a process asks again whether somebody refreshes.
    for (let ms = 0; ms < 700; ms += 50) {
      const found = await Promise.all(fleet.map((cache) => cache.lookup('k', load, swr)));
      for (const each of found) expect(each).toMatchObject({ value: 'old', status: 'stale', reason: 'refreshing' });
      await clock.advance(50);
    }
    slow.open('new');
    await clock.advance(0);
    expect(await Promise.all(fleet.map((cache) => cache.get('k', never, swr)))).toEqual(fleet.map(() => 'new'));
    expect(calls).toBe(1);
  });

  it('makes a reader who does not want it wait for the load of whoever does', async () => {
    const { cache, clock, open } = shelves(form);
    await cache.get('k', () => 'old', swr);
    await clock.advance(15_000);
    const slow = gate<string>();
    const other = open();
    await other.get('k', () => slow.passed, swr);
    await clock.advance(0);
    // This process finds the other one refreshing.
    expect(await cache.get('k', never, swr)).toBe('old');
    await clock.advance(0);
    const reads = [cache, other].map((each) => each.get('k', never, { ...swr, swr: false }));
    await clock.advance(100);
    for (const read of reads) expect(await isSettled(read)).toBe(false);
    slow.open('new');
    expect(await inTime(clock, Promise.all(reads))).toEqual(['new', 'new']);
  });

  it('tries again a second after the load failed, and tells the readers meanwhile', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'old', swr);
    await clock.advance(15_000);
    expect(await cache.lookup('k', fail, swr)).toMatchObject({ reason: 'refreshing' });
    await clock.advance(500);
    expect(await cache.lookup('k', never, swr)).toMatchObject({ value: 'old', reason: 'load failed' });
    await clock.advance(501);
    expect(await cache.lookup('k', () => 'new', swr)).toMatchObject({ value: 'old', reason: 'refreshing' });
    await clock.advance(0);
    expect(await cache.get('k', never, swr)).toBe('new');
    expect(cache.stats()).toMatchObject({ refreshes: 2, failedLoads: 1 });
  });

  it('waits for the load after the grace, and where there is none', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'old', swr);
    await clock.advance(70_001);
    expect(await cache.get('k', () => 'new', swr)).toBe('new');
    await clock.advance(15_000);
    expect(await cache.get('k', () => 'newer', { ...swr, grace: 0 })).toBe('newer');
  });

  it.each([
    ['stale', swr, 15_000],
    ['fresh', early, 9000],
  ] as const)('of a %s entry is refused when the key is invalidated meanwhile', async (_, options, afterMs) => {
    const { cache, clock, open } = shelves(form);
    const ways: readonly (() => Promise<unknown>)[] = [
      () => cache.invalidate('k'),
      () => open().invalidate('k', { soft: true }),
      () => open().delete('k'),
      () => open().mutate(['k'], () => {}),
      () => cache.clear(),
      () => open().invalidateTags(['all']),
      () => open().invalidateTags(['all'], { soft: true }),
    ];
    const tagged = { ...options, tags: ['all'] };
    for (const [index, end] of ways.entries()) {
      await cache.get('k', () => 'old', tagged);
      await clock.advance(afterMs);
      const slow = gate<string>();
      expect(await cache.get('k', () => slow.passed, tagged), `way ${index}`).toBe('old');
      await clock.advance(0);
      await inTime(clock, end());
      slow.open('from before');
      await clock.advance(0);
      expect(await cache.peek('k'), `way ${index}`).toBeUndefined();
      expect(await cache.get('k', () => `new ${index}`, { ...tagged, grace: 0 }), `way ${index}`).toBe(`new ${index}`);
      await cache.delete('k');
    }
  });

  it('does nothing more after close', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'old', swr);
    await clock.advance(15_000);
    await cache.close();
    expect(await cache.lookup('k', () => 'origin', swr)).toMatchObject({ value: 'origin', status: 'bypass' });
  });
});

describe.each(forms)('an early refresh, %s', (form) => {
  it('begins at its share of the ttl, behind a reader who gets the entry', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'old', early);
    await cache.get('k', never, early);
    await clock.advance(7980);
    expect(await cache.get('k', never, early)).toBe('old');
    await clock.advance(40);
    const events = record(cache);
    expect(await cache.lookup('k', () => 'new', early)).toMatchObject({ value: 'old', status: 'hit', ttlMs: 1980 });
    await clock.advance(0);
    expect(events).toEqual(['hit', 'refresh', 'load']);
    expect(await cache.lookup('k', never, early)).toMatchObject({ value: 'new', status: 'hit', ttlMs: 10_000 });
    expect(cache.stats()).toMatchObject({ misses: 1, hits: 4, refreshes: 1, loads: 2 });
  });

  it('begins too for a reader of a value that is kept decoded', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'old', early);
    for (let read = 0; read < 100; read += 1) await cache.get('k', never, early);
    await clock.advance(8050);
    expect(await cache.get('k', () => 'new', early)).toBe('old');
    await clock.advance(0);
    expect(await cache.get('k', never, early)).toBe('new');
  });

  it('is one in the fleet', async () => {
    const { clock, open } = shelves(form);
    const fleet = Array.from({ length: 5 }, () => open());
    for (const cache of fleet) await cache.get('k', () => 'old', early);
    await clock.advance(8100);
    const slow = gate<string>();
    let calls = 0;
    const load = () => {
      calls += 1;
      return slow.passed;
    };
    for (let ms = 0; ms < 700; ms += 50) {
      for (const cache of fleet) expect(await cache.get('k', load, early)).toBe('old');
      await clock.advance(50);
    }
    slow.open('new');
    await clock.advance(0);
    for (const cache of fleet) expect(await cache.get('k', never, early)).toBe('new');
    expect(calls).toBe(1);
    expect(fleet.reduce((sum, cache) => sum + cache.stats().refreshes, 0)).toBe(1);
  });

  it('that fails disturbs nobody and is tried again a second later', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'old', early);
    await clock.advance(8100);
    let calls = 0;
    const load = () => {
      calls += 1;
      return fail();
    };
    for (let ms = 0; ms < 1500; ms += 50) {
      expect(await cache.lookup('k', load, early)).toMatchObject({ value: 'old', status: 'hit' });
      await clock.advance(50);
    }
    expect(calls).toBe(2);
  });

  it.each([
    ['what is not to be stored', ({ skip }: LoadContext) => skip('else')],
    ['what is too large', () => 'x'.repeat(1000)],
  ])('that brings %s is not repeated with every read', async (_, bring) => {
    const { clock, open } = shelves(form);
    const cache = open({ maxValueBytes: 500 });
    await cache.get('k', () => 'old', early);
    await clock.advance(8100);
    for (let ms = 0; ms < 1500; ms += 50) {
      expect(await cache.get<unknown>('k', bring, early)).toBe('old');
      await clock.advance(50);
    }
    expect(cache.stats()).toMatchObject({ refreshes: 2, fills: 1 });
    // It keeps nobody from what must be loaded.
    await clock.advance(1000);
    expect(await cache.get('k', () => 'new', early)).toBe('new');
  });

  it('that brings nothing ends the entry', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'old', early);
    await clock.advance(8100);
    expect(await cache.get<unknown>('k', () => undefined, early)).toBe('old');
    await clock.advance(50);
    expect(await cache.peek('k')).toBeUndefined();
    expect(await cache.get('k', () => 'new', early)).toBe('new');
  });

  it('that nobody is told of does not make the entry helpful after its ttl', async () => {
    const { cache, clock, open } = shelves(form);
    const options = { ...early, grace: '1m' } as const;
    await cache.get('k', () => 'old', options);
    await clock.advance(9900);
    const slow = gate<string>();
    await open().get('k', () => slow.passed, options);
    await clock.advance(0);
    // Finds the other process refreshing, and leaves it to that for a while; then the ttl ends.
    expect(await cache.get('k', never, options)).toBe('old');
    await clock.advance(120);
    const read = cache.lookup('k', never, options);
    await clock.advance(0);
    expect(await isSettled(read)).toBe(false);
    slow.open('new');
    expect(await inTime(clock, read)).toMatchObject({ value: 'new' });
  });

  it('gives its value to readers who come after the ttl', async () => {
    const { cache, clock } = shelves(form);
    const options = { ...early, grace: '1m' } as const;
    await cache.get('k', () => 'old', options);
    await clock.advance(9900);
    const slow = gate<string>();
    await cache.get('k', () => slow.passed, options);
    await clock.advance(200);
    const read = cache.lookup('k', never, options);
    await clock.advance(0);
    slow.open('new');
    expect(await read).toMatchObject({ value: 'new', status: 'collapsed' });
  });

  it('has the loader see the entry that it is to replace', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'old', early);
    await clock.advance(9000);
    let seen: unknown;
    await cache.get('k', ({ stale }) => ((seen = stale), 'new'), early);
    await clock.advance(0);
    expect(seen).toEqual({ value: 'old', etag: undefined, ageMs: 9000 });
  });

  it('is for those who ask for it, also where others keep the value decoded', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'old', { ttl: '10s' });
    await cache.get('k', never);
    await clock.advance(9000);
    await cache.get('k', never);
    await clock.advance(0);
    expect(cache.stats()).toMatchObject({ refreshes: 0 });
    expect(await cache.lookup('k', () => 'new', early)).toMatchObject({ value: 'old', status: 'hit' });
    await clock.advance(0);
    expect(await cache.get('k', never)).toBe('new');
  });
});

describe.each(forms)("refresh: 'xfetch', %s", (form) => {
  const xfetch = { ttl: '100s', refresh: 'xfetch' } as const;
  const keys = Array.from({ length: 400 }, (_, index) => ['k', index] as const);

  /** Returns the share of entries that a single reader, `leftMs` before their end, loads again. */
  async function share(leftMs: number, loadMs: number): Promise<number> {
    const { cache, clock } = shelves(form);
    const load = () => (loadMs === 0 ? 1 : sleep(clock, loadMs).then(() => 1));
    const loads = Promise.all(keys.map((key) => cache.get(key, load, xfetch)));
    await clock.advance(loadMs);
    await loads;
    await clock.advance(100_000 - leftMs);
    for (const key of keys) expect(await cache.lookup(key, () => 2, xfetch)).toMatchObject({ value: 1, status: 'hit' });
    await clock.advance(0);
    return cache.stats().refreshes / keys.length;
  }

  it.each([
    [200, 200],
    [400, 200],
    [50, 200],
    [100, 50],
  ])('loads again with the odds of the paper, %i ms before the end of what took %i ms to load', async (left, took) => {
    // Four standard deviations of 400 draws are at most 0.1.
    expect(Math.abs((await share(left, took)) - Math.exp(-left / took))).toBeLessThan(0.1);
  });

  it('leaves alone what took no time, and what is far from its end', async () => {
    expect(await share(1, 0)).toBe(0);
    expect(await share(10_000, 200)).toBe(0);
  });

  it('keeps the time that the last load took', async () => {
    const { cache, clock } = shelves(form);
    const slow = cache.get('k', () => sleep(clock, 5000).then(() => 'slow'), xfetch);
    await clock.advance(5000);
    await slow;
    await clock.advance(99_999);
    expect(await cache.get('k', () => 'quick', xfetch)).toBe('slow');
    await clock.advance(0);
    expect(await cache.get('k', never, xfetch)).toBe('quick');
    await clock.advance(99_980);
    for (let read = 0; read < 50; read += 1)
      expect(await cache.lookup('k', never, xfetch)).toMatchObject({ value: 'quick' });
  });
});

describe('a refresh over a network', () => {
  it('that cannot take its right harms nobody, and says so', async () => {
    const { cache, clock, wire } = shelves();
    await cache.get('k', () => 'old', early);
    await clock.advance(9000);
    const events = record(cache);
    wire.before = failing('BACKEND_DOWN', (verb) => verb === 'add');
    const load = counting('new');
    expect(await cache.get('k', load, early)).toBe('old');
    await clock.advance(0);
    expect(events).toEqual(['hit', 'failed BACKEND_DOWN']);
    expect(load.calls).toBe(0);
  });

  it('whose process died is taken up by another', async () => {
    const { cache, clock, wire, open } = shelves();
    const options = { ...swr, grace: '1h' } as const;
    await cache.get('k', () => 'old', options);
    await clock.advance(15_000);
    // From now on nothing of the first process reaches the backend any more.
    await cache.get('k', () => gate<string>().passed, options);
    await clock.advance(0);
    wire.before = (verb) => (verb === 'cas' ? gate().passed : undefined);
    await clock.advance(150);
    wire.before = () => {};
    const other = open();
    for (let ms = 0; ms < 6000; ms += 100) {
      await other.get('k', () => 'new', options);
      await clock.advance(100);
    }
    expect(await other.get('k', never, options)).toBe('new');
  });

  it('takes three trips besides the read: a marker for others, the fill, and the end of the marker', async () => {
    const { cache, clock, wire } = shelves();
    await cache.get('k', () => 'old', early);
    await clock.advance(9000);
    wire.sent.length = 0;
    await cache.get('k', () => 'new', early);
    await clock.advance(0);
    expect(wire.sent).toEqual(['get hs=k hs!epoch', 'add hs=k!r', 'cas hs=k', 'deleteIf hs=k!r']);
  });
});
