/** Shows that nobody is logged out who had a session of connect-redis, and that no session comes back that was ended. */

import { randomBytes } from 'node:crypto';
import { memory } from 'hotshelf/memory';
import { redis } from 'hotshelf/redis';
import { sessions, SessionStore, type SessionEvent, type SessionStoreOptions } from 'hotshelf/sessions';
import express, { type Express, type RequestHandler } from 'express';
import session, { type Store } from 'express-session';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRedis } from 'hotshelf/connect-redis';
import type { BackendWith } from '../../src/backend/backend.ts';
import type { Foreign } from '../../src/backend/values.ts';
import { startRedis, startRedisCluster, type RedisCluster, type RedisServer } from '../kit/servers.ts';
import { until } from '../kit/wait.ts';
import { Browser, fresh, promised } from './calls.ts';
import { counted } from './counted.ts';
import { listen } from './site.ts';

let single: RedisServer;
let cluster: RedisCluster;
let backends: Record<string, ReturnType<typeof redis>>;
beforeAll(async () => {
  [single, cluster] = await Promise.all([startRedis(), startRedisCluster()]);
  const nodes = cluster.masters.map(({ host, port }) => ({ host, port }));
  const patient = { deadline: '2s' } as const;
  backends = { 'one server': redis(single.url, patient), 'a Cluster': redis({ cluster: nodes }, patient) };
  for (const backend of Object.values(backends))
    await until(async () => (await backend.health()).ok, { what: 'the backend', within: 45_000 });
}, 360_000);
afterAll(async () => {
  for (const backend of Object.values(backends ?? {})) await backend.close();
  await Promise.all([single.stop(), cluster.stop()]);
});

const newSid = () => randomBytes(24).toString('base64url');
const day = 86_400_000;
const readLegacy = 'connect-redis';

function setUp(name: string, options: Partial<SessionStoreOptions> = {}) {
  const backend = backends[name];
  if (backend === undefined) throw new Error(`no backend on ${name}`);
  const old = connectRedis(backend);
  const make = () => new SessionStore({ backend, readLegacy: 'connect-redis', ...options });
  const store = make();
  const events: SessionEvent[] = [];
  store.watch((event) => events.push(event));
  const { foreign } = backend.values;
  const ttlOf = async (sid: string) => (await foreign?.read(`sess:${sid}`))?.ttlMs;
  return { backend, old, store, calls: promised(store), other: promised(make()), events, ttlOf };
}

