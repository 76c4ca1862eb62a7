/** Shows a cache with a local tier: what is answered in this process, and that nothing untrue is. */

import type { Cache, CacheOptions } from 'hotshelf';
import { describe, expect, it } from 'vitest';
import { sleep } from '../../../src/support/clock.ts';
import { codeOf, failing, never, shelves } from '../forms.ts';

/** Two caches with a local tier over one server, which both are trusted. */
async function processes(options: Partial<CacheOptions> = {}) {
  const { clock, wire, open } = shelves('over a network');
  const mine = open({ local: true, ...options });
  const theirs = open({ local: true, ...options });

  await clock.advance(400);
  return { clock, wire, mine, theirs, open };
}

/** Reads until it is answered without the server. */
async function warm(cache: Cache, key: string, value: unknown): Promise<void> {
  await cache.get(key, () => value);
  await cache.get(key, never);
  await cache.get(key, never);
}

describe('a cache with a local tier', () => {
  it('answers what it has read without asking the server', async () => {
    const { wire, mine, theirs } = await processes();
    await mine.get('k', () => ({ id: 1 }));
    await theirs.get('k', never);
    wire.sent.length = 0;
    expect(await theirs.get('k', never)).toEqual({ id: 1 });
    expect(await theirs.lookup('k', never)).toMatchObject({ status: 'hit', value: { id: 1 }, stored: false });
    expect(await theirs.peek('k')).toEqual({ id: 1 });
    expect(wire.sent).toEqual([]);
    expect(theirs.stats()).toMatchObject({ localHits: 3, remoteHits: 1, local: { entries: 1 } });
  });

  it('answers its own load too', async () => {
    const { clock, wire, mine } = await processes();
    await mine.get('k', () => 1);
    await clock.advance(0);
    wire.sent.length = 0;
    expect(await mine.get('k', never)).toBe(1);
    expect(wire.sent).toEqual([]);
  });

  it.each([
    ['invalidate', (cache: Cache) => cache.invalidate('k')],
    ['a soft invalidate', (cache: Cache) => cache.invalidate('k', { soft: true })],
    ['delete', (cache: Cache) => cache.delete('k')],
    ['set', (cache: Cache) => cache.set('k', 'new')],
    ['clear', (cache: Cache) => cache.clear()],
    ['mutate', (cache: Cache) => cache.mutate(['k'], () => {})],
    ['a tag', (cache: Cache) => cache.invalidateTags(['t'])],
    ['a soft tag', (cache: Cache) => cache.invalidateTags(['t'], { soft: true })],
    ['a mutate of a tag', (cache: Cache) => cache.mutate([], () => {}, { tags: ['t'] })],
  ])('drops what another process changed by %s', async (_, change) => {
    const { clock, mine, theirs } = await processes({ tags: ['t'] });
    await warm(theirs, 'k', 'old');
    const changing = change(mine);
    await clock.advance(200);
    await changing;
    expect(await theirs.get('k', () => 'new')).toBe('new');
    expect(await mine.get('k', () => 'new')).toBe('new');
  });

  it('asks the server for a fresh read', async () => {
    const { wire, theirs } = await processes();
    await warm(theirs, 'k', 1);
    wire.sent.length = 0;
    expect(await theirs.get('k', never, { fresh: true })).toBe(1);
    expect(wire.sent).toEqual(['get hs=k']);
  });

  it('shares one frozen value, or gives each reader its own', async () => {
    const shared = await processes();
    await warm(shared.mine, 'k', { list: [1] });
    const one = await shared.mine.get<{ list: number[] }>('k', never);
    expect(await shared.mine.get('k', never)).toBe(one);
    expect(Object.isFrozen(one.list)).toBe(true);

    const cloned = await processes({ local: { clone: true } });
    await warm(cloned.mine, 'k', { list: [1] });
    const own = await cloned.mine.get<{ list: number[] }>('k', never);
    own.list.push(2);
    expect(await cloned.mine.get('k', never)).toEqual({ list: [1] });
  });

  it('gives each reader its own copy of what cannot be frozen', async () => {
    const { mine } = await processes();
    await warm(mine, 'k', new Map([['a', new Date(5)]]));
    const own = await mine.get<Map<string, Date>>('k', never);
    own.clear();
    expect(await mine.get('k', never)).toEqual(new Map([['a', new Date(5)]]));
    expect(mine.stats().localHits).toBeGreaterThan(1);
  });

  it('does not keep what was dropped while its answer was on the way', async () => {
    const { clock, wire, mine, theirs } = await processes();
    await mine.get('k', () => 'old');
    wire.after = (verb) => (verb === 'get' ? sleep(clock, 50) : undefined);
    const late = theirs.get('k', never);
    await clock.advance(10);
    const invalidated = mine.invalidate('k');
    await clock.advance(10);
    await invalidated;
    await clock.advance(100);
    expect(await late).toBe('old');
    wire.after = () => {};
    expect(await theirs.get('k', () => 'new')).toBe('new');
  });

  it('serves nothing that it could not invalidate', async () => {
    const { clock, wire, mine } = await processes();
    await warm(mine, 'k', 'old');
    wire.before = failing('BACKEND_DOWN');
    expect(await codeOf(mine.invalidate('k'))).toBe('BACKEND_DOWN');
    expect(await mine.get('k', () => 'new')).toBe('new');
    wire.before = () => {};
    await clock.advance(2000);
    expect(await mine.get('k', () => 'newer')).toBe('newer');
  });

  it('keeps versions of a namespace apart', async () => {
    const { mine } = await processes();
    const first = mine.namespace('n', { version: 1 });
    const second = mine.namespace('n', { version: 2 });
    await warm(first, 'k', 'shape 1');
    expect(await second.get('k', () => 'shape 2')).toBe('shape 2');
    expect(await first.get('k', () => 'shape 1')).toBe('shape 1');
    expect(await second.get('k', () => 'shape 2')).toBe('shape 2');
  });

  it('refreshes early from what it holds', async () => {
    const { clock, mine } = await processes({ refresh: 0.5, ttl: '10s' });
    await warm(mine, 'k', 1);
    await clock.advance(5001);
    expect(await mine.get('k', () => 2)).toBe(1);
    await clock.advance(10);
    expect(await mine.get('k', never)).toBe(2);
  });

  it('ends with its cache', async () => {
    const { mine } = await processes();
    await warm(mine, 'k', 1);
    await mine.close();
    expect(await mine.get('k', () => 2)).toBe(2);
  });
});

describe('a local tier over a backend without a bus', () => {
  it('reads everything again after maxLag', async () => {
    const { clock, wire, open, backend } = shelves('over a network');
    const { bus: _, ...silent } = backend as typeof backend & { bus: unknown };
    const cache = open({ backend: silent, local: { maxLag: '200ms' } });
    await warm(cache, 'k', 1);
    wire.sent.length = 0;
    await clock.advance(150);
    await cache.get('k', never);
    expect(wire.sent).toEqual([]);
    await clock.advance(100);
    await cache.get('k', never);
    expect(wire.sent).toEqual(['get hs=k hs!epoch']);
  });
});
