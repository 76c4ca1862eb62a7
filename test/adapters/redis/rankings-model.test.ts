/** Holds leaderboards on a real Redis, and on a Cluster, against plain lists that are sorted for every question. */

import { afterAll, beforeAll, describe, it } from 'vitest';
import { checkAgainstModel, modelRules } from '../../backend/rankings/model.ts';
import { startRedisCluster, type RedisCluster } from '../../kit/cluster.ts';
import { startRedis, type RedisServer } from '../../kit/redis.ts';
import { connected, type RedisBackend } from './support.ts';

let server: RedisServer;
let cluster: RedisCluster;
let backends: Record<string, readonly RedisBackend[]>;

beforeAll(async () => {
  [server, cluster] = await Promise.all([startRedis(), startRedisCluster()]);
  const nodes = cluster.masters.map(({ host, port }) => `${host}:${port}`).join(',');
  const pair = (url: string) => Promise.all([connected(url), connected(url)]);
  backends = { server: await pair(server.url), Cluster: await pair(`redis+cluster://${nodes}`) };
}, 120_000);

afterAll(async () => {
  await Promise.all(Object.values(backends).flatMap((pair) => pair.map((backend) => backend.close())));
  await Promise.all([server.stop(), cluster.stop()]);
});

describe.each([
  ['server', 25],
  ['Cluster', 5],
])('a %s', (kind, runs) => {
  it.each(modelRules)('keeps boards as plain lists would: $order, $ties, $mode', async (rules) => {
    const pair = backends[kind] ?? [];
    await checkAgainstModel(
      pair.map(({ rankings }) => rankings),
      rules,
      { runs },
    );
  });
});
