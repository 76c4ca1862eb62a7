/** What tags cost: a hit that has some, and the invalidation of one that many entries have. */
import { type RedisServer, startRedis } from '../test/kit/servers.ts';
import { createCache, Redis, redisOn } from './hotshelf.ts';
import { type Class, installed, openAll } from './installed.ts';
import { compare, type Contender, type Effort, grid, median, table } from './measure.ts';
import { contender, keys, valueOf } from './remote.ts';
import { type CountingWire, countingWire } from './wire.ts';

const value = valueOf(1000);
const concurrencies = [1, 32] as const;
const sizes = [1000, 50_000] as const;
const tag = ['country', 'fr'] as const;

/** A way to read through a cache on Redis. */
interface Reading {
  readonly name: string;
  readonly get: (key: string) => Promise<unknown>;
}

/** Something that can end all entries with a tag. */
interface Tagged {
  /** Stores an entry that has the tag. */
  fill(id: number): Promise<unknown>;
  invalidate(): Promise<unknown>;
  /** Asks for an entry; true if it is no longer answered. */
  isGone(id: number): Promise<boolean>;
  /** Whether the entries are removed, and must be stored again before the next round. */
  readonly removes: boolean;
  close(): Promise<unknown>;
}

type Cache = ReturnType<typeof createCache>;

function ours(cache: Cache): Reading[] {
  const load = async () => value;
  const plain = cache.namespace('plain');
  const ofSpace = cache.namespace('of-space', { tags: [tag] });
  const ofCall = cache.namespace('of-call');
  const three = cache.namespace('three', { tags: [tag, ['page', 'home'], 'cities'] });
  const byLoader = cache.namespace('by-loader');
  return [
    { name: '**hotshelf**, no tag (floor)', get: (key) => plain.get(key, load) },
    { name: '**hotshelf**, a tag of the namespace', get: (key) => ofSpace.get(key, load) },
    { name: '**hotshelf**, a tag of the call', get: (key) => ofCall.get(key, load, { tags: [tag] }) },
    { name: '**hotshelf**, three tags of the namespace', get: (key) => three.get(key, load) },
    {
      name: '**hotshelf**, a tag that the loader names',
      get: (key) =>
        byLoader.get(key, (context) => {
          context.tag(tag);
          return value;
        }),
    },
  ];
}

interface Bento {
  getOrSet(options: object): Promise<unknown>;
  set(options: object): Promise<unknown>;
  get(options: object): Promise<unknown>;
  deleteByTag(options: object): Promise<unknown>;
  disconnectAll(): Promise<unknown>;
}

/** Over Redis alone, as hotshelf here. */
async function bento(port: number): Promise<Bento> {
  const { BentoCache, bentostore } = await installed('bentocache');
  const { redisDriver } = await installed('bentocache/drivers/redis');
  const driver = (redisDriver as (options: object) => unknown)({ connection: { host: '127.0.0.1', port } });
  const store = (bentostore as () => { useL2Layer(driver: unknown): unknown })().useL2Layer(driver);
  return new (BentoCache as Class)({ default: 'only', stores: { only: store } }) as Bento;
}

async function bentoReadings(port: number): Promise<{ readings: Reading[]; close: () => Promise<unknown> }> {
  const cache = await bento(port);
  const options = { factory: async () => value, ttl: '1h' };
  return {
    readings: [
      { name: 'bentocache, no tag', get: (key) => cache.getOrSet({ key: `plain:${key}`, ...options }) },
      {
        name: 'bentocache, a tag',
        get: (key) => cache.getOrSet({ key: `one:${key}`, tags: ['country:fr'], ...options }),
      },
    ],
    close: () => cache.disconnectAll(),
  };
}

/** Reads everything once, so that what follows are hits, and twice, so that what a first hit teaches is known. */
async function warm(readings: readonly Reading[]): Promise<void> {
  for (const { get } of readings) {
    for (const key of [...keys, ...keys]) await get(key);
  }
}

async function hits(wire: CountingWire, port: number, effort: Effort): Promise<string> {
  const backend = await redisOn(wire.port);
  const cache = createCache({ backend, ttl: '1h', prefix: 'counted' });
  const counted = await openAll({ bentocache: () => bentoReadings(wire.port) });
  const readings = [...ours(cache), ...counted.flatMap(([, { readings }]) => readings)];
  await warm(readings);
  const rows: (readonly [string, number, number])[] = [];
  for (const { name, get } of readings) {
    const { commands, trips } = await wire.count(() => get('city:7'));
    rows.push([name, commands, trips]);
  }
  await Promise.all([cache.close(), ...counted.map(([, { close }]) => close())]);
  await backend.close();
  const texts = [`### A hit\n\n${grid(['', 'commands', 'round trips'], rows)}\n`];
  for (const concurrency of concurrencies) texts.push(await timedHits(port, concurrency, effort));
  return texts.join('\n');
}

