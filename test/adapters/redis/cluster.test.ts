/** Shows that one bad master of a Cluster is bad for its own keys only, and that moving slots is not noticed. */

import { clusterOptions, redis } from 'hotshelf/redis';
import { Cluster } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { slotOf } from '../../../adapters/redis/slot.ts';
import { startRedisCluster, type RedisCluster } from '../../kit/cluster.ts';
import type { RedisServer } from '../../kit/redis.ts';
import { until } from '../../kit/wait.ts';
import {
  backendOn,
  bytes,
  cleanUp,
  eventsOf,
  later,
  outcomeOf,
  replicated,
  text,
  type RedisBackend,
} from './support.ts';

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startRedisCluster({ replicas: 1, nodeTimeout: 1500 });
}, 360_000);
afterAll(() => cluster.stop());
afterEach(cleanUp);

const urlOf = (nodes: readonly RedisServer[]) =>
  `redis+cluster://${nodes.map(({ host, port }) => `${host}:${port}`).join(',')}`;
const portOf = (nodes: readonly RedisServer[]) => [{ host: '127.0.0.1', port: nodes[0]?.port ?? 0 }];

const targets = {
  'made by us': () => urlOf(cluster.nodes),
  'handed in with the recommended options': () =>
    later((client) => client.disconnect(), new Cluster(portOf(cluster.nodes), clusterOptions())),
  'handed in with the defaults of ioredis': () =>
    later((client) => client.disconnect(), new Cluster(portOf(cluster.nodes))).on('error', () => {}),
};

/** A few keys of each master. */
async function keysByMaster(count: number): Promise<Map<number, string[]>> {
  const found = new Map<number, string[]>();
  for (let n = 0; n < count * 3; n += 1) {
    const key = `key:${n}`;
    const { port } = await cluster.masterOf(key);
    found.set(port, [...(found.get(port) ?? []), key]);
  }
  return found;
}

describe('slots', () => {
  it('agree with those of the server', async () => {
    const keys = [
      'foo',
      '123456789',
      '{user}.a',
      'a{user}b',
      '{}x',
      'x{}{y}',
      '{a',
      'a}b{c}',
      '~!#$%',
      '{{a}}',
      'ü',
      '{日本}x',
      '€{',
    ];
    const known = await Promise.all(keys.map(async (key) => cluster.nodes[0]?.cli('CLUSTER', 'KEYSLOT', key)));
    expect(keys.map(slotOf)).toEqual(known);
  });
});

