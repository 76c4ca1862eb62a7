/** What a hit on Redis costs the client, beside a bare ioredis that gets and parses. */
import { startRedis } from '../test/kit/servers.ts';
import { createCache, Redis, redisOn } from './hotshelf.ts';
import { compare, type Contender, type Effort, table } from './measure.ts';

export const keys = Array.from({ length: 256 }, (_, index) => `city:${index}`);
const sizes = { '1 KB': 1000, '50 KB': 50_000 } as const;
const concurrencies = [1, 32, 256] as const;

type Get = (key: string) => Promise<unknown>;

/** A value whose JSON has about `bytes` bytes: rows of a database with a few fields and a text each. */
export function valueOf(bytes: number): unknown {
  const text = 'A city on the river, known for its kitchen, its silk and its lights. '.repeat(13);
  const rows = Math.max(1, Math.round(bytes / 1000));
  const row = { id: 4711, name: 'Lyon', country: 'FR', population: 522_969, lat: 45.7485, lon: 4.8467, text };
  return rows === 1 ? row : Array.from({ length: rows }, (_, index) => ({ ...row, id: index }));
}

/** Keeps `concurrency` reads in flight. */
export function contender(name: string, get: Get, concurrency: number): Contender {
  const one = async (from: number, count: number) => {
    for (let index = 0; index < count; index += 1) await get(keys[(from + index) % keys.length] ?? '');
  };
  return {
    name,
    async run(count) {
      const each = Math.ceil(count / concurrency);
      await Promise.all(Array.from({ length: concurrency }, (_, index) => one(index, each)));
    },
  };
}

async function section(
  port: number,
  size: string,
  bytes: number,
  concurrency: number,
  effort: Effort,
): Promise<string> {
  const value = valueOf(bytes);
  const bare = new Redis(port);
  const pipelined = new Redis(port, { enableAutoPipelining: true });
  const backend = await redisOn(port);
  const cache = createCache({ backend, ttl: '1h', prefix: `bench-${bytes}` });
  for (const key of keys) {
    await bare.set(key, JSON.stringify(value));
    await cache.set(key, value);
  }
  const load = () => Promise.reject(new Error('this benchmark hits'));
  const contenders = [
    contender('ioredis `GET` + `JSON.parse` (floor)', async (key) => parse(await bare.get(key)), concurrency),
    contender('the same with auto-pipelining', async (key) => parse(await pipelined.get(key)), concurrency),
    contender('**hotshelf**', (key) => cache.get(key, load), concurrency),
  ];
  const count = Math.round((concurrency === 1 ? 4000 : 20_000) / (bytes > 10_000 ? 10 : 1));
  const results = await compare(contenders, count, effort);
  await cache.close();
  await backend.close();
  bare.disconnect();
  pipelined.disconnect();
  return `### ${size}, ${concurrency} in flight\n\n${table(results, 'µs')}\n`;
}

export function parse(text: string | null): unknown {
  return JSON.parse(text ?? 'null');
}

export async function remote(effort: Effort): Promise<string> {
  const server = await startRedis();
  try {
    const sections: string[] = [];
    for (const [size, bytes] of Object.entries(sizes)) {
      for (const concurrency of concurrencies)
        sections.push(await section(server.port, size, bytes, concurrency, effort));
    }
    return `## A hit on Redis\n\nOne client process, one connection, the server on the same machine.\n\n${sections.join('\n')}`;
  } finally {
    await server.stop();
  }
}
