/** Shows that on a Cluster all messages go through one master, and what happens when that is another one. */

import { redis } from 'hotshelf/redis';
import { Cluster } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { slotOf } from '../../../adapters/redis/slot.ts';
import { startRedisCluster, type RedisCluster } from '../../kit/cluster.ts';
import { startProxy, type Proxy } from '../../kit/proxy.ts';
import type { RedisServer } from '../../kit/redis.ts';
import { sleep, until } from '../../kit/wait.ts';
import { backendOn, cleanUp, errorOf, later, outcomeOf, type RedisBackend } from './support.ts';

const meetingKey = 'hs:{hotshelf}';
const slot = slotOf(meetingKey);

/** What a message takes from one node to another, in ms: without it hardly any is late enough to be missed. */
const busDelayMs = 20;

let cluster: RedisCluster;
const proxies: Proxy[] = [];
beforeAll(async () => {
  cluster = await startRedisCluster({ nodeTimeout: 1500 });
  await Promise.all(cluster.nodes.map(slowBusTo));
}, 360_000);
afterAll(async () => {
  await cluster.stop();
  await Promise.all(proxies.map((proxy) => proxy.stop()));
});
afterEach(cleanUp);

const urlOf = ({ nodes }: RedisCluster) =>
  `redis+cluster://${nodes.map(({ host, port }) => `${host}:${port}`).join(',')}`;

/** Has all other nodes speak to this one through a slow line. */
async function slowBusTo(node: RedisServer): Promise<void> {
  const busPort = /:\d+@(\d+) myself/.exec(String(await node.cli('CLUSTER', 'NODES')))?.[1];
  const proxy = await startProxy({ target: { host: node.host, port: Number(busPort) }, delay: () => busDelayMs });
  proxies.push(proxy);
  await node.cli('CONFIG', 'SET', 'cluster-announce-bus-port', proxy.port);
  const arrived = () => proxy.counters().open === cluster.nodes.length - 1;
  await until(arrived, { what: 'the other nodes to use the slow line' });
}

interface Heard {
  readonly messages: Set<string>;
  readonly facts: string[];
  /** What was published before a probe was sent, and had not been heard when it was answered. */
  readonly missing: string[];
  probes: number;
  /** When the last gap began or ended. */
  gapAt: number;
}

/** When each message's `publish` had resolved. */
type Published = Map<string, number>;

async function listen(
  backend: RedisBackend,
  topic: string,
  published: Published = new Map(),
  probeEveryMs = 10,
): Promise<Heard> {
  const heard: Heard = { messages: new Set(), facts: [], missing: [], probes: 0, gapAt: -1 };
  await backend.bus.subscribe(topic, (message) => heard.messages.add(message), {
    probeEveryMs,
    onGap(state) {
      heard.facts.push(state);
      // What was published before is excused, whenever its `publish` resolves.
      published.clear();
      heard.gapAt = performance.now();
    },
    onProbe(sentAgoMs) {
      heard.probes += 1;
      const sentAt = performance.now() - sentAgoMs;
      for (const [message, at] of published) {
        if (at < sentAt && !heard.messages.has(message)) heard.missing.push(message);
      }
    },
  });
  return heard;
}

/** Publishes one message after the other, until it is told to stop; then returns how it went. */
function publishTo(backend: RedisBackend, heard: Heard, published: Published) {
  const outcomes: string[] = [];
  const state = { stopped: false };
  const work = (async () => {
    for (let n = 0; !state.stopped; n += 1) {
      const startedAt = performance.now();
      const outcome = await outcomeOf(backend.bus.publish('topic', `${n}`));
      outcomes.push(outcome);
      if (outcome === 'ok' && startedAt > heard.gapAt) published.set(`${n}`, performance.now());
      await sleep(1);
    }
  })();
  return {
    async stop() {
      state.stopped = true;
      await work;
      return outcomes;
    },
  };
}

/**
 * Hands the slot over, with a pause before the old owner gives it up.
 *
 * Claims of the old owner may still be under way on the slow line, and one that comes late can win over the new
 * owner's for ever: so whoever still believes in the old one is told again, until all masters agree.
 */