async function timedHits(port: number, concurrency: number, effort: Effort): Promise<string> {
  const backend = await redisOn(port);
  const cache = createCache({ backend, ttl: '1h', prefix: 'timed' });
  const opened = await openAll({ bentocache: () => bentoReadings(port) });
  const readings = [...ours(cache), ...opened.flatMap(([, { readings }]) => readings)];
  await warm(readings);
  const loads = () => cache.stats().loads;
  const loadsBefore = loads();
  const contenders: Contender[] = readings.map(({ name, get }) => contender(name, get, concurrency));
  const results = await compare(contenders, concurrency === 1 ? 3000 : 15_000, effort);
  if (loads() !== loadsBefore) throw new Error('A read that should have been a hit was a load.');
  await Promise.all([cache.close(), ...opened.map(([, { close }]) => close())]);
  await backend.close();
  return `1 KB, ${concurrency} in flight:\n\n${table(results, 'µs')}\n`;
}

const invalidating: Readonly<Record<string, (port: number) => Promise<Tagged>>> = {
  '**hotshelf** `invalidateTags`': async (port) => {
    const backend = await redisOn(port);
    const cache = createCache({ backend, ttl: '1h', tags: [tag] });
    return {
      removes: false,
      fill: (id) => cache.set(['city', id], value),
      invalidate: () => cache.invalidateTags([tag]),
      isGone: async (id) => (await cache.peek(['city', id])) === undefined,
      async close() {
        await cache.close();
        await backend.close();
      },
    };
  },
  'bentocache `deleteByTag`': async (port) => {
    const cache = await bento(port);
    return {
      removes: false,
      fill: (id) => cache.set({ key: `city:${id}`, value, tags: ['country:fr'], ttl: '1h' }),
      invalidate: () => cache.deleteByTag({ tags: ['country:fr'] }),
      isGone: async (id) => (await cache.get({ key: `city:${id}` })) === undefined,
      close: () => cache.disconnectAll(),
    };
  },
  'async-cache-dedupe `invalidate` (a set of keys for each reference)': async (port) => {
    const { createCache: create } = await installed('async-cache-dedupe');
    const client = new Redis(port);
    const storage = { type: 'redis', options: { client, invalidation: { referencesTTL: 3600 } } };
    const cache = (create as (options: object) => unknown)({ ttl: 3600, storage }) as {
      define(name: string, options: object, fn: (id: number) => unknown): void;
      city(id: number): Promise<unknown>;
      invalidate(name: string, references: readonly string[]): Promise<unknown>;
    };
    let loads = 0;
    cache.define('city', { references: () => ['country:fr'] }, async () => {
      loads += 1;
      return value;
    });
    return {
      removes: true,
      fill: (id) => cache.city(id),
      invalidate: () => cache.invalidate('city', ['country:fr']),
      async isGone(id) {
        const before = loads;
        await cache.city(id);
        return loads > before;
      },
      async close() {
        client.disconnect();
      },
    };
  },
};

/** Stores `count` entries, a few at a time: a backend that does not answer in time is given up. */
async function fill(tagged: Tagged, count: number): Promise<void> {
  for (let from = 0; from < count; from += 50) {
    const ids = Array.from({ length: Math.min(50, count - from) }, (_, index) => from + index);
    await Promise.all(ids.map((id) => tagged.fill(id)));
  }
}

async function invalidation(
  server: RedisServer,
  name: string,
  open: (port: number) => Promise<Tagged>,
  count: number,
  effort: Effort,
) {
  const wire = await countingWire(server);
  const tagged = await open(server.port);
  const watched = await open(wire.port);
  await fill(tagged, count);
  if (await tagged.isGone(1)) throw new Error(`${name}: nothing was stored.`);
  const { commands, trips } = await wire.count(() => watched.invalidate());
  for (const id of [1, count - 1]) if (!(await tagged.isGone(id))) throw new Error(`${name}: ${id} is still there.`);
  // What removes its entries has to store them all again.
  const rounds = tagged.removes ? 1 : effort.rounds;
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    if (tagged.removes) await fill(tagged, count);
    const startedAt = performance.now();
    await tagged.invalidate();
    times.push(performance.now() - startedAt);
  }
  await Promise.all([tagged.close(), watched.close()]);
  wire.close();
  return [name, count, commands, trips, median(times).toFixed(1)] as const;
}

async function invalidations(effort: Effort): Promise<string> {
  const rows: (readonly (string | number)[])[] = [];
  for (const count of sizes) {
    for (const [name, open] of Object.entries(invalidating)) {
      const server = await startRedis();
      try {
        rows.push(await invalidation(server, name, open, count, effort));
      } finally {
        await server.stop();
      }
    }
  }
  return `### The invalidation of a tag\n\n${grid(['', 'entries', 'commands', 'round trips', 'ms'], rows)}\n`;
}

export async function tags(effort: Effort): Promise<string> {
  const server = await startRedis();
  const wire = await countingWire(server);
  try {
    const first = await hits(wire, server.port, effort);
    return `## Tags on Redis\n\n${first}\n${await invalidations(effort)}`;
  } finally {
    wire.close();
    await server.stop();
  }
}
