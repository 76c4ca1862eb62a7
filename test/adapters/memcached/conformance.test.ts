/** Runs the conformance suites against a real Memcached server, and against three. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memcached, type MemcachedOptions } from 'hotshelf/memcached';
import { countersSuite, limitsSuite, rankingsSuite, valuesSuite, type ConformanceCase } from 'hotshelf/testing';
import { startMemcached, type MemcachedServer } from '../../kit/servers.ts';
import { until } from '../../kit/wait.ts';

for (const count of [1, 3]) {
  describe(`on ${count} Memcached server${count === 1 ? '' : 's'}`, () => {
    let servers: MemcachedServer[];
    beforeAll(async () => {
      servers = await Promise.all(Array.from({ length: count }, () => startMemcached()));
    });
    afterAll(async () => {
      await Promise.all(servers.map((server) => server.stop()));
    });

    const createWith = async (options: MemcachedOptions) => {
      const addresses = servers.map(({ host, port }) => ({ host, port }));
      const backend = memcached(addresses, options);
      const peer = memcached(addresses, options);
      await Promise.all([backend, peer].map(isReady));
      return {
        backend,
        peer,
        async close() {
          await Promise.all([backend.close(), peer.close()]);
        },
      };
    };
    const create = () => createWith({});
    const createSmall = () => createWith({ maxBoardMembers: 50 });

    describe('values', () => {
      check(valuesSuite({ create, ttlGranularityMs: 1000 }));
    });
    describe('counters', () => {
      check(countersSuite({ create, ttlGranularityMs: 1000 }));
    });
    describe('limits', () => {
      check(limitsSuite({ create, ttlGranularityMs: 1000, exact: false }));
    });
    describe('rankings', () => {
      check(rankingsSuite({ create, createSmall, ttlGranularityMs: 1000 }));
    });
  });
}

function isReady(backend: ReturnType<typeof memcached>): Promise<true> {
  return until(async () => (await backend.health()).ok, { what: 'the servers to answer' });
}

function check(cases: readonly ConformanceCase[]): void {
  it.concurrent.each(cases)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
}