async function moveSlot(from: RedisServer, to: RedisServer, pause: () => Promise<unknown> = async () => {}) {
  const [fromId, toId] = [String(await from.cli('CLUSTER', 'MYID')), String(await to.cli('CLUSTER', 'MYID'))];
  await to.cli('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
  await from.cli('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
  await pause();
  const giveTo = (node: RedisServer) => node.cli('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
  await giveTo(from);
  await sleep(2 * busDelayMs);
  await giveTo(to);
  const agrees = async (node: RedisServer): Promise<boolean> => {
    const word = await node.cli('EXISTS', meetingKey).catch(String);
    const agreed = node === to ? word === 0 : String(word).includes(`:${to.port}`);
    if (!agreed) await giveTo(node).catch(() => {});
    return agreed;
  };
  const allAgree = async () => (await Promise.all(cluster.masters.map(agrees))).every(Boolean);
  await until(allAgree, { what: 'all masters to agree on the slot', every: 2 * busDelayMs });
  await sleep(2 * busDelayMs);
}

async function mastersNow(): Promise<{ readonly owner: RedisServer; readonly other: RedisServer }> {
  const owner = await cluster.masterOf(meetingKey);
  const other = cluster.masters.find((master) => master !== owner);
  if (other === undefined) throw new Error('one master only');
  return { owner, other };
}

const subscribersAt = async (node: RedisServer, topic: string) => {
  const reply = await node.cli('PUBSUB', 'NUMSUB', topic);
  return Array.isArray(reply) ? reply[1] : undefined;
};

describe('the bus of a Cluster', () => {
  it('meets at the master of one slot, whichever the topic and the client', async () => {
    const { owner, other } = await mastersNow();
    const handedIn = later((one) => one.disconnect(), new Cluster([{ host: other.host, port: other.port }]));
    const backends = [
      await backendOn(urlOf(cluster)),
      await backendOn(handedIn),
      await backendOn(
        later((one) => one.disconnect(), new Cluster([{ host: other.host, port: other.port }], { keyPrefix: 'app:' })),
      ),
    ];
    for (const topic of ['a', 'b', '{x}c']) {
      await Promise.all(backends.map((backend) => backend.bus.subscribe(topic, () => {})));
      expect(await subscribersAt(owner, topic)).toBe(3);
      for (const backend of backends) expect(await backend.bus.publish(topic, 'x')).toBe(3);
      // Anywhere else a message is counted for nobody, and comes when it comes.
      expect(await other.cli('PUBLISH', topic, 'x')).toBe(0);
    }
  });

  it('could not promise anything if messages came from another node', async () => {
    const { other } = await mastersNow();
    const published: Published = new Map();
    const heard = await listen(await backendOn(urlOf(cluster)), 'topic', published);
    await other.cli('PUBLISH', 'topic', 'late');
    published.set('late', performance.now());
    await until(() => heard.messages.has('late'), { what: 'the message' });
    expect(heard.missing).toContain('late');
  });

  it('keeps the promise of a probe while several processes publish', async () => {
    const published: Published = new Map();
    const [listener, ...publishers] = await Promise.all(Array.from({ length: 4 }, () => backendOn(urlOf(cluster))));
    if (listener === undefined) throw new Error('no listener');
    const heard = await listen(listener, 'topic', published);
    await Promise.all(
      publishers.map(async (backend, index) => {
        for (let n = 0; n < 300; n += 1) {
          await backend.bus.publish('topic', `${index}:${n}`);
          published.set(`${index}:${n}`, performance.now());
        }
      }),
    );
    const { probes } = heard;
    await until(() => heard.probes > probes + 2, { what: 'more probes' });
    expect(heard.missing).toEqual([]);
    expect(heard.facts).toEqual([]);
    expect(heard.messages.size).toBe(900);
    expect(probes).toBeGreaterThan(5);
  });

  it('notices within a heartbeat that the slot has moved, reports the gap and meets at the new master', async () => {
    const { owner, other } = await mastersNow();
    const published: Published = new Map();
    const [listener, publisher] = [await backendOn(urlOf(cluster)), await backendOn(urlOf(cluster))];
    const heard = await listen(listener, 'topic', published);
    const slow: string[] = [];
    await listener.bus.subscribe('slow', () => {}, { onGap: (state) => slow.push(state) });
    const publishing = publishTo(publisher, heard, published);
    await sleep(50);
    await moveSlot(owner, other, async () => {
      // While it is being handed over the owner is still the place to meet.
      const { probes } = heard;
      await until(() => heard.probes > probes + 5, { what: 'probes during the move' });
      expect(heard.facts).toEqual([]);
      expect(await publisher.bus.publish('topic', 'moving')).toBe(1);
      await until(() => heard.messages.has('moving'), { what: 'the message' });
    });
    const movedAt = performance.now();
    await until(() => heard.facts.includes('lost'), { what: 'the gap', every: 2 });
    expect(performance.now() - movedAt).toBeLessThan(1000);
    await until(() => heard.facts.includes('restored'), { what: 'the end of the gap' });
    expect(await subscribersAt(other, 'topic')).toBe(1);
    const { probes } = heard;
    await until(() => heard.probes > probes + 5, { what: 'probes at the new master' });
    expect(await publisher.bus.publish('topic', 'after')).toBe(1);
    await until(() => heard.messages.has('after'), { what: 'the message' });
    await publishing.stop();
    expect(heard.facts).toEqual(['lost', 'restored']);
    expect(slow).toEqual(['lost', 'restored']);
    expect(heard.missing).toEqual([]);
    await moveSlot(other, owner);
  });

  it('keeps the promise of a probe while the slot moves to and fro', async () => {
    const { owner, other } = await mastersNow();
    const published: Published = new Map();
    const [listener, publisher] = [await backendOn(urlOf(cluster)), await backendOn(urlOf(cluster))];
    // Rarely enough to be taken in by a move.
    const heard = await listen(listener, 'topic', published, 100);
    const publishing = publishTo(publisher, heard, published);
    const moves = 12;
    for (let move = 1; move <= moves; move += 1) {
      const [from, to] = move % 2 === 1 ? [owner, other] : [other, owner];
      await moveSlot(from, to);
      await until(async () => (await subscribersAt(to, 'topic')) === 1, { what: 'a subscription at the new master' });
      const { probes } = heard;
      await until(() => heard.probes > probes + 3, { what: 'probes' });
    }
    const outcomes = await publishing.stop();
    expect(heard.missing).toEqual([]);
    expect(outcomes.filter((outcome) => outcome === 'ok').length).toBeGreaterThan(300);
  });

  it('is heard by the new master after a failover, and by nobody in between', async () => {
    const own = later((one) => one.stop(), await startRedisCluster({ replicas: 1, nodeTimeout: 1500 }));
    const published: Published = new Map();
    const backend = await backendOn(urlOf(own), {});
    const heard = await listen(backend, 'topic', published);
    const owner = await own.masterOf(meetingKey);
    await owner.kill();
    await until(() => heard.facts.includes('lost'), { what: 'the gap' });
    expect((await errorOf(backend.bus.publish('topic', 'x'))).code).toBe('BACKEND_DOWN');
    await until(() => heard.facts.includes('restored'), { what: 'the end of the gap', within: 60_000 });
    const reached = () => backend.bus.publish('topic', 'back').catch(() => 0);
    await until(async () => (await reached()) === 1, { what: 'to publish' });
    await until(() => heard.messages.has('back'), { what: 'the message' });
    expect(heard.facts.length % 2).toBe(0);
    expect(heard.missing).toEqual([]);
  }, 180_000);

  it('cannot be listened to without the master of the slot', async () => {
    const own = later((one) => one.stop(), await startRedisCluster());
    const backend = await backendOn(urlOf(own), {});
    const owner = await own.masterOf(meetingKey);
    await owner.kill();
    expect((await errorOf(backend.bus.subscribe('topic', () => {}))).code).toBe('BACKEND_DOWN');
    const late = later((one) => one.close(), redis(urlOf(own)));
    expect((await errorOf(late.bus.subscribe('topic', () => {}))).code).toBe('BACKEND_DOWN');
  }, 180_000);
});
