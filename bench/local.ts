/** What a hit costs that never leaves the process. */
import { createCache, memory } from './hotshelf.ts';
import { compare, type Contender, table } from './measure.ts';
import { localPeers } from './peers.ts';

const key = 'city:4711';
const value = { id: 4711, name: 'Lyon', country: 'FR', population: 522_969, tags: ['a', 'b', 'c'] };
const load = async () => value;

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

async function hotshelf(name: string, wanted: string | readonly (string | number)[]): Promise<Contender> {
  const cache = createCache({ backend: memory(), ttl: '1h' });
  await cache.get(wanted, load);
  await cache.get(wanted, load);
  return {
    name,
    async run(count) {
      for (let index = 0; index < count; index += 1) await cache.get(wanted, load);
    },
  };
}

export async function local(): Promise<string> {
  const contenders = [
    mapWithExpiry(),
    bareMap(),
    await hotshelf('**hotshelf**, memory, string key', key),
    await hotshelf('**hotshelf**, memory, tuple key', ['city', 4711]),
    ...(await localPeers(key, load)),
  ];
  return `## A hit in this process\n\n${table(await compare(contenders, 100_000), 'ns')}\n`;
}
