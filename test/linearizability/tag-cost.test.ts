/** Shows that invalidating a tag on Redis costs the same few commands, however many entries have it. */
import { connect, createCache, type Cache, type Key } from 'hotshelf';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type RedisServer, startRedis } from '../kit/servers.ts';
import { report } from './plays.ts';

/** 100 tags: two that are looked at, and 98 with 500 entries each. Together 100,000 entries. */
const sizes = new Map<string, number>([
  ['small', 1000],
  ['large', 50_000],
  ...Array.from({ length: 98 }, (_, index) => [`other-${index}`, 500] as const),
]);
const batchSize = 500;

async function fill(cache: Cache, tag: string, size: number): Promise<void> {
  for (let from = 0; from < size; from += batchSize) {
    const ids = Array.from({ length: Math.min(batchSize, size - from) }, (_, index) => from + index);
    await cache.getMany(['entry', tag], ids, (missing) => missing.map((id) => `${tag} ${id}`), { tags: [tag] });
  }
}

/** Returns what the server did for `work`: each command with its number, and the bytes that came in. */
async function costOf(redis: RedisServer, work: () => Promise<void>) {
  await redis.cli('CONFIG', 'RESETSTAT');
  const startedAt = performance.now();
  await work();
  const ms = performance.now() - startedAt;
  const stats = `${String(await redis.cli('INFO', 'commandstats'))}\n${String(await redis.cli('INFO', 'stats'))}`;
  const commands: Record<string, number> = {};
  for (const [, name = '', calls] of stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)) {
    // Asked by this function, and by connections that show that they live.
    if (!/^(?:config|info|ping)/.test(name)) commands[name] = Number(calls);
  }
  return { commands, bytes: Number(/^total_net_input_bytes:(\d+)/m.exec(stats)?.[1]), ms };
}

/** Returns how many of 500 entries of a tag, from all over it, are still there. */
async function standing(cache: Cache, tag: string): Promise<number> {
  const step = (sizes.get(tag) ?? 0) / 500;
  const keys = Array.from({ length: 500 }, (_, index): Key => ['entry', tag, Math.floor(index * step)]);
  const values = await Promise.all(keys.map((key) => cache.peek(key)));
  return values.filter((value) => value !== undefined).length;
}

describe('invalidating one of 100 tags on 100,000 entries', () => {
  it('costs the same few commands for 1,000 entries as for 50,000', { timeout: 540_000, retry: 1 }, async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const backend = await connect(redis.url, { requireWithin: '5s' });
    onTestFinished(() => backend.close());
    const cache = createCache({ backend, ttl: '1h', jitter: 0 });
    onTestFinished(() => cache.close());
    for (const [tag, size] of sizes) await fill(cache, tag, size);
    expect(Number(await redis.cli('DBSIZE'))).toBeGreaterThan(95_000);
    // On a busy machine a few loads may have gone past the backend.
    const before = await standing(cache, 'other-1');
    for (const tag of ['small', 'large']) expect(await standing(cache, tag)).toBeGreaterThan(450);
    // The first one loads scripts.
    await cache.invalidateTags(['other-0']);

    const small = await costOf(redis, () => cache.invalidateTags(['small']));
    const large = await costOf(redis, () => cache.invalidateTags(['large']));

    const shown = (ms: number) => `${ms.toFixed(1)} ms`;
    report(
      'invalidateTags, 1,000 and 50,000 entries',
      JSON.stringify(large.commands),
      shown(small.ms),
      shown(large.ms),
    );
    expect(large.commands).toEqual(small.commands);
    expect(Object.values(large.commands).reduce((sum, calls) => sum + calls, 0)).toBeLessThanOrEqual(10);
    expect(large.bytes).toBeLessThan(2000);
    for (const tag of ['small', 'large']) expect(await standing(cache, tag)).toBe(0);
    expect(before).toBeGreaterThan(450);
    expect(await standing(cache, 'other-1')).toBe(before);

    // The measure sees what another way costs: 500 entries by their keys.
    const keys = Array.from({ length: 500 }, (_, id): Key => ['entry', 'other-1', id]);
    const byKeys = await costOf(redis, () => cache.invalidate(...keys));
    expect(byKeys.bytes).toBeGreaterThan(5000);
  });
});
