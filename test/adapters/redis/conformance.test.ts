/** Runs the conformance suites against real servers, through every kind of client. */

import { clusterOptions, redisOptions } from 'hotshelf/redis';
import { busSuite, countersSuite, limitsSuite, rankingsSuite, uniquesSuite, valuesSuite } from 'hotshelf/testing';
import { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRedisCluster, type RedisCluster } from '../../kit/cluster.ts';
import { startRedis, type RedisServer } from '../../kit/redis.ts';
import { startSentinel, type SentinelGroup } from '../../kit/sentinel.ts';
import { connected, type Target } from './support.ts';

let server: RedisServer;
let guarded: RedisServer;
let cluster: RedisCluster;
let sentinel: SentinelGroup;

beforeAll(async () => {
  [server, guarded, cluster, sentinel] = await Promise.all([
    startRedis(),
    startRedis({ tls: true, password: 'p@ss:word/1' }),
    startRedisCluster(),
    startSentinel(),
  ]);
}, 360_000);

afterAll(async () => {
  await Promise.all([server.stop(), guarded.stop(), cluster.stop(), sentinel.stop()]);
});

/** What `redis()` gets, and what must be closed after the backend. */
interface Handed {
  readonly target: Target;
  readonly end?: () => void;
}

const setups: Record<string, () => Handed> = {
  'a URL': () => ({ target: server.url }),
  'a client with the recommended options': () => {
    const client = new Redis(server.port, { ...redisOptions() });
    return { target: client, end: () => client.disconnect() };
  },
  'a client with the defaults of ioredis and a prefix': () => {
    const client = new Redis(server.port, { keyPrefix: 'app:' });
    return { target: client, end: () => client.disconnect() };
  },
  'TLS and a password': () => ({
    target: { port: guarded.port, host: '127.0.0.1', password: 'p@ss:word/1', tls: { ca: guarded.ca ?? '' } },
  }),
  Sentinels: () => {
    const addresses = sentinel.sentinels.map(({ host, port }) => `${host}:${port}`).join(',');
    return { target: `redis+sentinel://${addresses}/${sentinel.name}` };
  },
  'a URL of a Cluster': () => {
    const addresses = cluster.masters.map(({ host, port }) => `${host}:${port}`).join(',');
    return { target: `redis+cluster://${addresses}` };
  },
  'a Cluster client with the recommended options': () => {
    const client = new Cluster([{ host: '127.0.0.1', port: cluster.masters[0]?.port ?? 0 }], clusterOptions());
    return { target: client, end: () => client.disconnect() };
  },
  'a Cluster client with the defaults of ioredis and a prefix': () => {
    const client = new Cluster([{ host: '127.0.0.1', port: cluster.masters[0]?.port ?? 0 }], { keyPrefix: 'app:' });
    return { target: client, end: () => client.disconnect() };
  },
};

for (const [name, setup] of Object.entries(setups)) {
  const create = async () => {
    const [one, other] = [setup(), setup()];
    const [backend, peer] = await Promise.all([connected(one.target), connected(other.target)]);
    const close = async () => {
      await Promise.all([backend.close(), peer.close()]);
      one.end?.();
      other.end?.();
    };
    return { backend, peer, close };
  };
  describe(`the redis adapter on ${name}`, () => {
    describe.each([
      ['values', valuesSuite({ create })],
      ['counters', countersSuite({ create })],
      ['limits', limitsSuite({ create })],
      ['rankings', rankingsSuite({ create })],
      ['uniques', uniquesSuite({ create })],
      ['bus', busSuite({ create })],
    ] as const)('%s', (_facet, cases) => {
      it.concurrent.each(cases)('$name', async ({ run }) => {
        await expect(run()).resolves.toBeUndefined();
      });
    });
  });
}
