/** The sessions of an owner: shown, counted and ended, on every backend. */

import type { BackendWith } from 'hotshelf';
import { memory } from 'hotshelf/memory';
import { SessionStore, type SessionEvent, type SessionStoreOptions } from 'hotshelf/sessions';
import { chaos } from 'hotshelf/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fresh, promised } from './calls.ts';
import { connected, places } from './servers.ts';

const everywhere = {
  memory: async () => ({ url: 'memory:', stop: async () => {} }),
  ...places,
};

describe.each(Object.entries(everywhere))('on %s', (name, start) => {
  let stop: () => Promise<void>;
  let one: BackendWith<'values'>;
  let other: BackendWith<'values'>;
  beforeAll(async () => {
    const place = await start();
    ({ stop } = place);
    one = name === 'memory' ? memory() : await connected(place.url);
    other = name === 'memory' ? one : await connected(place.url);
  }, 360_000);
  afterAll(async () => {
    await Promise.all([one.close(), other.close()]);
    await stop();
  });

  let users = 0;
  const setUp = (options: Partial<SessionStoreOptions> = {}) => {
    const whole = { ownerOf: ({ userId }: { userId?: string }) => userId, ...options };
    const store = new SessionStore({ backend: one, ...whole });
    const peer = new SessionStore({ backend: other, ...whole });
    const events: SessionEvent[] = [];
    store.watch((event) => events.push(event));
    users += 1;
    const user = `${name} ${users}`;
    let count = 0;
    const calls = promised(store);
    const logIn = async (userId = user) => {
      const sid = `${user} ${(count += 1)}`;
      await calls.set(sid, fresh({ userId }));
      return sid;
    };
    const isAlive = async (sid: string) => (await promised(peer).get(sid)) !== undefined;
    return { store, peer, calls, events, user, logIn, isAlive };
  };

  it('lists what is alive, with what a page wants to show', async () => {
    const { store, peer, calls, user, logIn } = setUp();
    const [first, second, third] = [await logIn(), await logIn(), await logIn()];
    await logIn('somebody else');
    await calls.destroy(second);
    const list = await peer.listByOwner(user);
    expect(list.map(({ id }) => id).toSorted()).toEqual([store.idOf(first), store.idOf(third)].toSorted());
    expect(list[0]).toMatchObject({ fields: { userId: user }, createdAt: expect.any(Number) });
    expect(JSON.stringify(list)).not.toContain(first);
    expect(list[0]?.expiresAt).toBeGreaterThan(Date.now() + 80_000_000);
    expect(await peer.listByOwner('nobody')).toEqual([]);
  });

  it('ends all but one, everywhere and at once', async () => {
    const { store, peer, user, logIn, isAlive } = setUp();
    const sids = [await logIn(), await logIn(), await logIn()];
    const stranger = await logIn(`not ${user}`);
    expect(await peer.revokeOwner(user, sids[1])).toBe(2);
    expect(await Promise.all(sids.map(isAlive))).toEqual([false, true, false]);
    expect(await store.revokeOwner(user)).toBe(1);
    expect(await Promise.all(sids.map(isAlive))).toEqual([false, false, false]);
    expect(await isAlive(stranger)).toBe(true);
    expect(await store.revokeOwner(user)).toBe(0);
  });

  it("finds a session that became the owner's later, and not one that is no more", async () => {
    const { store, calls, user, isAlive } = setUp();
    const sid = `${user} late`;
    await calls.set(sid, fresh({ views: 1 }));
    const session = (await calls.get(sid)) ?? {};
    session.userId = user;
    await calls.set(sid, session);
    expect(await store.listByOwner(user)).toHaveLength(1);
    delete session.userId;
    await calls.set(sid, session);
    expect(await store.listByOwner(user)).toEqual([]);
    await store.revokeOwner(user);
    expect(await isAlive(sid)).toBe(true);
  });

  it('lists all of 20 logins at once', async () => {
    const { store, peer, user } = setUp();
    const stores = [store, peer];
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        promised(stores[index % 2] ?? store).set(`${user} ${index}`, fresh({ userId: user })),
      ),
    );
    expect(await store.listByOwner(user)).toHaveLength(20);
    expect(await peer.revokeOwner(user)).toBe(20);
  });

  it('ends the oldest beyond maxPerOwner', async () => {
    const { store, events, user, logIn, isAlive } = setUp({ maxPerOwner: 2 });
    const sids = [await logIn(), await logIn(), await logIn(), await logIn()];
    expect(await Promise.all(sids.map(isAlive))).toEqual([false, false, true, true]);
    expect(await store.listByOwner(user)).toHaveLength(2);
    expect(events).toEqual([
      { type: 'evicted', id: store.idOf(sids[0] ?? '') },
      { type: 'evicted', id: store.idOf(sids[1] ?? '') },
    ]);
  });

  it('never lets more live than maxPerOwner, however many log in at once', async () => {
    const { store, peer, user, isAlive } = setUp({ maxPerOwner: 3 });
    const sids = Array.from({ length: 12 }, (_, index) => `${user} ${index}`);
    await Promise.all(
      sids.map((sid, index) => promised(index % 2 === 0 ? store : peer).set(sid, fresh({ userId: user }))),
    );
    const alive = await Promise.all(sids.map(isAlive));
    expect(alive.filter(Boolean)).toHaveLength(3);
    expect(await store.listByOwner(user)).toHaveLength(3);
  });

  it('refuses a login beyond maxPerOwner where it shall, and takes it when there is room', async () => {
    const { calls, logIn, isAlive } = setUp({ maxPerOwner: 2, onLimit: 'reject' });
    const sids = [await logIn(), await logIn()];
    await expect(logIn()).rejects.toMatchObject({ code: 'SESSION_LIMIT', status: 409 });
    expect(await Promise.all(sids.map(isAlive))).toEqual([true, true]);
    await calls.destroy(sids[0] ?? '');
    expect(await isAlive(await logIn())).toBe(true);
  });
});

describe('the list of an owner', () => {
  it('needs ownerOf', async () => {
    const store = new SessionStore({ backend: memory() });
    await expect(store.listByOwner('ada')).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(store.revokeOwner('ada')).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  it('that cannot be written lets no session live that is not in it', async () => {
    const backend = chaos(memory(), { seed: 3, throws: 0.3 });
    const store = new SessionStore({ backend, ownerOf: ({ userId }) => userId });
    const calls = promised(store);
    const sids = Array.from({ length: 100 }, (_, index) => `sid ${index}`);
    const outcomes = await Promise.all(
      sids.map((sid) =>
        calls.set(sid, fresh({ userId: 'ada' })).then(
          () => 'stored',
          () => 'failed',
        ),
      ),
    );
    backend.chaos.set({ throws: 0 });
    const listed = new Set((await store.listByOwner('ada')).map(({ id }) => id));
    const stored = sids.filter((_, index) => outcomes[index] === 'stored');
    expect(stored.length).toBeGreaterThan(3);
    expect(stored.length).toBeLessThan(97);
    expect(stored.filter((sid) => !listed.has(store.idOf(sid)))).toEqual([]);
  });
});
