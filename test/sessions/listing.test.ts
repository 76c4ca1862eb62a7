/** All sessions that there are: listed, counted and ended, where the backend knows its keys. */

import { randomBytes } from 'node:crypto';
import type { BackendWith } from 'hotshelf';
import { memory } from 'hotshelf/memory';
import { SessionStore, type SessionEvent, type SessionStoreOptions } from 'hotshelf/sessions';
import { chaos, fakeClock } from 'hotshelf/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fresh, promised } from './calls.ts';
import { connected, places } from './servers.ts';

const newSid = () => randomBytes(24).toString('base64url');
const codeOf = (error: unknown) => (error as { code?: string }).code;

const { Memcached, ...listing } = places;
const everywhere = { memory: async () => ({ url: 'memory:', stop: async () => {} }), ...listing };

describe.each(Object.entries(everywhere))('on %s', (name, start) => {
  let stop: () => Promise<void>;
  let backend: BackendWith<'values'>;
  beforeAll(async () => {
    const place = await start();
    ({ stop } = place);
    backend = name === 'memory' ? memory() : await connected(place.url);
  }, 360_000);
  afterAll(async () => {
    await backend.close();
    await stop();
  });

  const setUp = (options: Partial<SessionStoreOptions> = {}) => {
    const prefix = `s${randomBytes(4).toString('hex')}`;
    const store = new SessionStore({ backend, prefix, ...options });
    const events: SessionEvent[] = [];
    store.watch((event) => events.push(event));
    return { store, calls: promised(store), peer: promised(new SessionStore({ backend, prefix, ...options })), events };
  };

  it('has no session at first, and then each that is alive', async () => {
    const { calls, peer, store } = setUp();
    expect(await calls.all()).toEqual([]);
    expect([await calls.length(), await calls.ids()]).toEqual([0, []]);
    const sids = Array.from({ length: 200 }, newSid);
    await Promise.all(sids.map((sid, index) => calls.set(sid, fresh({ views: index }))));
    await calls.destroy(sids[7] ?? '');
    const left = sids.filter((_, index) => index !== 7).map((sid) => store.idOf(sid));
    expect((await peer.ids()).toSorted()).toEqual(left.toSorted());
    expect(await peer.length()).toBe(199);
    const all = await peer.all();
    expect(all.map(({ id }) => id).toSorted()).toEqual(left.toSorted());
    const third = all.find(({ id }) => id === store.idOf(sids[3] ?? ''));
    expect(third).toMatchObject({ views: 3, cookie: { path: '/', httpOnly: true, expires: null } });
  });

  it('tells no id that a cookie could carry', async () => {
    const { calls } = setUp();
    const sid = newSid();
    await calls.set(sid, fresh({ views: 1 }));
    expect(JSON.stringify([await calls.all(), await calls.ids()])).not.toContain(sid);
    const [name = ''] = await calls.ids();
    expect(await calls.get(name)).toBeUndefined();
    await calls.touch(name, fresh());
    expect(await calls.length()).toBe(1);
  });

  it('ends a session by its id in the list', async () => {
    const { calls, store, peer } = setUp({ ownerOf: ({ userId }) => userId });
    const [mine, other] = [newSid(), newSid()];
    await calls.set(mine, fresh({ userId: 'ada' }));
    await calls.set(other, fresh({ userId: 'ada' }));
    const [first] = (await peer.all()).filter(({ id }) => id === store.idOf(mine));
    await peer.destroy(first?.id ?? '');
    expect(await calls.get(mine)).toBeUndefined();
    expect(await calls.get(other)).toBeDefined();
    expect(await store.listByOwner('ada')).toHaveLength(1);
    const [listed] = await store.listByOwner('ada');
    await calls.destroy(listed?.id ?? '');
    expect(await calls.length()).toBe(0);
  });

  it('stores what is changed in a session of the list, beside what others change', async () => {
    const { calls, peer, store } = setUp();
    const sid = newSid();
    await calls.set(sid, fresh({ views: 1 }));
    const [listed] = await calls.all();
    const theirs = (await peer.get(sid)) ?? {};
    await peer.set(sid, Object.assign(theirs, { text: 'theirs' }));
    await calls.set(listed?.id ?? '', Object.assign(listed ?? {}, { views: 2 }));
    expect(await peer.get(sid)).toMatchObject({ views: 2, text: 'theirs' });
    expect(await peer.get(sid)).not.toHaveProperty('id');
    expect(await peer.ids()).toEqual([store.idOf(sid)]);
  });

  it('has the ids themselves where they are readable', async () => {
    const { calls, store } = setUp({ hashIds: false });
    const [plain, odd, long] = [newSid(), 'not a key {a}!', 'x'.repeat(43)];
    for (const sid of [plain, odd, long]) await calls.set(sid, fresh({ text: sid }));
    expect((await calls.ids()).toSorted()).toEqual([plain, long, store.idOf(odd)].toSorted());
    const all = await calls.all();
    expect(all.map(({ text }) => text).toSorted()).toEqual([plain, odd, long].toSorted());
    for (const id of await calls.ids()) await calls.destroy(id);
    expect(await calls.length()).toBe(0);
    expect(await calls.get(odd)).toBeUndefined();
  });

  it('leaves out what was cleared, also before it is gone from the backend', async () => {
    const { calls, peer } = setUp();
    const sids = Array.from({ length: 20 }, newSid);
    await Promise.all(sids.map((sid) => calls.set(sid, fresh({ views: 1 }))));
    await peer.clear();
    expect([await calls.length(), await calls.all()]).toEqual([0, []]);
    await calls.set(sids[0] ?? '', fresh({ views: 2 }));
    expect(await peer.length()).toBe(1);
  });

  it('knows only its own sessions', async () => {
    const { calls, store, events } = setUp({ prefix: 'shop' });
    await calls.clear();
    await promised(new SessionStore({ backend, prefix: 'shop2' })).set(newSid(), fresh());
    await promised(new SessionStore({ backend, prefix: 'shop', hashIds: false })).set(newSid(), fresh());
    await calls.set('mine', fresh());
    const own = store.idOf('mine');
    const keys: string[] = [];
    for await (const some of backend.values.list?.('shop:{') ?? []) keys.push(...some);
    const key = keys.find((one) => one.endsWith(own)) ?? '';
    // A key that no session can have, and bytes that are none.
    await backend.values.set(key.replace(/\{\d+\}/, '{4711}'), new Uint8Array(9), 60_000);
    expect(await calls.ids()).toEqual([own]);
    await backend.values.set(key, new Uint8Array(9), 60_000);
    expect(await calls.ids()).toEqual([]);
    expect(events).toContainEqual({ type: 'unusable', id: own, reason: 'foreign' });
  });
});

