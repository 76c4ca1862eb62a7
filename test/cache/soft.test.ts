/** Shows soft invalidation: the entry is stale for everybody at once, and helps for its grace where a load fails. */

import { describe, expect, it } from 'vitest';
import { fakeClock } from 'hotshelf/testing';
import type { Cache } from 'hotshelf';
import { codeOf, failing, forms, gate, inTime, isSettled, never, record, shelves } from './forms.ts';

const kept = { ttl: '10m', grace: '1h', tags: ['all'] } as const;
const fail = () => Promise.reject(new Error('the database is down'));

const ways: readonly (readonly [string, (cache: Cache) => Promise<void>])[] = [
  ['of the key', (cache) => cache.invalidate('k', { soft: true })],
  ['of a tag', (cache) => cache.invalidateTags(['all'], { soft: true })],
];

describe.each(forms)('a soft invalidation, %s', (form) => {
  it.each(ways)('%s has every reader load again', async (_, soften) => {
    const { cache, clock, open } = shelves(form);
    for (const changer of [cache, open()]) {
      await cache.get('k', () => 'old', kept);
      await cache.get('k', never, kept);
      await clock.advance(5000);
      await soften(changer);
      expect(await cache.peek('k')).toBeUndefined();
      expect(await cache.lookup('k', () => 'new', kept)).toMatchObject({ value: 'new', status: 'miss', stored: true });
      await clock.advance(0);
      expect(await cache.lookup('k', never, kept)).toMatchObject({ value: 'new', status: 'hit', ttlMs: 600_000 });
      await cache.delete('k');
    }
  });

  it.each(ways)('%s keeps the entry for those whose load fails, and says how old it is', async (_, soften) => {
    const { cache, clock, open } = shelves(form);
    await cache.get('k', () => 'old', kept);
    await clock.advance(5000);
    await soften(open());
    await clock.advance(1000);
    const found = await cache.lookup('k', fail, kept);
    expect(found).toMatchObject({ value: 'old', status: 'stale', reason: 'load failed', ageMs: 6000 });
    // What is stale has no time left, also where its ttl would not be over.
    expect(found.ttlMs).toBeLessThanOrEqual(0);
    expect(await codeOf(cache.get('k', fail, { grace: 0 }))).toMatch(/is down/);
  });

  it.each(ways)('%s is what `swr` and `timeout.soft` answer from, and the loader is shown', async (_, soften) => {
    const { cache, clock } = shelves(form);
    await cache.get('k', ({ etag }) => (etag('1'), 'old'), kept);
    await soften(cache);
    let seen: unknown;
    const slow = gate<string>();
    const read = cache.lookup('k', ({ stale }) => ((seen = stale), slow.passed), { ...kept, timeout: { soft: 100 } });
    await clock.advance(100);
    expect(await read).toMatchObject({ value: 'old', reason: 'load slow' });
    expect(seen).toEqual({ value: 'old', etag: '1', ageMs: 0 });
    expect(await cache.lookup('k', never, { ...kept, swr: true })).toMatchObject({
      value: 'old',
      reason: 'refreshing',
    });
    slow.open('new');
    await clock.advance(0);
    expect(await cache.get('k', never, kept)).toBe('new');
  });

  it.each(ways)('%s ends with the time that the entry had', async (_, soften) => {
    const { cache, clock } = shelves(form);
    const options = { ttl: '10s', grace: '1m', tags: ['all'] } as const;
    await cache.get('k', () => 'old', options);
    await clock.advance(5000);
    await soften(cache);
    await clock.advance(64_900);
    expect(await cache.get('k', fail, { ...options, grace: '1h' })).toBe('old');
    await clock.advance(1101);
    expect(await codeOf(cache.get('k', fail, { ...options, grace: '1h' }))).toMatch(/is down/);
  });

  it('of a key that is stale already does not make it younger', async () => {
    const { cache, clock } = shelves(form);
    const options = { ttl: '10s', grace: '1m' } as const;
    await cache.get('k', () => 'old', options);
    await clock.advance(30_000);
    for (let again = 0; again < 3; again += 1) await cache.invalidate('k', { soft: true });
    expect(await cache.lookup('k', fail, options)).toMatchObject({ ageMs: 30_000, ttlMs: -20_000 });
    await clock.advance(40_001);
    expect(await codeOf(cache.get('k', fail, options))).toMatch(/is down/);
  });

  it.each(ways)('%s is not undone by a load from before', async (_, soften) => {
    const { cache, clock, open } = shelves(form);
    for (const start of ['nothing', 'stale', 'fresh'] as const) {
      const options = { ...kept, swr: start === 'fresh', refresh: start === 'fresh' ? 0.1 : false } as const;
      if (start !== 'nothing') await cache.get('k', () => 'old', options);
      await clock.advance(start === 'stale' ? 601_000 : 61_000);
      const slow = gate<string>();
      const before = cache.get('k', () => slow.passed, options);
      await clock.advance(0);
      await soften(open());
      const after = cache.get('k', () => 'new', { ...kept, grace: 0 });
      await clock.advance(500);
      slow.open('from before');
      await inTime(clock, before);
      expect(await inTime(clock, after), start).toBe('new');
      await clock.advance(0);
      expect(await cache.peek('k'), start).not.toBe('from before');
      expect(await open().get('k', () => 'new', kept), start).toBe('new');
      await cache.delete('k');
    }
  });

  it.each(ways)('%s is for readers whose clock is behind, or ahead, too', async (_, soften) => {
    for (const skewMs of [-3_600_000, -20_000, 20_000, 300_000]) {
      const { cache, clock, open } = shelves(form);
      const other = open({ clock: fakeClock({ now: clock.now() + skewMs }) });
      await cache.get('k', () => 'old', { ...kept, grace: '2h' });
      await clock.advance(30_000);
      await soften(cache);
      expect(await other.peek('k'), `${skewMs}`).toBeUndefined();
      const found = await other.lookup('k', fail, { ...kept, grace: '2h' }).catch(() => undefined);
      // It may take the entry for older than it is, never for fresh.
      expect(found?.status ?? 'stale', `${skewMs}`).toBe('stale');
      expect(
        await inTime(
          clock,
          other.get('k', () => 'new', { ...kept, grace: 0 }),
        ),
        `${skewMs}`,
      ).toBe('new');
    }
  });

  it.each(ways)('%s and then a hard one: nothing is left', async (_, soften) => {
    const { cache } = shelves(form);
    const ends = [() => cache.invalidate('k'), () => cache.invalidateTags(['all'])];
    for (const end of ends) {
      await cache.get('k', () => 'old', kept);
      await soften(cache);
      await end();
      await soften(cache);
      expect(await codeOf(cache.get('k', fail, kept))).toMatch(/is down/);
      await cache.delete('k');
    }
  });

  it('deletes what has no grace, and what is no entry', async () => {
    const { cache, clock, backend } = shelves(form);
    await cache.get('k', () => 'old', { ttl: '10s', grace: '5s' });
    await clock.advance(14_999);
    await backend.values.set('hs=l', Buffer.from('bytes of somebody else'), 60_000);
    await clock.advance(1);
    await cache.invalidate('k', 'l', 'm', { soft: true });
    expect(await backend.values.get('hs=k')).toBeUndefined();
    expect(await backend.values.get('hs=l')).toBeUndefined();
  });

  it('leaves the hold of a mutation, which stores nothing until its end', async () => {
    const { cache, clock, open } = shelves(form);
    await cache.get('k', () => 'old', kept);
    const write = gate();
    const mutation = cache.mutate(['k'], () => write.passed, { tags: ['all'] });
    await clock.advance(0);
    for (const [, soften] of ways) await soften(open());
    expect(await cache.lookup('k', () => 'passing', kept)).toMatchObject({ status: 'bypass', reason: 'mutation' });
    write.open();
    await mutation;
    expect(await codeOf(cache.get('k', fail, kept))).toMatch(/is down/);
  });

  it('tells of itself as any other, and keeps what else the entry says', async () => {
    const { cache, clock } = shelves(form);
    const events = record(cache);
    await cache.set('k', 'old', { ...kept, version: 7 });
    await cache.invalidate('k', { soft: true });
    expect(events.filter((event) => event === 'invalidate')).toHaveLength(2);
    expect(await cache.set('k', 'older', { version: 6 })).toBe(false);
    await cache.invalidateTags(['all']);
    await clock.advance(0);
    expect(await codeOf(cache.get('k', fail, kept))).toMatch(/is down/);
  });
});

