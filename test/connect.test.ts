/** Shows that one URL chooses the backend, that bad URLs are refused, and that no message shows credentials. */

import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, createCache, HotshelfError, type Backend } from 'hotshelf';
import { freePort } from './kit/port.ts';
import { startMemcached, startRedis, type Server } from './kit/servers.ts';

const opened: Backend[] = [];

async function open(...args: Parameters<typeof connect>): Promise<Backend> {
  const backend = await connect(...args);
  opened.push(backend);
  return backend;
}

async function refusal(work: () => Promise<unknown>): Promise<HotshelfError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof HotshelfError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const secret = 'hunter2';

describe('connect', () => {
  let servers: Record<'redis' | 'memcached', Server>;
  beforeAll(async () => {
    const [redis, memcached] = await Promise.all([startRedis({ password: secret }), startMemcached()]);
    servers = { redis, memcached };
  });
  afterAll(async () => {
    await Promise.all(opened.map((backend) => backend.close()));
    await Promise.all(Object.values(servers ?? {}).map((server) => server.stop()));
  });

  it.each(['memory:', 'memory://', 'MEMORY:', 'memory:?maxBytes=100000&maxEntries=10&maxValueBytes=5000'])(
    'opens %s in this process',
    async (url) => {
      const backend = await open(url, { requireWithin: 1 });
      expect(backend).toMatchObject({ name: 'memory', values: {}, counters: {}, bus: {} });
      expect(await backend.health()).toMatchObject({ ok: true });
      expect(backend.values?.maxValueBytes).toBe(url.includes('5000') ? 5000 : 2 ** 24);
    },
  );

  it.each(['redis', 'memcached'] as const)('opens a cache on a %s server', async (name) => {
    const backend = await connect(servers[name].url as 'redis://h', { requireWithin: '5s' });
    opened.push(backend);
    expect(backend.name).toBe(name);
    const cache = createCache({ backend });
    expect(await cache.get(['city', 7], () => ({ name: 'Nice' }))).toEqual({ name: 'Nice' });
    expect(await cache.get(['city', 7], () => ({ name: 'Nizza' }))).toEqual({ name: 'Nice' });
    expect(inspect(backend, { depth: 20 })).not.toContain(secret);
    await cache.close();
  });

  it.each(['redis', 'memcached'] as const)('opens a %s server that is down, and a cache on it works', async (name) => {
    const backend = await connect(`${name}://user:${secret}@127.0.0.1:${await freePort()}` as 'redis://h');
    opened.push(backend);
    const cache = createCache({ backend });
    expect(await cache.get('k', () => 'from the origin')).toBe('from the origin');
    const error = await refusal(() => cache.invalidate('k'));
    expect(['BACKEND_DOWN', 'OUTCOME_UNKNOWN']).toContain(error.code);
    expect(inspect(error, { depth: 20 })).not.toContain(secret);
    expect(inspect(await backend.health())).not.toContain(secret);
    await cache.close();
  });

  it.each(['redis', 'memcached'])('rejects within `requireWithin` when the %s server is down', async (name) => {
    const url = `${name}://user:${secret}@127.0.0.1:${await freePort()}`;
    const startedAt = performance.now();
    const error = await refusal(() => connect(url, { requireWithin: '300ms' }));
    expect(performance.now() - startedAt).toBeLessThan(3000);
    expect(error.code).toBe('BACKEND_DOWN');
    expect(error.message).toContain('300 ms');
    expect(inspect(error, { depth: 20 })).not.toContain(secret);
  });

  it.each([
    '',
    'nowhere',
    `${secret}@127.0.0.1`,
    'localhost:6379',
    `http://user:${secret}@h`,
    `redis:user:${secret}@h`,
    `redis:/user:${secret}@h`,
    `redis://user:${secret}@`,
    `redis://user:${secret}@h:port`,
    `redis://user:${secret}@h:99999`,
    `redis://user:${secret}@h/first`,
    `redis://user:${secret}%ZZ@h`,
    `redis://h?password=${secret}`,
    `redis+cluster://user:${secret}@h1,`,
    `redis+sentinel://user:${secret}@h1,h2`,
    `memcached://user:${secret}@`,
    `memcached://user:${secret}@h:port`,
    `memcached://user:${secret}%@h`,
    `memcached://h?password=${secret}`,
    `memory://user:${secret}@h`,
    `memory:?maxBytes=${secret}`,
    'memory:?maxbytes=5',
    `__proto__:${secret}`,
    `constructor:${secret}`,
  ])('refuses %s, and shows no credentials', async (url) => {
    const error = await refusal(() => connect(url));
    expect(['URL_INVALID', 'OPTION_INVALID']).toContain(error.code);
    expect(error.message.length).toBeGreaterThan(20);
    expect(inspect(error, { depth: 20 })).not.toContain(secret);
  });

  it.each([undefined, null, 5, {}, new URL('redis://h')])('refuses what is no text: %s', async (url) => {
    expect((await refusal(() => connect(url as never))).code).toBe('URL_INVALID');
  });

  it.each([{ requireWithin: '5 parsecs' }, { requireWithin: 0 }, { requireWithin: -1 }, { within: 5 }, null, 5])(
    'refuses the options %j before it opens anything',
    async (options) => {
      expect((await refusal(() => connect('redis://127.0.0.1:1', options as never))).code).toBe('OPTION_INVALID');
    },
  );

  it('names the schemes that it knows', async () => {
    const { message } = await refusal(() => connect('mongodb://h'));
    expect(message).toContain('"mongodb:"');
    for (const scheme of ['memory:', 'redis:', 'rediss:', 'redis+cluster:', 'redis+sentinel:', 'memcached:'])
      expect(message).toContain(scheme);
  });
});
