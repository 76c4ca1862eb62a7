/** Shows that Redis tells of every change of a key by anybody, and that what it could not tell is reported as a gap. */

import { redisOptions } from 'hotshelf/redis';
import { changesSuite } from 'hotshelf/testing';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Changes } from '../../../src/backend/values.ts';
import { startRedisCluster } from '../../kit/cluster.ts';
import { startRedis, type RedisServer } from '../../kit/redis.ts';
import { startSentinel } from '../../kit/sentinel.ts';
import { sleep, until } from '../../kit/wait.ts';
import {
  backendOn,
  bytes,
  cleanUp,
  connected,
  errorOf,
  later,
  outcomeOf,
  proxyOf,
  server,
  type RedisBackend,
  type Target,
} from './support.ts';

let shared: RedisServer;
beforeAll(async () => {
  shared = await startRedis();
}, 180_000);
afterAll(() => shared.stop());
afterEach(cleanUp);

const setups: Record<string, { readonly prefix: string; readonly target: () => Target }> = {
  'a URL': { prefix: '', target: () => shared.url },
  'a client with the recommended options': {
    prefix: '',
    target: () => later((one) => one.disconnect(), new Redis(shared.port, { ...redisOptions() })),
  },
  'a client with the defaults of ioredis and a prefix': {
    prefix: 'app:',
    target: () => later((one) => one.disconnect(), new Redis(shared.port, { keyPrefix: 'app:' })),
  },
};

