/** What it costs to read a hundred keys at once that are all there, beside one MGET that parses. */
import { startRedis } from '../test/kit/servers.ts';
import { createCache, Redis, redisOn } from './hotshelf.ts';
import { compare, type Contender, type Effort, table } from './measure.ts';
import { parse, valueOf } from './remote.ts';

const ids = Array.from({ length: 100 }, (_, index) => index);
const batches = 1000;

function contender(name: string, read: () => Promise<readonly unknown[]>): Contender {
  return {
    name,
    async before() {
      const values = await read();
      if (values.length !== ids.length || values.some((value) => typeof value !== 'object'))
        throw new Error(`${name} did not find all values.`);
    },
    async run(count) {
      for (let index = 0; index < count; index += 1) await read();
    },
  };
}

export async function batch(effort: Effort): Promise<string> {
  const server = await startRedis();
  const bare = new Redis(server.port);
  const backend = await redisOn(server.port);
  const cache = createCache({ backend, ttl: '1h' });
  const value = valueOf(1000);
  const keys = ids.map((id) => `city:${id}`);
  for (const id of ids) {
    await bare.set(`city:${id}`, JSON.stringify(value));
    await cache.set(['city', id], value);
  }
  const load = () => Promise.reject(new Error('this benchmark hits'));
  const contenders = [
    contender('ioredis, one `MGET` + `JSON.parse` (floor)', async () => (await bare.mget(keys)).map(parse)),
    contender('ioredis, 100 `GET` at once + `JSON.parse`', () =>
      Promise.all(keys.map(async (key) => parse(await bare.get(key)))),
    ),
    contender('**hotshelf**, `getMany` of 100', () => cache.getMany('city', ids, load)),
    contender('**hotshelf**, 100 `get` at once', () => Promise.all(ids.map((id) => cache.get(['city', id], load)))),
  ];
  try {
    const results = await compare(contenders, batches, effort);
    return `## A hundred keys on Redis, 1 KB each\n\nOne operation is a hundred values.\n\n${table(results, 'µs')}\n`;
  } finally {
    await cache.close();
    await backend.close();
    bare.disconnect();
    await server.stop();
  }
}
