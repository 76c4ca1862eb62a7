/** Shows that a local tier with tracking hears of what other programs do, on a real Redis. */

import { createCache } from 'hotshelf';
import { redis } from 'hotshelf/redis';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type RedisServer, startRedis } from '../../kit/redis.ts';
import { until } from '../../kit/wait.ts';

let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(() => server.stop());

/** A cache whose local tier answers, and a program that knows nothing of it. */
async function site(tracking: boolean) {
  const backend = redis(server.url);
  const cache = createCache({ backend, local: { tracking }, prefix: tracking ? 'tracked' : 'untracked' });
  const stranger = new Redis(server.url);
  onTestFinished(async () => {
    await cache.close();
    await backend.close();
    stranger.disconnect();
  });
  await until(
    async () => {
      await cache.get('k', () => 'old');
      return cache.stats().localHits > 2;
    },
    { what: 'answers of the local tier' },
  );
  const read = async (): Promise<string> => cache.get('k', () => 'new');
  return { cache, stranger, read };
}

it.each([
  ['deletes a key', (stranger: Redis) => stranger.del('tracked=k')],
  ['lets a key expire', (stranger: Redis) => stranger.pexpire('tracked=k', 1)],
  ['empties the server', (stranger: Redis) => stranger.flushall()],
])('a copy is dropped when another program %s', async (_, change) => {
  const { stranger, read } = await site(true);
  await change(stranger);
  await until(async () => (await read()) === 'new', { what: 'the new value' });
});

it('a copy is dropped when another program deletes the stamp of its tag', async () => {
  const { cache, stranger } = await site(true);
  await cache.get('tagged', () => 'old', { tags: ['t'] });
  await until(
    async () => {
      const before = cache.stats().localHits;
      await cache.get('tagged', () => 'old', { tags: ['t'] });
      return cache.stats().localHits > before;
    },
    { what: 'a copy of the tagged entry' },
  );
  await stranger.del('tracked!tag=t');
  await until(async () => (await cache.get('tagged', () => 'new', { tags: ['t'] })) === 'new', {
    what: 'the new value',
  });
});

it('without tracking it stays until its ttl', async () => {
  const { stranger, read } = await site(false);
  await stranger.del('untracked=k');
  // A message would have come long ago: a round trip on the same server has passed for both.
  for (let round = 0; round < 20; round += 1) await stranger.ping();
  expect(await read()).toBe('old');
});
