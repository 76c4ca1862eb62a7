/** Shows that connect-redis 8, 9 and 10 keep their promises over the guarded client, on one server and on a Cluster. */

import { RedisStore } from 'connect-redis';
import { RedisStore as RedisStore10 } from 'connect-redis10';
import { RedisStore as RedisStore9 } from 'connect-redis9';
import express from 'express';
import session, { type SessionData, type Store } from 'express-session';
import { memory } from 'hotshelf/memory';
import { asNodeRedis, clusterOptions, redis, redisOptions } from 'hotshelf/redis';
import { Cluster, Redis } from 'ioredis';
import supertest from 'supertest';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { connectRedis, type ConnectRedisOptions } from 'hotshelf/connect-redis';
import { startRedisCluster, type RedisCluster } from '../../kit/cluster.ts';
import { startRedis, type RedisServer } from '../../kit/redis.ts';
import { startSentinel } from '../../kit/sentinel.ts';
import { until } from '../../kit/wait.ts';
import { backendOn, cleanUp, errorOf, later, outcomeOf, replicated, server } from './support.ts';

let single: RedisServer;
let cluster: RedisCluster;
beforeAll(async () => {
  [single, cluster] = await Promise.all([startRedis(), startRedisCluster()]);
}, 360_000);
afterAll(() => Promise.all([single.stop(), cluster.stop()]));
afterEach(cleanUp);

const portsOf = () => cluster.masters.map(({ port }) => ({ host: '127.0.0.1', port }));
const singleClient = () => later((one) => one.disconnect(), new Redis(single.port, redisOptions()));
const clusterClient = () => later((one) => one.disconnect(), new Cluster(portsOf(), clusterOptions()));

/** The store as a promise for each of its functions. */
type AnyStore = Pick<RedisStore, 'get' | 'set' | 'touch' | 'destroy' | 'clear' | 'length' | 'ids' | 'all'> & Store;
type Options = ConnectRedisOptions & { readonly prefix: string };

const stores: readonly (readonly [name: string, make: (options: Options) => Promise<AnyStore>])[] = [
  ['8 on one server', async (options) => connectRedis(await backendOn(single.url), options)],
  ['8 on a Cluster', async (options) => connectRedis(await backendOn({ cluster: portsOf() }), options)],
  ['9 on one server', async (options) => new RedisStore9({ client: asNodeRedis(singleClient()), ...options })],
  ['9 on a Cluster', async (options) => new RedisStore9({ client: asNodeRedis(clusterClient()), ...options })],
  ['10 on one server', async (options) => new RedisStore10({ client: asNodeRedis(singleClient()), ...options })],
  [
    '10 on a Cluster, the backend shared',
    async (options) => new RedisStore10({ client: asNodeRedis(await backendOn({ cluster: portsOf() })), ...options }),
  ],
];

let prefixes = 0;
const newPrefix = () => `app${(prefixes += 1)}:`;

const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000);
/** Other tests say what their sessions have: this one has none of it. */
const sessionOf = (fields: object, expires?: Date) =>
  ({ cookie: { originalMaxAge: null, ...(expires !== undefined && { expires }) }, ...fields }) as SessionData;

/** The remaining seconds of a key: -1 for ever, -2 if there is none. */
async function ttlOf(key: string, onCluster: boolean): Promise<number> {
  const holder = onCluster ? await cluster.masterOf(key) : single;
  return Number(await holder.cli('TTL', key));
}