describe('a soft invalidation over a network', () => {
  it('that meets another change goes on until it is done', async () => {
    const { cache, wire, open } = shelves();
    await cache.get('k', () => 'old', kept);
    const other = open();
    let changes = 0;
    wire.before = async (verb, keys) => {
      if (verb !== 'cas' || keys[0] !== 'hs=k' || changes === 3) return;
      changes += 1;
      await other.set('k', `old ${changes}`, kept);
    };
    await cache.invalidate('k', { soft: true });
    expect(changes).toBe(3);
    expect(await cache.peek('k')).toBeUndefined();
    expect(await cache.lookup('k', fail, kept)).toMatchObject({ value: 'old 3', status: 'stale' });
  });

  it('that the backend does not confirm is one that reads do not trust, and becomes a hard one', async () => {
    const { cache, wire, clock } = shelves();
    await cache.get('k', () => 'old', kept);
    wire.before = failing('OUTCOME_UNKNOWN', (verb) => verb === 'cas');
    expect(await codeOf(cache.invalidate('k', { soft: true }))).toBe('OUTCOME_UNKNOWN');
    expect(await cache.lookup('k', () => 'origin', kept)).toMatchObject({ value: 'origin', status: 'bypass' });
    wire.before = () => {};
    await clock.advance(1000);
    const read = cache.get('k', () => 'new', kept);
    expect(await isSettled(read)).toBe(true);
    expect(await read).toBe('new');
  });
});
