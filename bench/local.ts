/** What a hit costs that never leaves the process: of a memory backend, and of the memory in front of Redis. */
import type { EntryOptions, Key } from '../src/index.ts';
import { type RedisServer, startRedis } from '../test/kit/servers.ts';
import { localHits, peerHits } from './hits.ts';
import { createCache, memory, redisOn } from './hotshelf.ts';
import { openAll } from './installed.ts';
import { compare, type Contender, type Effort, table } from './measure.ts';
import { memoryPeers, type Peer, tieredPeers } from './peers.ts';

const key = 'city:4711';
const tuple = ['city', 4711] as const;
const value = { id: 4711, name: 'Lyon', country: 'FR', population: 522_969, tags: ['a', 'b', 'c'] };
const load = async () => value;
const hits = 100_000;

/** What a careful developer writes in ten lines: a Map with expiry behind an async function. */
function mapWithExpiry(): Contender {
  const entries = new Map<string, { value: unknown; expiresAt: number }>();
  async function get(wanted: string): Promise<unknown> {
    const entry = entries.get(wanted);
    if (entry !== undefined && entry.expiresAt > Date.now()) return entry.value;
    const loaded = await load();
    entries.set(wanted, { value: loaded, expiresAt: Date.now() + 3_600_000 });
    return loaded;
  }
  return {
    name: 'Map with expiry behind an async function (floor)',
    async run(count) {
      for (let index = 0; index < count; index += 1) await get(key);
    },
  };
}

function bareMap(): Contender {
  const entries = new Map<string, unknown>([[key, value]]);
  return {
    name: 'bare Map lookup and an await',
    async run(count) {
      for (let index = 0; index < count; index += 1) await entries.get(key);
    },
  };
}

type Cache = ReturnType<typeof createCache>;

function reading(name: string, cache: Cache, wanted: Key): Contender {
  return {
    name,
    ...localHits(cache, () => cache.get(wanted, load)),
    async run(count) {
      for (let index = 0; index < count; index += 1) await cache.get(wanted, load);
    },
  };
}

function readingTagged(name: string, cache: Cache): Contender {
  const wanted = ['tagged', 4711];
  const options: EntryOptions = { tags: ['fr'] };
  return {
    name,
    ...localHits(cache, () => cache.get(wanted, load, options)),
    async run(count) {
      for (let index = 0; index < count; index += 1) await cache.get(wanted, load, options);
    },
  };
}

function calling(name: string, cache: Cache): Contender {
  const cityOf = cache.wrap('wrapped', (_id: number) => load());
  return {
    name,
    ...localHits(cache, () => cityOf(4711)),
    async run(count) {
      for (let index = 0; index < count; index += 1) await cityOf(4711);
    },
  };
}

function ours(cache: Cache, where: string): Contender[] {
  return [
    reading(`**hotshelf**, ${where}, string key`, cache, key),
    reading(`**hotshelf**, ${where}, tuple key`, cache, tuple),
    readingTagged(`**hotshelf**, ${where}, tuple key and one tag`, cache),
    calling(`**hotshelf**, ${where}, through \`wrap\``, cache),
  ];
}

async function measured(cache: Cache, where: string, peers: Awaited<ReturnType<typeof openAll<Peer>>>, effort: Effort) {
  const others = await Promise.all(peers.map(([name, peer]) => peerHits(name, peer, key, load)));
  const results = await compare([mapWithExpiry(), bareMap(), ...ours(cache, where), ...others], hits, effort);
  await Promise.all([cache.close(), ...peers.map(([, peer]) => peer.close?.())]);
  return table(results, 'ns');
}

async function inMemory(effort: Effort): Promise<string> {
  const cache = createCache({ backend: memory(), ttl: '1h' });
  return measured(cache, 'memory', await openAll(memoryPeers), effort);
}

async function inFrontOf(server: RedisServer, effort: Effort): Promise<string> {
  const backend = await redisOn(server.port);
  const cache = createCache({ backend, ttl: '1h', local: true });
  const openers = Object.entries(tieredPeers).map(([name, open]) => [name, () => open(server.port)] as const);
  const text = await measured(cache, 'local tier', await openAll(Object.fromEntries(openers)), effort);
  await backend.close();
  return text;
}

export async function local(effort: Effort): Promise<string> {
  const server = await startRedis();
  try {
    const first = `## A hit in this process\n\n${await inMemory(effort)}\n`;
    const about =
      'Each with its Redis and the connections that tell of invalidations, where it has them; ' +
      'cacheable and cache-manager, as they come, hear of none. async-cache-dedupe and cachified have no memory in front of Redis.';
    return `${first}\n### A hit of the memory in front of Redis\n\n${about}\n\n${await inFrontOf(server, effort)}\n`;
  } finally {
    await server.stop();
  }
}