describe.each(stores)('connect-redis %s', (name, make) => {
  const ttl = (key: string) => ttlOf(key, name.includes('Cluster'));

  it('gives back what was stored, and nothing for what was not', async () => {
    const store = await make({ prefix: newPrefix() });
    const kept = sessionOf({ user: 'Zoë', list: [1, { deep: '\u2028"' }], none: null });
    await store.set('a', kept);
    expect(await store.get('a')).toEqual(kept);
    expect(await store.get('b')).toBeNull();
  });

  it('answers callbacks as it answers promises', async () => {
    const store = await make({ prefix: newPrefix() });
    const calls: unknown[][] = [];
    const note = (...args: unknown[]) => void calls.push(args);
    await store.set('a', sessionOf({ n: 1 }), note);
    await store.touch('a', sessionOf({ n: 1 }), note);
    await store.get('a', note);
    await store.length(note);
    await store.ids(note);
    await store.destroy('a', note);
    await store.get('a', note);
    expect(calls).toEqual([
      [null, null],
      [null, null],
      [null, sessionOf({ n: 1 })],
      [null, 1],
      [null, ['a']],
      [null, null],
      [null, null],
    ]);
  });

  it('keeps a session as long as its cookie says, or else as long as `ttl`', async () => {
    const prefix = newPrefix();
    const store = await make({ prefix, ttl: 500 });
    await store.set('cookie', sessionOf({}, inSeconds(60)));
    await store.set('none', sessionOf({}));
    expect(await ttl(`${prefix}cookie`)).toBeGreaterThanOrEqual(58);
    expect(await ttl(`${prefix}cookie`)).toBeLessThanOrEqual(60);
    expect(await ttl(`${prefix}none`)).toBeGreaterThan(490);
    await store.touch('cookie', sessionOf({}, inSeconds(300)));
    expect(await ttl(`${prefix}cookie`)).toBeGreaterThan(290);
    await store.set('cookie', sessionOf({}, inSeconds(-1)));
    expect(await ttl(`${prefix}cookie`)).toBe(-2);
  });

  it('keeps a session for ever, and does not renew it, where that is wanted', async () => {
    const prefix = newPrefix();
    const endless = await make({ prefix, disableTTL: true });
    await endless.set('a', sessionOf({}));
    expect(await ttl(`${prefix}a`)).toBe(-1);
    const untouched = await make({ prefix, disableTouch: true, ttl: 100 });
    await untouched.set('b', sessionOf({}));
    await untouched.touch('b', sessionOf({}, inSeconds(900)));
    expect(await ttl(`${prefix}b`)).toBeLessThanOrEqual(100);
  });

  it('makes no session by renewing or destroying one that is not there', async () => {
    const store = await make({ prefix: newPrefix() });
    await store.touch('none', sessionOf({}, inSeconds(60)));
    await store.destroy('none');
    expect(await store.length()).toBe(0);
  });

  it('writes with a serializer of the user', async () => {
    const prefix = newPrefix();
    const serializer = {
      stringify: (one: SessionData) => `v1${JSON.stringify(one)}`,
      parse: (text: string) => JSON.parse(text.slice(2)) as SessionData,
    };
    const store = await make({ prefix, serializer });
    await store.set('a', sessionOf({ n: 1 }));
    expect(await store.get('a')).toEqual(sessionOf({ n: 1 }));
  });

  it('lists and clears the sessions of all servers, and none but its own', async () => {
    const [store, other] = [await make({ prefix: newPrefix(), scanCount: 20 }), await make({ prefix: newPrefix() })];
    const sids = Array.from({ length: 600 }, (_, n) => `sid-${n}`);
    await Promise.all(sids.map((sid) => store.set(sid, sessionOf({ sid }))));
    await other.set('other', sessionOf({}));
    expect(await store.length()).toBe(600);
    expect((await store.ids()).toSorted()).toEqual(sids.toSorted());
    const all = (await store.all()) as { readonly id: string; readonly sid: string }[];
    expect(all.map(({ sid }) => sid).toSorted()).toEqual(sids.toSorted());
    expect(all.every(({ id, sid }) => id === sid)).toBe(true);
    await store.clear();
    expect(await store.length()).toBe(0);
    expect(await store.all()).toEqual([]);
    await store.clear();
    expect(await other.ids()).toEqual(['other']);
  });

  it('takes ids of any letters', async () => {
    const store = await make({ prefix: newPrefix() });
    const sids = ['ü', '€{', '{}', 'a b', '*', '[a]', '日本', 'x\ny'];
    for (const sid of sids) await store.set(sid, sessionOf({ sid }));
    for (const sid of sids) expect(await store.get(sid)).toEqual(sessionOf({ sid }));
    expect((await store.ids()).toSorted()).toEqual(sids.toSorted());
    expect(await store.all()).toHaveLength(sids.length);
    await store.clear();
    expect(await store.length()).toBe(0);
  });

  it('carries the sessions of an application', async () => {
    const store = await make({ prefix: newPrefix() });
    const app = express().use(session({ store, secret: 'x', resave: false, saveUninitialized: false }));
    app.get('/', (req, res) => {
      Reflect.set(req.session, 'visits', Number(Reflect.get(req.session, 'visits') ?? 0) + 1);
      res.json(req.session);
    });
    app.get('/out', (req, res) => req.session.destroy(() => res.end()));
    const browser = supertest.agent(app);
    for (const visits of [1, 2, 3]) expect((await browser.get('/')).body).toMatchObject({ visits });
    await browser.get('/out');
    expect((await browser.get('/')).body).toMatchObject({ visits: 1 });
  });
});