/** `backend` with another way to what others stored. */
function withForeign(backend: BackendWith<'values'>, foreign: Foreign): BackendWith<'values'> {
  const values = new Proxy(backend.values, {
    get: (target, key) => {
      if (key === 'foreign') return foreign;
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { ...backend, values };
}

/** What connect-redis holds. */
const inOld = async (old: ReturnType<typeof connectRedis>, sid: string): Promise<unknown> => old.get(sid);
const asStored = (fields: object, maxAge?: number) => ({ ...fresh({}, maxAge), ...fields }) as never;

describe.each(['one server', 'a Cluster'])('a session of connect-redis on %s', (name) => {
  it('is there, and stays where it is while it is only read', async () => {
    const { old, calls, ttlOf } = setUp(name);
    const sid = newSid();
    await old.set(sid, asStored({ userId: 'ann', views: 3 }, 60_000));
    const data = await calls.get(sid);
    expect(data).toMatchObject({ userId: 'ann', views: 3, cookie: { originalMaxAge: 60_000, httpOnly: true } });
    expect(data?.cookie?.expires?.getTime()).toBeGreaterThan(Date.now() + 55_000);
    await calls.set(sid, data ?? {});
    expect(await inOld(old, sid)).toMatchObject({ userId: 'ann', views: 3 });
    expect(await ttlOf(sid)).toBeGreaterThan(55_000);
  });

  it('is renewed where it is', async () => {
    const { old, calls, ttlOf, backend } = setUp(name);
    const sid = newSid();
    await old.set(sid, asStored({ userId: 'ann' }, 60_000));
    await backend.values.touch(`sess:${sid}`, 20_000);
    const data = (await calls.get(sid)) ?? {};
    Object.assign(data.cookie ?? {}, { originalMaxAge: 60_000, expires: new Date(Date.now() + 60_000) });
    await calls.touch(sid, data);
    expect(await ttlOf(sid)).toBeGreaterThan(55_000);
  });

  it('moves with the first write, and is written here alone from then on', async () => {
    const { old, calls, other } = setUp(name);
    const sid = newSid();
    await old.set(sid, asStored({ userId: 'ann', views: 3 }, 60_000));
    const data = (await calls.get(sid)) ?? {};
    data.views = 4;
    await calls.set(sid, data);
    expect(await inOld(old, sid)).toBeNull();
    expect(await other.get(sid)).toMatchObject({ userId: 'ann', views: 4, cookie: { originalMaxAge: 60_000 } });
    data.views = 5;
    await calls.set(sid, data);
    expect(await other.get(sid)).toMatchObject({ userId: 'ann', views: 5 });
  });

  it('loses no field to others who move it at the same time', async () => {
    const { old, backend } = setUp(name);
    const stores = Array.from({ length: 4 }, () =>
      promised(new SessionStore({ backend, readLegacy: 'connect-redis', merge: { views: 'sum' } })),
    );
    for (let trial = 0; trial < 25; trial += 1) {
      const sid = newSid();
      await old.set(sid, asStored({ userId: 'ann', views: 0 }));
      const loaded = await Promise.all(stores.map((store) => store.get(sid)));
      await Promise.all(
        stores.map((store, n) => store.set(sid, Object.assign(loaded[n] ?? {}, { [`f${n}`]: n, views: 1 }))),
      );
      expect(await stores[0]?.get(sid)).toMatchObject({ userId: 'ann', f0: 0, f1: 1, f2: 2, f3: 3, views: 4 });
      expect(await inOld(old, sid)).toBeNull();
    }
  });

  it('is there for every reader while it moves', async () => {
    const { old, calls, other } = setUp(name);
    for (let trial = 0; trial < 50; trial += 1) {
      const sid = newSid();
      await old.set(sid, asStored({ userId: 'ann' }));
      const data = (await calls.get(sid)) ?? {};
      let moved = false;
      const move = calls.set(sid, Object.assign(data, { views: 1 })).then(() => (moved = true));
      while (!moved) expect(await other.get(sid)).toMatchObject({ userId: 'ann' });
      await move;
    }
  });

  it('is gone everywhere when it is ended here, and stays so when an old instance writes it again', async () => {
    const { old, calls, other, events } = setUp(name);
    for (const isMoved of [false, true]) {
      const sid = newSid();
      const kept = asStored({ userId: 'ann' });
      await old.set(sid, kept);
      const slow = (await calls.get(sid)) ?? {};
      const writer = (await calls.get(sid)) ?? {};
      if (isMoved) await calls.set(sid, Object.assign(writer, { views: 1 }));
      await other.destroy(sid);
      expect(await inOld(old, sid)).toBeNull();
      // A request of an old instance that began before it.
      await old.set(sid, kept);
      expect(await calls.get(sid)).toBeUndefined();
      slow.views = 2;
      await calls.set(sid, slow);
      expect(events.splice(0)).toMatchObject([{ type: 'discarded', reason: 'gone' }]);
      expect(await calls.get(sid)).toBeUndefined();
      expect(await other.get(sid)).toBeUndefined();
    }
  });

  it('is found by a reader whom the move overtakes', async () => {
    const { backend, old, calls, other } = setUp(name);
    const sid = newSid();
    await old.set(sid, asStored({ userId: 'ann' }));
    const data = (await other.get(sid)) ?? {};
    const { foreign } = backend.values;
    const slow: Foreign = {
      clear: async () => {},
      read: async (key) => {
        await other.set(sid, Object.assign(data, { views: 1 }));
        return foreign?.read(key);
      },
    };
    const reader = new SessionStore({ backend: withForeign(backend, slow), readLegacy: 'connect-redis' });
    expect(await promised(reader).get(sid)).toMatchObject({ userId: 'ann', views: 1 });
    expect(await calls.get(sid)).toMatchObject({ userId: 'ann', views: 1 });
  });

  it('does not come back by a slow request here after an old instance ended it', async () => {
    const { old, calls, other, events } = setUp(name);
    const sid = newSid();
    await old.set(sid, asStored({ userId: 'ann' }));
    const slow = (await calls.get(sid)) ?? {};
    await old.destroy(sid);
    await calls.set(sid, Object.assign(slow, { views: 1 }));
    expect(await calls.get(sid)).toBeUndefined();
    expect(await other.get(sid)).toBeUndefined();
    expect(events).toMatchObject([{ type: 'discarded', reason: 'gone' }]);
  });

  it('can be made anew under an id that was ended', async () => {
    const { calls, other } = setUp(name);
    const sid = newSid();
    await calls.set(sid, fresh({ views: 1 }));
    await calls.destroy(sid);
    expect(await other.get(sid)).toBeUndefined();
    await calls.set(sid, fresh({ views: 2 }));
    expect(await other.get(sid)).toMatchObject({ views: 2 });
  });

  it('is ended with all others of its owner, also when an old instance writes it again', async () => {
    const ownerOf = ({ userId }: { readonly userId?: string }) => userId;
    const { old, store, calls } = setUp(name, { ownerOf, prefix: `own${newSid().replaceAll('-', '')}` });
    const sid = newSid();
    const kept = asStored({ userId: 'ann' });
    await old.set(sid, kept);
    await calls.set(sid, Object.assign((await calls.get(sid)) ?? {}, { views: 1 }));
    expect(await store.listByOwner('ann')).toHaveLength(1);
    expect(await store.revokeOwner('ann')).toBe(1);
    await old.set(sid, kept);
    expect(await calls.get(sid)).toBeUndefined();
  });

  it('is absent and an event when it cannot be read', async () => {
    const { calls, backend, events } = setUp(name);
    for (const text of ['', 'no JSON', '[]', '{"user":1}']) {
      const sid = newSid();
      await backend.values.set(`sess:${sid}`, new TextEncoder().encode(text), day);
      expect(await calls.get(sid)).toBeUndefined();
      await calls.set(sid, fresh({ views: 1 }));
      expect(await calls.get(sid)).toMatchObject({ views: 1 });
    }
    expect(events.filter(({ type }) => type === 'unusable').length).toBeGreaterThanOrEqual(4);
  });

  it('ends when all are cleared', async () => {
    const { old, calls } = setUp(name, { prefix: `clr${newSid().replaceAll('-', '')}` });
    const sids = Array.from({ length: 40 }, newSid);
    for (const sid of sids) await old.set(sid, asStored({ userId: 'ann' }));
    await calls.clear();
    for (const sid of sids) expect(await calls.get(sid)).toBeUndefined();
    expect(await old.length()).toBe(0);
    const later = newSid();
    await old.set(later, asStored({ userId: 'bob' }));
    expect(await calls.get(later)).toMatchObject({ userId: 'bob' });
  });

  it('has another prefix and another form where connect-redis had them', async () => {
    const { backend } = setUp(name);
    const serializer = {
      stringify: (one: object) => `v1;${JSON.stringify(one)}`,
      parse: (text: string) => JSON.parse(text.slice(3)),
    };
    const old = connectRedis(backend, { prefix: 'shop:', serializer });
    const readLegacy = { store: 'connect-redis', prefix: 'shop:', parse: serializer.parse } as const;
    const sid = newSid();
    await old.set(sid, asStored({ userId: 'ann' }));
    expect(await promised(new SessionStore({ backend, readLegacy })).get(sid)).toMatchObject({ userId: 'ann' });
    expect(await setUp(name).calls.get(sid)).toBeUndefined();
  });

  it('is not looked for without the option', async () => {
    const { old, backend } = setUp(name);
    const sid = newSid();
    await old.set(sid, asStored({ userId: 'ann' }));
    expect(await promised(new SessionStore({ backend })).get(sid)).toBeUndefined();
  });

  it('costs nothing more once it has moved', async () => {
    const { backend: real } = setUp(name);
    const { backend, trips } = counted(real);
    const calls = promised(new SessionStore({ backend, readLegacy: 'connect-redis' }));
    const sid = newSid();
    await calls.set(sid, fresh({ views: 1 }));
    const data = (await calls.get(sid)) ?? {};
    trips.reset();
    await calls.touch(sid, (await calls.get(sid)) ?? {});
    expect(trips.list).toEqual(['getMany']);
    trips.reset();
    await calls.set(sid, Object.assign(data, { views: 2 }));
    expect(trips.list).toEqual(['cas']);
  });
});

describe('an application that moves from connect-redis', () => {
  const before = (store: Store) => session({ store, secret: 's', resave: false, saveUninitialized: false });

  function appWith(middleware: RequestHandler): Express {
    const app = express().use(middleware);
    app.post('/login', (req, res) => {
      req.session.userId = 'ann';
      res.end();
    });
    app.post('/view', (req, res) => {
      req.session.views = (req.session.views ?? 0) + 1;
      res.end();
    });
    app.post('/logout', (req, res) => req.session.destroy(() => res.end()));
    app.get('/me', (req, res) => void res.send(req.session.userId ?? 'nobody'));
    return app;
  }

  it.each([
    ['with the store alone', (backend: BackendWith<'values'>) => before(new SessionStore({ backend, readLegacy }))],
    [
      'with the preset',
      (backend: BackendWith<'values'>) => sessions({ backend, readLegacy, secret: 's', name: 'connect.sid' }),
    ],
  ])('logs nobody out: %s', async (_how, middleware) => {
    const { old, backend } = setUp('a Cluster');
    const [oldSite, newSite] = [await listen(appWith(before(old))), await listen(appWith(middleware(backend)))];
    try {
      const visitors = await Promise.all(
        Array.from({ length: 30 }, async () => {
          const visitor = new Browser(oldSite.url);
          await visitor.post('/login');
          return visitor;
        }),
      );
      const moved = visitors.map((visitor) => {
        const same = new Browser(newSite.url);
        for (const [key, value] of visitor.jar) same.jar.set(key, value);
        return same;
      });
      for (const visitor of moved) expect((await visitor.get('/me')).text).toBe('ann');
      // Side by side: who was only read is at home on both.
      for (const visitor of visitors) expect((await visitor.get('/me')).text).toBe('ann');
      for (const visitor of moved) await visitor.post('/view');
      for (const visitor of moved) expect((await visitor.get('/me')).text).toBe('ann');
      for (const visitor of moved.slice(0, 10)) await visitor.post('/logout');
      const names = await Promise.all(moved.map(async (visitor) => (await visitor.get('/me')).text));
      expect(names).toEqual([
        ...Array.from({ length: 10 }, () => 'nobody'),
        ...Array.from({ length: 20 }, () => 'ann'),
      ]);
    } finally {
      oldSite.close();
      newSite.close();
    }
  });
});

it('needs a backend that can read what others stored', () => {
  expect(() => new SessionStore({ backend: memory(), readLegacy: 'connect-redis' })).toThrow(
    expect.objectContaining({ code: 'FACET_MISSING', message: expect.stringContaining('memory adapter') }),
  );
});
