/** Shows `verify`: hits are compared with the origin behind their readers, and only a difference that lasts is told. */

import { describe, expect, it } from 'vitest';
import type { Cache, CacheEvent } from 'hotshelf';
import { failing, forms, gate, inTime, never, record, shelves } from './forms.ts';

const always = { ttl: '10m', verify: 1 } as const;

function inconsistencies(cache: Cache): CacheEvent[] {
  const events: CacheEvent[] = [];
  cache.on((event) => {
    if (event.type === 'inconsistent') events.push(event);
  });
  return events;
}

describe.each(forms)('verify, %s', (form) => {
  it('tells of a hit that is not what the origin says, twice, a second apart', async () => {
    const { cache, clock } = shelves(form);
    const told = inconsistencies(cache);
    await cache.get('k', () => ({ n: 1 }), always);
    await clock.advance(5000);
    // Somebody changed the truth and told nobody.
    expect(await cache.get('k', () => ({ n: 2 }), always)).toEqual({ n: 1 });
    await clock.advance(990);
    expect(told).toEqual([]);
    await clock.advance(10);
    expect(told).toEqual([{ type: 'inconsistent', cache: 'default', key: 'hs=k', ageMs: 6000 }]);
    expect(cache.stats()).toMatchObject({ verified: 1, inconsistent: 1, loads: 3, refreshes: 0 });
    // It only tells: the entry stays.
    expect(await cache.peek('k')).toEqual({ n: 1 });
  });

  it('says nothing where they agree, also about what the codec changes', async () => {
    const { cache, clock } = shelves(form);
    const told = inconsistencies(cache);
    const load = () => ({ at: new Date(0), list: [1, undefined], nothing: undefined, set: new Set([1]) });
    await cache.get('k', load, always);
    for (let round = 0; round < 3; round += 1) {
      await cache.get('k', load, always);
      await clock.advance(2000);
    }
    expect(told).toEqual([]);
    expect(cache.stats()).toMatchObject({ verified: 3, inconsistent: 0, loads: 4 });
  });

  it('says nothing of a difference that was gone a second later', async () => {
    const { cache, clock } = shelves(form);
    const told = inconsistencies(cache);
    await cache.get('k', () => 'old', always);
    let calls = 0;
    await cache.get('k', () => ((calls += 1) === 1 ? 'of another replica' : 'old'), always);
    await clock.advance(2000);
    expect(calls).toBe(2);
    expect(told).toEqual([]);
  });

  it.each<readonly [string, (cache: Cache) => Promise<unknown>]>([
    ['invalidated', (cache) => cache.invalidate('k')],
    ['replaced', (cache) => cache.set('k', 'old')],
    ['softly invalidated', (cache) => cache.invalidate('k', { soft: true })],
    ['ended by a tag', (cache) => cache.invalidateTags(['all'])],
    ['changed by a mutation', (cache) => cache.mutate(['k'], () => {})],
    ['cleared', (cache) => cache.clear()],
  ])('says nothing where the entry was %s meanwhile', async (_, change) => {
    const { cache, clock, open } = shelves(form);
    const told = inconsistencies(cache);
    const options = { ...always, tags: ['all'] };
    for (const when of ['between the looks', 'during the second look']) {
      await inTime(
        clock,
        cache.get('k', () => 'old', options),
      );
      await clock.advance(0);
      const second = gate<string>();
      let calls = 0;
      await cache.get('k', () => ((calls += 1) === 1 ? 'new' : second.passed), options);
      await clock.advance(500);
      if (when === 'between the looks') await inTime(clock, change(open()));
      await clock.advance(500);
      if (when !== 'between the looks') await inTime(clock, change(open()));
      second.open('new');
      await clock.advance(2000);
      await inTime(clock, cache.invalidate('k'));
    }
    expect(told).toEqual([]);
    expect(cache.stats()).toMatchObject({ verified: 2, inconsistent: 0 });
  });

  it('ignores loads that fail, return nothing, are not to be stored or cannot be encoded', async () => {
    const { cache, clock } = shelves(form);
    const events = record(cache);
    await cache.get('k', () => 'old', always);
    await cache.get('k', () => Promise.reject(new Error('down')), always);
    await clock.advance(2000);
    await cache.get('k', () => never(), always);
    await clock.advance(2000);
    await cache.get<unknown>('k', () => undefined, always);
    await clock.advance(2000);
    await cache.get('k', ({ skip }) => skip('else'), always);
    await clock.advance(2000);
    await cache.get<unknown>('k', () => ({ fn: never }), always);
    await clock.advance(2000);
    await cache.get('k', ({ unchanged }) => unchanged(), always);
    await clock.advance(2000);
    expect(cache.stats()).toMatchObject({ verified: 6, inconsistent: 0 });
    expect(events).not.toContain('inconsistent');
  });

  it('looks at one hit of a key at a time, and at hits only', async () => {
    const { cache, clock } = shelves(form);
    const events = record(cache);
    const options = { ...always, ttl: '10s', grace: '1m' } as const;
    await cache.get('k', () => 'old', options);
    for (let read = 0; read < 10; read += 1) await cache.get('k', () => 'new', options);
    await clock.advance(1500);
    expect(cache.stats()).toMatchObject({ verified: 1, inconsistent: 1 });
    await cache.get('k', () => 'new', options);
    await clock.advance(1500);
    expect(cache.stats()).toMatchObject({ verified: 2, inconsistent: 2 });
    await clock.advance(10_000);
    expect(await cache.get('k', () => Promise.reject(new Error('down')), options)).toBe('old');
    await clock.advance(2000);
    expect(cache.stats()).toMatchObject({ verified: 2 });
    expect(events.filter((event) => event === 'refresh')).toHaveLength(2);
  });

  it('looks at the share of hits that it is given, whoever reads', async () => {
    for (const read of ['get', 'lookup', 'getMany'] as const) {
      const { cache, clock } = shelves(form);
      const ids = Array.from({ length: 500 }, (_, index) => index);
      const options = { ttl: '10m', verify: 0.2 } as const;
      const readAll = async () => {
        if (read === 'getMany') await cache.getMany('k', ids, (some) => some.map(String), options);
        else for (const id of ids) await cache[read](['k', id], () => `${id}`, options);
      };
      await readAll();
      await clock.advance(0);
      expect(cache.stats().verified).toBe(0);
      // The second read keeps values decoded, and the third is answered from those.
      for (const rounds of [1, 2]) {
        await readAll();
        await clock.advance(0);
        const { verified, inconsistent, hits } = cache.stats();
        // Five standard deviations of 500 draws are 0.09.
        expect(Math.abs(verified / ids.length / rounds - 0.2), `${read} ${rounds}`).toBeLessThan(0.09);
        expect({ inconsistent, hits }).toEqual({ inconsistent: 0, hits: 500 * rounds });
      }
    }
  });

  it('costs nothing where it is 0', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'old', { verify: 0 });
    for (let read = 0; read < 20; read += 1) await cache.get('k', never, { verify: 0 });
    await clock.advance(2000);
    expect(cache.stats()).toMatchObject({ verified: 0, loads: 1 });
  });
});