it('is needed: connect-redis on a plain Cluster client sees one server, and refuses to clear (control)', async () => {
  const client = later((one) => one.disconnect(), new Cluster(portsOf()));
  const store = new RedisStore({ client, prefix: newPrefix() });
  const sids = Array.from({ length: 60 }, (_, n) => `sid-${n}`);
  await Promise.all(sids.map((sid) => store.set(sid, sessionOf({}))));
  expect(await store.length()).toBeLessThan(60);
  await expect(store.clear()).rejects.toThrow('CROSSSLOT');
});

describe('over a client with a prefix of its own', () => {
  it('finds its sessions, and takes the prefix off again', async () => {
    const keyPrefix = '[p*]-';
    const client = later((one) => one.disconnect(), new Redis(single.port, { ...redisOptions(), keyPrefix }));
    client.on('error', () => {});
    const backend = await backendOn(client);
    const store = new RedisStore10({ client: asNodeRedis(backend), prefix: newPrefix() });
    await store.set('a', sessionOf({ n: 1 }));
    expect(await single.cli('EXISTS', `${keyPrefix}${store.prefix}a`)).toBe(1);
    expect(await store.ids()).toEqual(['a']);
    expect(await store.all()).toMatchObject([{ n: 1, id: 'a' }]);
    await store.clear();
    expect(await single.cli('EXISTS', `${keyPrefix}${store.prefix}a`)).toBe(0);
  });
});

describe('behind Sentinels', () => {
  it('follows the master', async () => {
    const group = later((one) => one.stop(), await startSentinel());
    const sentinels = group.sentinels.map(({ host, port }) => ({ host, port }));
    const options = { ...redisOptions(), sentinels, name: group.name };
    const client = later((one) => one.disconnect(), new Redis(options)).on('error', () => {});
    const store = new RedisStore10({ client: asNodeRedis(client) });
    await until(async () => (await outcomeOf(store.set('a', sessionOf({ n: 1 })))) === 'ok', { what: 'the master' });
    await replicated(group.primary);
    await group.failover();
    await until(async () => (await outcomeOf(store.set('b', sessionOf({ n: 2 })))) === 'ok', {
      what: 'the new master',
    });
    expect(await store.get('a')).toEqual(sessionOf({ n: 1 }));
    expect((await store.ids()).toSorted()).toEqual(['a', 'b']);
    expect(await group.replica.cli('EXISTS', 'sess:b')).toBe(1);
  }, 180_000);
});

describe('a server that does not answer', () => {
  it('costs a request one deadline and soon nothing, and its callback hears of it once', async () => {
    const real = await server();
    const store = connectRedis(await backendOn(real.url, {}), { prefix: newPrefix() });
    await store.set('a', sessionOf({ n: 1 }));
    await real.pause();
    const startedAt = performance.now();
    expect(await outcomeOf(store.get('a'))).toBe('OUTCOME_UNKNOWN');
    expect(performance.now() - startedAt).toBeLessThan(500);
    await until(async () => (await outcomeOf(store.get('a'))) === 'BACKEND_DOWN', { what: 'the breaker' });
    const codes: unknown[] = [];
    const openAt = performance.now();
    await store.set('a', sessionOf({ n: 2 }), (error: unknown) => codes.push(Reflect.get(Object(error), 'code')));
    await store.destroy('a', (error: unknown) => codes.push(Reflect.get(Object(error), 'code')));
    expect(performance.now() - openAt).toBeLessThan(50);
    expect(codes).toEqual(['BACKEND_DOWN', 'BACKEND_DOWN']);
    real.resume();
    await until(async () => (await outcomeOf(store.get('a'))) === 'ok', { what: 'the server to be back' });
    expect(await store.get('a')).toEqual(sessionOf({ n: 1 }));
  });

  it('is not left out of a list', async () => {
    const [hung] = cluster.masters;
    const backend = await backendOn({ cluster: portsOf() }, {});
    const store = new RedisStore9({ client: asNodeRedis(backend), prefix: newPrefix() });
    await hung?.pause();
    const outcomes = [await outcomeOf(store.ids()), await outcomeOf(store.length())];
    hung?.resume();
    expect(outcomes).not.toContain('ok');
    await until(async () => (await outcomeOf(store.ids())) === 'ok', { what: 'the master to be back' });
  });
});

