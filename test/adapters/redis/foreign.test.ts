/** Shows that what other programs stored is read as it is, and cleared by its prefix alone. */

import { clusterOptions, redisOptions } from 'hotshelf/redis';
import { Cluster, Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startRedisCluster, type RedisCluster } from '../../kit/cluster.ts';
import { startRedis, type RedisServer } from '../../kit/redis.ts';
import { backendOn, bytes, cleanUp, errorOf, later } from './support.ts';

let single: RedisServer;
let cluster: RedisCluster;
beforeAll(async () => {
  [single, cluster] = await Promise.all([startRedis(), startRedisCluster()]);
}, 360_000);
afterAll(() => Promise.all([single.stop(), cluster.stop()]));
afterEach(cleanUp);

const clients = {
  'one server': () => later((one) => one.disconnect(), new Redis(single.port)),
  'one server, with a prefix': () =>
    later((one) => one.disconnect(), new Redis(single.port, { ...redisOptions(), keyPrefix: 'app[1]:' })),
  'a Cluster': () => {
    const nodes = cluster.masters.map(({ host, port }) => ({ host, port }));
    return later((one) => one.disconnect(), new Cluster(nodes, { ...clusterOptions(), enableOfflineQueue: true }));
  },
};

describe.each(Object.entries(clients))('what others stored on %s', (_name, clientOn) => {
  it('is read as it is, with the time that it has left', async () => {
    const client = clientOn();
    const backend = await backendOn(client);
    const { foreign } = backend.values;
    await client.set('short', 'x', 'PX', 60_000);
    await client.set('long', '{"cookie":{}} and more');
    await client.set('empty', '');
    const short = await foreign?.read('short');
    expect(short).toEqual({ bytes: Buffer.from('x'), ttlMs: expect.any(Number) });
    expect(short?.ttlMs).toBeGreaterThan(50_000);
    expect(short?.ttlMs).toBeLessThanOrEqual(60_000);
    expect(await foreign?.read('long')).toEqual({ bytes: Buffer.from('{"cookie":{}} and more'), ttlMs: Infinity });
    expect(await foreign?.read('empty')).toEqual({ bytes: Buffer.from(''), ttlMs: Infinity });
    expect(await foreign?.read('none')).toBeUndefined();
    expect(await backend.values.touch('long', 90_000)).toBe(true);
    expect((await foreign?.read('long'))?.ttlMs).toBeLessThanOrEqual(90_000);
    expect(await backend.values.delete(['short', 'long'])).toBe(2);
    expect(await foreign?.read('long')).toBeUndefined();
  });

  it('is cleared by its prefix, letter by letter', async () => {
    const client = clientOn();
    const backend = await backendOn(client);
    const keys = Array.from({ length: 1200 }, (_, n) => `s*ss:${n}`);
    await Promise.all(keys.map((key) => client.set(key, 'x')));
    await client.set('sess:kept', 'x');
    await backend.values.set('own', bytes('x'), Infinity);
    await backend.values.foreign?.clear('s*ss:');
    const left = await Promise.all(keys.map((key) => client.exists(key)));
    expect(left.filter((one) => one === 1)).toEqual([]);
    expect(await client.exists('sess:kept')).toBe(1);
    expect(await backend.values.get('own')).toBeDefined();
  });
});

it('is not cleared without a prefix', async () => {
  const backend = await backendOn(single.url);
  expect((await errorOf(backend.values.foreign?.clear('') ?? Promise.resolve())).code).toBe('KEY_INVALID');
});