describe.each(Object.entries(targets))('a Cluster client %s', (_name, target) => {
  it('joins the reads of a tick by slot and node, and deletes across slots', async () => {
    const backend = await backendOn(target());
    const keys = Array.from({ length: 60 }, (_, n) => `many:${n}`);
    await Promise.all(keys.map((key) => backend.values.set(key, bytes(key), Infinity)));
    const [found, single] = await Promise.all([
      backend.values.getMany([...keys, 'missing', ...keys]),
      Promise.all(keys.map((key) => backend.values.get(key))),
    ]);
    expect(found.map(text)).toEqual([...keys, undefined, ...keys]);
    expect(single.map(text)).toEqual(keys);
    expect(await backend.values.delete(keys)).toBe(60);
    expect(await backend.counters.read(keys)).toEqual(keys.map(() => 0));
  });

  it('keeps the pace of the other masters while one hangs', async () => {
    const backend = await backendOn(target(), {});
    const events = eventsOf(backend);
    const byMaster = await keysByMaster(20);
    const [hung] = cluster.masters;
    if (hung === undefined) throw new Error('no master');
    const bad = byMaster.get(hung.port) ?? [];
    const good = [...byMaster].filter(([port]) => port !== hung.port).flatMap(([, keys]) => keys);
    const goodFirst = good[0] ?? '';
    for (const key of [...good, ...bad]) await backend.values.set(key, bytes(key), Infinity);
    await hung.pause();
    const slow: number[] = [];
    const failed: string[] = [];
    const downs: string[] = [];
    const end = performance.now() + 1200;
    while (performance.now() < end) {
      const startedAt = performance.now();
      const asked = outcomeOf(backend.values.get(bad[0] ?? ''));
      const fine = await outcomeOf(backend.values.get(goodFirst));
      slow.push(performance.now() - startedAt);
      if (fine !== 'ok') failed.push(fine);
      if (performance.now() - startedAt < 50) downs.push(await asked);
    }
    hung.resume();
    expect(failed).toEqual([]);
    slow.sort((a, b) => a - b);
    expect(slow[Math.floor(slow.length * 0.9)]).toBeLessThan(20);
    expect(downs).toContain('BACKEND_DOWN');
    expect(events).toContainEqual(expect.objectContaining({ type: 'down', server: `127.0.0.1:${hung.port}` }));
    await until(async () => (await outcomeOf(backend.values.get(bad[0] ?? ''))) === 'ok', { what: 'the hung master' });
  });

  it('follows slots that are moving and have moved', async () => {
    const backend = await backendOn(target());
    const [from, to] = cluster.masters;
    if (from === undefined || to === undefined) throw new Error('no masters');
    const tag = await tagOn(from);
    const keys = Array.from({ length: 6 }, (_, n) => `{${tag}}:${n}`);
    for (const key of keys) await backend.values.set(key, bytes(key), Infinity);
    const version = await backend.values.set(keys[0] ?? '', bytes('first'), Infinity);
    const slot = slotOf(tag);
    const [fromId, toId] = [await from.cli('CLUSTER', 'MYID'), await to.cli('CLUSTER', 'MYID')];
    const move = async (source: RedisServer, sink: RedisServer, sourceId: unknown, sinkId: unknown, some: string[]) => {
      await sink.cli('CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(sourceId));
      await source.cli('CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(sinkId));
      for (const key of some) await source.cli('MIGRATE', sink.host, sink.port, key, 0, 1000);
    };
    await move(from, to, fromId, toId, keys.slice(0, 3));
    // Half of the keys are here, half are there: ASK for one, TRYAGAIN for many.
    expect((await backend.values.getMany(keys)).map(text)).toEqual(['first', ...keys.slice(1)]);
    expect(text(await backend.values.get(keys[1] ?? ''))).toBe(keys[1]);
    expect(await backend.values.cas(keys[0] ?? '', version, bytes('second'), Infinity)).toBeDefined();
    expect(await backend.counters.add(`{${tag}}:count`, 5, Infinity)).toBe(5);
    expect(await backend.values.delete([keys[2] ?? '', keys[5] ?? ''])).toBe(2);
    for (const key of [...keys.slice(3), `{${tag}}:count`]) await from.cli('MIGRATE', to.host, to.port, key, 0, 1000);
    for (const node of [to, from, ...cluster.masters]) await node.cli('CLUSTER', 'SETSLOT', slot, 'NODE', String(toId));
    expect((await backend.values.getMany(keys)).map(text)).toEqual([
      'second',
      keys[1],
      undefined,
      keys[3],
      keys[4],
      undefined,
    ]);
    expect(await backend.counters.read([`{${tag}}:count`])).toEqual([5]);
    expect(await backend.values.delete([...keys, `{${tag}}:count`])).toBe(5);
    await move(to, from, toId, fromId, []);
    for (const node of [from, to, ...cluster.masters])
      await node.cli('CLUSTER', 'SETSLOT', slot, 'NODE', String(fromId));
  });
});

/** A hash tag whose slot lies on `master`. */
async function tagOn(master: RedisServer): Promise<string> {
  for (let n = 0; ; n += 1) if ((await cluster.masterOf(`t${n}`)) === master) return `t${n}`;
}

describe('a failover', () => {
  it('moves keys and the bus to the replica, with short errors and no addition applied twice', async () => {
    const own = await startRedisCluster({ replicas: 1, nodeTimeout: 1500 });
    later((one) => one.stop(), own);
    const backend = await backendOn(urlOf(own.masters), {});
    const key = 'counted';
    const master = await own.masterOf(key);
    const gaps: string[] = [];
    const heard: string[] = [];
    await backend.bus.subscribe('topic', (message) => heard.push(message), { onGap: (state) => gaps.push(state) });
    await backend.counters.add(key, 1, Infinity);
    await replicated(master);
    await master.kill();
    const longest = await steadily(backend, key);
    expect(longest.ms).toBeLessThan(700);
    const [count = 0] = await backend.counters.read([key]);
    expect(count).toBeGreaterThanOrEqual(1 + longest.applied);
    expect(count).toBeLessThanOrEqual(1 + longest.applied + longest.unknown);
    await until(async () => (await outcomeOf(backend.bus.publish('topic', 'x'))) === 'ok', { what: 'to publish' });
    await until(() => heard.length > 0, { what: 'the message' });
    expect(gaps.length % 2).toBe(0);
    await until(async () => (await backend.health()).ok, { what: 'the health' });
  }, 180_000);
});

/** Adds until ten additions in a row went well; returns how that went. */
async function steadily(backend: RedisBackend, key: string) {
  const seen = { ms: 0, applied: 0, unknown: 0 };
  let inARow = 0;
  await until(
    async () => {
      const startedAt = performance.now();
      const outcome = await outcomeOf(backend.counters.add(key, 1, Infinity));
      seen.ms = Math.max(seen.ms, performance.now() - startedAt);
      if (outcome === 'ok') seen.applied += 1;
      if (outcome === 'OUTCOME_UNKNOWN') seen.unknown += 1;
      inARow = outcome === 'ok' ? inARow + 1 : 0;
      return seen.applied > 10 && inARow >= 10;
    },
    { what: 'additions to go well again', within: 60_000 },
  );
  return seen;
}

describe('a cluster that is not there', () => {
  it('fails fast, and is used when it is there', async () => {
    const own = await startRedisCluster();
    later((one) => one.stop(), own);
    await Promise.all(own.masters.map((master) => master.kill()));
    const backend = later((one) => one.close(), redis(urlOf(own.masters)));
    const events = eventsOf(backend);
    const startedAt = performance.now();
    expect(await outcomeOf(backend.values.get('k'))).toBe('BACKEND_DOWN');
    expect(performance.now() - startedAt).toBeLessThan(1500);
    const again = performance.now();
    expect(await outcomeOf(backend.values.set('k', bytes('x'), Infinity))).toBe('BACKEND_DOWN');
    expect(await outcomeOf(backend.values.delete(['k', 'l']))).toBe('BACKEND_DOWN');
    expect(performance.now() - again).toBeLessThan(100);
    expect((await backend.health()).ok).toBe(false);
    expect(events.map(({ type }) => type)).toEqual(['down']);
  });
});