describe.each(Object.entries(setups))('changes on %s', (_name, { prefix, target }) => {
  const create = async () => {
    const [backend, peer] = await Promise.all([connected(target()), connected(target())]);
    return { backend, peer, close: async () => void (await Promise.all([backend.close(), peer.close()])) };
  };
  const outside = {
    set: (key: string, value: string) => shared.cli('SET', prefix + key, value),
    flush: () => shared.cli('FLUSHALL'),
    cut: () => shared.cli('CLIENT', 'KILL', 'TYPE', 'pubsub'),
  };
  it.each(changesSuite({ create, outside }))('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});

interface Told {
  readonly facts: string[];
  readonly ages: number[];
}

async function watch(backend: RedisBackend, prefix: string, probeEveryMs = 1000): Promise<Told> {
  const told: Told = { facts: [], ages: [] };
  await changesOf(backend).watch(prefix, (keys) => told.facts.push(...(keys ?? ['all'])), {
    onGap: (state) => told.facts.push(state),
    onProbe: (age) => told.ages.push(age),
    probeEveryMs,
  });
  return told;
}

function changesOf(backend: RedisBackend): Changes {
  const { changes } = backend.values;
  if (changes === undefined) throw new Error('no changes');
  return changes;
}

describe('a watch', () => {
  it('notices a half-open connection within about a second, and tells again when it is whole', async () => {
    const real = await server();
    const proxy = await proxyOf(real);
    const backend = await backendOn(proxy.url('redis'));
    const told = await watch(backend, 'a:', 200);
    proxy.blackhole();
    const startedAt = performance.now();
    await until(() => told.facts.includes('lost'), { what: 'the gap', every: 2 });
    expect(performance.now() - startedAt).toBeLessThan(1000);
    const probes = told.ages.length;
    await real.cli('SET', 'a:1', 'unheard');
    await sleep(300);
    expect(told.facts).toEqual(['lost']);
    expect(told.ages.length).toBe(probes);
    await proxy.heal();
    await until(() => told.facts.includes('restored'), { what: 'the end of the gap' });
    await real.cli('SET', 'a:2', 'heard');
    await until(() => told.facts.includes('a:2'), { what: 'the change' });
    expect(told.facts).toEqual(['lost', 'restored', 'a:2']);
  });

  it('misses no change without a gap between it and the next', async () => {
    const real = await server();
    const backend = await backendOn(real.url);
    const told = await watch(backend, 'n:');
    let written = 0;
    for (let kill = 0; kill < 5; kill += 1) {
      for (const end = performance.now() + 100; performance.now() < end; written += 1) {
        await real.cli('SET', `n:${written}`, 'x');
      }
      await real.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
    }
    await until(() => told.facts.filter((fact) => fact === 'restored').length === 5, { what: 'the end of the gaps' });
    await real.cli('SET', `n:${written}`, 'last');
    await until(() => told.facts.at(-1) === `n:${written}`, { what: 'the last change' });
    const unexcused: string[] = [];
    let previous = -1;
    let excused = false;
    for (const fact of told.facts) {
      if (!fact.startsWith('n:')) {
        excused = true;
        continue;
      }
      const n = Number(fact.slice(2));
      if (n !== previous + 1 && !excused) unexcused.push(fact);
      previous = n;
      excused = false;
    }
    expect(unexcused).toEqual([]);
    expect(written).toBeGreaterThan(50);
  });

  it('tells after a restart, and reports no gap when only the event loop was blocked', async () => {
    const real = await server();
    const backend = await backendOn(real.url);
    const told = await watch(backend, 'a:', 100);
    const end = performance.now() + 1500;
    while (performance.now() < end);
    await real.cli('SET', 'a:1', 'x');
    await until(() => told.facts.length > 0, { what: 'the change' });
    expect(told.facts).toEqual(['a:1']);
    await real.restart();
    await until(() => told.facts.includes('restored'), { what: 'the end of the gap' });
    await real.cli('SET', 'a:2', 'x');
    await until(() => told.facts.includes('a:2'), { what: 'the change' });
    expect(told.facts).toEqual(['a:1', 'lost', 'restored', 'a:2']);
  });

  it('fails within its time when the server is not there, and is refused by one that does not allow it', async () => {
    const real = await server();
    await real.cli('ACL', 'SETUSER', 'limited', 'on', '>pw', '~*', '&*', '+@all', '-client|tracking');
    const limited = await backendOn(`redis://limited:pw@127.0.0.1:${real.port}`);
    expect((await errorOf(changesOf(limited).watch('a:', () => {}))).code).toBe('BACKEND_REFUSED');
    const backend = await backendOn(real.url);
    await real.kill();
    const startedAt = performance.now();
    expect((await errorOf(changesOf(backend).watch('a:', () => {}))).code).toBe('BACKEND_DOWN');
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  it('ends its connection when it is closed', async () => {
    const real = await server();
    const backend = await backendOn(real.url);
    const subscription = await changesOf(backend).watch('a:', () => {});
    const list = async () => String(await real.cli('CLIENT', 'LIST'));
    expect(await list()).toContain('hotshelf-changes');
    await subscription.close();
    await until(async () => !(await list()).includes('hotshelf-changes'), { what: 'the end of the connection' });
  });

  it('follows the master that Sentinels elect', async () => {
    const group = later((one) => one.stop(), await startSentinel());
    const addresses = group.sentinels.map(({ host, port }) => `${host}:${port}`).join(',');
    const backend = await backendOn(`redis+sentinel://${addresses}/${group.name}`);
    const told = await watch(backend, 'a:', 100);
    await backend.values.set('a:1', bytes('x'), Infinity);
    await until(() => told.facts.includes('a:1'), { what: 'the change' });
    await group.failover();
    await until(() => told.facts.includes('restored'), { what: 'the end of the gap', within: 60_000 });
    const written = () => outcomeOf(backend.values.set('a:2', bytes('x'), Infinity));
    await until(async () => (await written()) === 'ok', { what: 'a write' });
    await until(() => told.facts.includes('a:2'), { what: 'the change on the new master' });
  }, 180_000);

  it('is not to be had on a Cluster', async () => {
    const cluster = later((one) => one.stop(), await startRedisCluster());
    const backend = await backendOn(
      `redis+cluster://${cluster.masters.map(({ host, port }) => `${host}:${port}`).join(',')}`,
    );
    expect(backend.values.changes).toBeUndefined();
  });
});
