/** Shows that a take is charged once, whatever becomes of its answer and of the script that decides. */

import { connect } from 'hotshelf';
import { limiter, type LimitPlan, type WatchedLimiter } from 'hotshelf/limits';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Proxy, startProxy } from '../kit/proxy.ts';
import { type RedisServer, startRedis } from '../kit/redis.ts';
import { until } from '../kit/wait.ts';

const limit = 1000;
const plans: readonly LimitPlan[] = [{ name: 'hour', limit, window: '1h' }];
const rounds = 12;

async function startServer(): Promise<{ server: RedisServer; proxy: Proxy }> {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const proxy = await startProxy({ target: server });
  onTestFinished(() => proxy.stop());
  return { server, proxy };
}

/** A limiter that is patient with a machine that does other things too. */
async function limiterOn(url: string): Promise<WatchedLimiter> {
  const backend = await connect(`${url}?deadline=2s`, { requireWithin: '15s' });
  const limits = limiter({ backend, name: 'wire', plans, deadline: '2s' });
  onTestFinished(async () => {
    limits.close();
    await backend.close();
  });
  return limits;
}

/** How much the store says was taken. */
async function charged({ url }: RedisServer, key: string): Promise<number> {
  const { degraded, remaining } = await (await limiterOn(url)).check(key);
  expect(degraded).toBe(false);
  return limit - remaining;
}

describe('a reply that is lost', () => {
  it('is a decision all the same, and its take is charged once', { timeout: 270_000 }, async () => {
    const { server, proxy } = await startServer();
    const limits = await limiterOn(proxy.url('redis'));
    const counted = async () => (await limits.check('other')).degraded === false;
    const lost: unknown[] = [];
    for (let round = 0; round < rounds; round += 1) {
      await until(counted, { what: 'the store to decide again', within: 60_000 });
      proxy.truncateNextReply(0);
      const { allowed, degraded } = await limits.take('key');
      expect(allowed).toBe(true);
      lost.push(degraded);
    }
    await until(counted, { what: 'the store to decide again', within: 60_000 });
    expect(lost).toEqual(Array.from({ length: rounds }, () => 'local'));
    expect(await charged(server, 'key')).toBe(rounds);
  });

  it('is counted twice by a client as it comes (control)', { timeout: 90_000 }, async () => {
    const { server, proxy } = await startServer();
    const client = new Redis(proxy.url('redis'));
    onTestFinished(() => client.disconnect());
    await client.ping();
    proxy.truncateNextReply(0);
    await client.incr('key');
    expect(await server.cli('GET', 'key')).toBe('2');
  });
});

describe('a script that the server forgets', () => {
  it('is not missed: every take is decided by the store, and charged once', { timeout: 180_000 }, async () => {
    const { server } = await startServer();
    const limits = await limiterOn(server.url);
    const tick = () => Promise.all(Array.from({ length: 10 }, () => limits.take('key')));
    for (let round = 1; round <= 20; round += 1) {
      const flushing = server.cli('SCRIPT', 'FLUSH');
      const [before, , after] = [await tick(), await flushing, await tick()];
      for (const { allowed, degraded } of [...before, ...after])
        expect({ allowed, degraded }).toEqual({ allowed: true, degraded: false });
    }
    expect(await charged(server, 'key')).toBe(20 * 20);
    expect(String(await server.cli('INFO', 'commandstats'))).toMatch(/cmdstat_eval:calls=[1-9]/);
  });
});
