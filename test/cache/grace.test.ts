/** Shows when a stale entry helps: while the load fails, for as long as its grace and its reader allow, and never after an invalidation. */

import { describe, expect, it } from 'vitest';
import type { Cache } from 'hotshelf';
import { codeOf, counting, failing, forms, gate, inTime, never, record, shelves } from './forms.ts';

const lasting = { ttl: '10s', grace: '1m', tags: ['all'] } as const;
const down = new Error('the database is down');
const fail = () => Promise.reject(down);

/** Every way to say that an entry is no longer true. */
const endings: readonly (readonly [string, (cache: Cache) => Promise<unknown>])[] = [
  ['invalidate', (cache) => cache.invalidate('k')],
  ['delete', (cache) => cache.delete('k')],
  ['invalidateTags', (cache) => cache.invalidateTags(['all'])],
  ['clear', (cache) => cache.clear()],
  ['mutate', (cache) => cache.mutate(['k'], () => {})],
  ['mutate of a tag', (cache) => cache.mutate([], () => {}, { tags: ['all'] })],
];

describe.each(forms)('grace, %s', (form) => {
  it('is no longer life: after the ttl a reader gets what is loaded, also where hits were kept decoded', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'old', lasting);
    await cache.get('k', never, lasting);
    await cache.get('k', never, lasting);
    await clock.advance(10_050);
    expect(await cache.peek('k')).toBeUndefined();
    expect(await cache.get('k', () => 'new', lasting)).toBe('new');
    expect(cache.stats()).toMatchObject({ staleServed: 0, loads: 2 });
  });

  it('is no longer life for a read of many keys either', async () => {
    const { cache, clock } = shelves(form);
    const load = (ids: readonly number[]) => ids.map((id) => `${id} at ${clock.monotonic()}`);
    for (let round = 0; round < 3; round += 1) await cache.getMany('k', [1, 2], load, lasting);
    await clock.advance(10_050);
    expect(await cache.getMany('k', [1, 2], load, lasting)).toEqual(['1 at 10050', '2 at 10050']);
  });

  it('answers with the stale entry when the load fails, and says so', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'old', lasting);
    await clock.advance(15_000);
    const events = record(cache);
    expect(await cache.lookup('k', fail, lasting)).toEqual({
      value: 'old',
      status: 'stale',
      reason: 'load failed',
      stored: false,
      ageMs: 15_000,
      ttlMs: -5000,
    });
    expect(events.filter((event) => event !== 'miss')).toEqual(['load failed', 'stale']);
    expect(cache.stats()).toMatchObject({ staleServed: 1, failedLoads: 1 });
  });

  it('ends: then the error of the loader is thrown', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'old', lasting);
    await clock.advance(69_900);
    expect(await cache.get('k', fail, lasting)).toBe('old');
    await clock.advance(101);
    await expect(cache.get('k', fail, lasting)).rejects.toBe(down);
  });

  it('is nothing by default: the error is thrown', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'old', { ttl: '10s' });
    await clock.advance(10_001);
    await expect(cache.get('k', fail, { ttl: '10s' })).rejects.toBe(down);
  });

  it('does not help where nothing was ever loaded', async () => {
    const { cache } = shelves(form);
    await expect(cache.get('k', fail, lasting)).rejects.toBe(down);
    await expect(cache.get('k', fail, lasting)).rejects.toBe(down);
    expect(cache.stats()).toMatchObject({ loads: 2, staleServed: 0 });
  });

  it('keeps a null like any other value', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => null, { ...lasting, negativeTtl: '1s' });
    await clock.advance(30_000);
    expect(await cache.lookup('k', fail, lasting)).toMatchObject({ value: null, status: 'stale' });
  });

  it.each([
    ['less than the entry has', '5s', '1h', 5000],
    ['more than the entry has', '1h', '5s', 5000],
  ] as const)('is the smaller one where a reader allows %s', async (_, ofReader, ofEntry, graceMs) => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'old', { ttl: '10s', grace: ofEntry });
    await clock.advance(10_000 + graceMs - 100);
    expect(await cache.get('k', fail, { grace: ofReader })).toBe('old');
    await clock.advance(101);
    await expect(cache.get('k', fail, { grace: ofReader })).rejects.toBe(down);
  });

  it('is not for a reader who allows none', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'old', lasting);
    await clock.advance(15_000);
    expect(await cache.get('k', fail, lasting)).toBe('old');
    // Also not while others are answered from it without a load.
    await expect(cache.get('k', fail, { grace: 0 })).rejects.toBe(down);
  });

  it.each(endings)('never helps with what %s ended', async (_, end) => {
    const { cache, clock, open } = shelves(form);
    for (const changer of [cache, open()]) {
      await cache.get('k', () => 'old', lasting);
      await clock.advance(15_000);
      expect(await cache.get('k', fail, lasting)).toBe('old');
      await inTime(clock, end(changer));
      await expect(cache.get('k', fail, lasting)).rejects.toBe(down);
      await clock.advance(1000);
      await expect(cache.get('k', fail, lasting)).rejects.toBe(down);
    }
  });

  it.each(endings)('does not help a reader who comes after %s, though a load from before goes on', async (_, end) => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'old', lasting);
    await clock.advance(15_000);
    const slow = gate<string>();
    const before = cache.get('k', () => slow.passed, lasting);
    await clock.advance(0);
    await inTime(clock, end(cache));
    const after = cache.get('k', fail, lasting).catch((error: unknown) => error);
    await clock.advance(0);
    slow.fail(down);
    // Who came before may still have the old value; who came after must not.
    expect(await before).toBe('old');
    expect(await after).toBe(down);
  });

  it('answers everybody who shared a load that failed', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'old', lasting);
    await clock.advance(15_000);
    const slow = gate<string>();
    const load = () => slow.passed;
    const reads = [cache.lookup('k', load, lasting), cache.lookup('k', never, lasting)];
    await clock.advance(0);
    reads.push(cache.lookup('k', never, lasting));
    const strict = cache.lookup('k', never, { ...lasting, grace: 0 }).catch((error: unknown) => error);
    await clock.advance(0);
    slow.fail(down);
    for (const found of await Promise.all(reads)) expect(found).toMatchObject({ value: 'old', status: 'stale' });
    expect(await strict).toBe(down);
    const { misses, collapsed, staleServed, failedLoads, hitRatio } = cache.stats();
    expect({ misses, collapsed, staleServed, failedLoads }).toEqual({
      misses: 2,
      collapsed: 3,
      staleServed: 3,
      failedLoads: 1,
    });
    // Of five reads three were answered from the entry: the first one loaded it, and the strict one failed.
    expect(hitRatio).toBe(3 / 5);
  });

  it('helps when what was loaded cannot be encoded', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'old', lasting);
    await clock.advance(15_000);
    expect(await cache.get<unknown>('k', () => ({ fn: never }), lasting)).toBe('old');
  });
});