describe('verify over a network', () => {
  it('looks behind the local tier too, at the share of hits that it is given', async () => {
    for (const read of ['get', 'lookup', 'getMany'] as const) {
      const { clock, open } = shelves();
      const cache = open({ local: true });
      await clock.advance(200);
      const options = { ttl: '10m', verify: 0.2 } as const;
      const ids = Array.from({ length: 300 }, (_, index) => index);
      const readAll = async () => {
        if (read === 'getMany') await cache.getMany('k', ids, (some) => some.map(String), options);
        else for (const id of ids) await cache[read](['k', id], () => `${id}`, options);
      };
      await readAll();
      await clock.advance(10);
      await readAll();
      await clock.advance(10);
      const { verified, localHits } = cache.stats();
      expect(localHits, read).toBeGreaterThan(200);
      expect(Math.abs(verified / ids.length - 0.2), read).toBeLessThan(0.12);
      await cache.close();
    }
  });

  it('says nothing while the backend cannot be asked whether the entry still stands', async () => {
    const { cache, clock, wire } = shelves();
    const told = inconsistencies(cache);
    await cache.get('k', () => 'old', always);
    await cache.get('k', () => 'new', always);
    wire.before = failing('BACKEND_DOWN');
    await clock.advance(2000);
    expect(told).toEqual([]);
  });
});