describe('what a list', () => {
  it('says of a session whose time is over: nothing', async () => {
    const clock = fakeClock({ now: Date.now() });
    const calls = promised(new SessionStore({ backend: memory({ clock }), clock, ttl: 1000 }));
    await calls.set('first', fresh());
    await clock.advance(600);
    await calls.set('second', fresh());
    await clock.advance(400);
    expect(await calls.length()).toBe(1);
    await clock.advance(600);
    expect(await calls.length()).toBe(0);
  });

  it('answers while the backend does not: an error for each, with status 503', async () => {
    const backend = chaos(memory());
    const calls = promised(new SessionStore({ backend }));
    await calls.set('one', fresh());
    backend.chaos.set({ throws: 1 });
    for (const call of [calls.all, calls.ids, calls.length])
      await expect(call()).rejects.toMatchObject({ code: 'BACKEND_DOWN', status: 503 });
    backend.chaos.calm();
    expect(await calls.length()).toBe(1);
  });

  it('is on Memcached: an error that says what to do, while clear works', async () => {
    const place = await Memcached();
    const backend = await connected(place.url);
    const calls = promised(new SessionStore({ backend }));
    await calls.set('one', fresh());
    for (const call of [calls.all, calls.ids, calls.length]) {
      const error = await call().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(codeOf(error)).toBe('FACET_MISSING');
      expect(String(error)).toMatch(/memcached adapter cannot list its keys.*listByOwner\(\)/);
    }
    await calls.clear();
    expect(await calls.get('one')).toBeUndefined();
    await backend.close();
    await place.stop();
  }, 60_000);
});