describe.each(forms)('after a load failed, %s', (form) => {
  it('the stale entry is answered for a second before the next load', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'old', lasting);
    await clock.advance(15_000);
    await cache.get('k', fail, lasting);
    await clock.advance(990);
    expect(await cache.lookup('k', never, lasting)).toMatchObject({ status: 'stale', reason: 'load failed' });
    await clock.advance(11);
    expect(await cache.get('k', () => 'new', lasting)).toBe('new');
    expect(await cache.get('k', never, lasting)).toBe('new');
  });

  it('every second one load is tried, however many ask', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'old', lasting);
    await clock.advance(15_000);
    let calls = 0;
    const load = () => {
      calls += 1;
      return fail();
    };
    for (let ms = 0; ms < 5000; ms += 50) {
      expect(await cache.get('k', load, lasting)).toBe('old');
      await clock.advance(50);
    }
    expect(calls).toBe(5);
  });

  it('a reader without grace may try again at once, and its success ends the pause', async () => {
    const { cache, clock, open } = shelves(form);
    await cache.get('k', () => 'old', lasting);
    await clock.advance(15_000);
    await cache.get('k', fail, lasting);
    expect(await cache.get('k', () => 'new', { ...lasting, grace: 0, ttl: '1ms' })).toBe('new');
    await clock.advance(20);
    const load = counting('newer');
    expect(await cache.get('k', load, lasting)).toBe('newer');
    expect(await open().get('k', never, lasting)).toBe('newer');
  });

  it('nothing is paused where nothing stale could help', async () => {
    const { cache } = shelves(form);
    await codeOf(cache.get('k', fail, lasting));
    expect(await cache.get('k', () => 'new', lasting)).toBe('new');
  });
});

describe('grace over a network', () => {
  it('helps when the lease cannot be taken and the origin fails too', async () => {
    const { cache, clock, wire } = shelves();
    await cache.get('k', () => 'old', lasting);
    await clock.advance(15_000);
    wire.before = failing('BACKEND_DOWN', (verb) => verb !== 'get');
    expect(await cache.get('k', fail, lasting)).toBe('old');
  });

  it('cannot help while the entry cannot be read', async () => {
    const { cache, clock, wire } = shelves();
    await cache.get('k', () => 'old', lasting);
    await clock.advance(15_000);
    wire.before = failing('BACKEND_DOWN');
    await expect(cache.get('k', fail, lasting)).rejects.toBe(down);
    expect(await cache.get('k', () => 'origin', lasting)).toBe('origin');
  });
});