describe('asNodeRedis()', () => {
  it('knows the options of set', async () => {
    const client = asNodeRedis(await backendOn(single.url));
    const key = `${newPrefix()}k`;
    expect(await client.set(key, 'a', { condition: 'XX' })).toBeNull();
    expect(await client.set(key, 'a', { expiration: { type: 'PX', value: 90_000 }, condition: 'NX' })).toBe('OK');
    expect(await client.set(key, 'b', { condition: 'NX' })).toBeNull();
    expect(await client.set(key, 'b', { expiration: 'KEEPTTL' })).toBe('OK');
    expect(await ttlOf(key, false)).toBeGreaterThan(80);
    expect(
      await client.set(key, 'c', { expiration: { type: 'EXAT', value: Math.floor(Date.now() / 1000) + 500 } }),
    ).toBe('OK');
    expect(await ttlOf(key, false)).toBeGreaterThan(480);
    expect(await client.expire(key, 40)).toBe(1);
    expect(await client.expire('none', 40)).toBe(0);
    expect(await client.mGet([key, 'none', key])).toEqual(['c', null, 'c']);
    expect(await client.del(key)).toBe(1);
    expect(await client.del([key, 'none'])).toBe(0);
  });

  it('refuses options of set that it would pass over', async () => {
    const client = asNodeRedis(await backendOn(single.url));
    const unknown: object = { EX: 60 };
    expect((await errorOf(client.set('k', 'v', unknown))).message).toContain('no option `EX`');
  });

  it('says what it wants instead of what it got', () => {
    const wrong: readonly unknown[] = [
      undefined,
      null,
      'redis://127.0.0.1',
      {},
      memory(),
      { isOpen: true, sendCommand() {} },
    ];
    for (const one of wrong) {
      for (const wrap of [asNodeRedis, connectRedis]) {
        expect(() => Reflect.apply(wrap, undefined, [one])).toThrow(/Expected .*got/);
      }
    }
  });
});

describe('connectRedis()', () => {
  it('is the store that the user installed', async () => {
    expect(connectRedis(await backendOn(single.url))).toBeInstanceOf(RedisStore);
  });

  it.each([
    ['9', () => import('connect-redis9')],
    ['10', () => import('connect-redis10')],
  ])('works with connect-redis %s too', async (_version, installed) => {
    vi.resetModules();
    vi.doMock('connect-redis', installed);
    try {
      const { connectRedis: connect } = await import('hotshelf/connect-redis');
      const store = connect(singleClient(), { prefix: newPrefix() });
      expect(store).toBeInstanceOf((await installed()).RedisStore);
      await until(async () => (await store.get('none')) === null, { what: 'the client to be connected' });
      await store.set('a', sessionOf({ n: 1 }, inSeconds(60)));
      expect(await store.all()).toMatchObject([{ id: 'a', n: 1 }]);
      await store.clear();
      expect(await store.ids()).toEqual([]);
    } finally {
      vi.doUnmock('connect-redis');
      vi.resetModules();
    }
  });

  it('refuses options that connect-redis does not know', async () => {
    const backend = later((one) => one.close(), redis(single.url));
    const wrong: object = { client: {}, prefix: 'x:' };
    expect(() => connectRedis(backend, wrong)).toThrow('no option `client`');
  });
});
