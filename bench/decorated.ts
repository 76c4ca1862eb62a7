/** What a call of a decorated method costs when its result is known, beside the same method without a decorator. */
import { startRedis } from '../test/kit/servers.ts';
import { localHits } from './hits.ts';
import { cached, createCache, memory, redisOn } from './hotshelf.ts';
import { type Class, installed, openAll } from './installed.ts';
import { compare, type Contender, type Effort, table } from './measure.ts';

const value = { id: 4711, name: 'Lyon', country: 'FR', population: 522_969, tags: ['a', 'b', 'c'] };
const calls = 100_000;

type Cache = ReturnType<typeof createCache>;

function ours(inMemory: Cache, inFrontOfRedis: Cache): Contender[] {
  class Cities {
    async plain(_id: number) {
      return value;
    }

    @cached(inMemory, { ttl: '1h' })
    async remembered(_id: number) {
      return value;
    }

    @cached(inFrontOfRedis, { ttl: '1h' })
    async near(_id: number) {
      return value;
    }
  }
  const cities = new Cities();
  return [
    {
      name: 'the method without a decorator (floor)',
      async run(count) {
        for (let index = 0; index < count; index += 1) await cities.plain(4711);
      },
    },
    {
      name: '**hotshelf**, `@cached` over memory',
      ...localHits(inMemory, () => cities.remembered(4711)),
      async run(count) {
        for (let index = 0; index < count; index += 1) await cities.remembered(4711);
      },
    },
    {
      name: '**hotshelf**, `@cached` over the local tier in front of Redis',
      ...localHits(inFrontOfRedis, () => cities.near(4711)),
      async run(count) {
        for (let index = 0; index < count; index += 1) await cities.near(4711);
      },
    },
  ];
}

/** Its decorator is of the older kind, so it is applied as TypeScript does with `experimentalDecorators`. */
async function typeCacheable(): Promise<Contender> {
  const { Cacheable } = await installed('@type-cacheable/core');
  const { useAdapter } = await installed('@type-cacheable/lru-cache-adapter');
  const { LRUCache } = await installed('lru-cache');
  let loads = 0;
  class Cities {
    async byId(_id: number) {
      loads += 1;
      return value;
    }
  }
  const client = (useAdapter as (client: unknown) => unknown)(new (LRUCache as Class)({ max: 10_000 }));
  type Decorator = (home: object, name: string, descriptor: PropertyDescriptor | undefined) => PropertyDescriptor;
  const decorator = (Cacheable as (options: object) => Decorator)({ client, cacheKey: cacheKeyOf, ttlSeconds: 3600 });
  const home = Cities.prototype;
  Object.defineProperty(home, 'byId', decorator(home, 'byId', Object.getOwnPropertyDescriptor(home, 'byId')));
  const cities = new Cities();
  await cities.byId(4711);
  return {
    name: 'type-cacheable over lru-cache',
    async run(count) {
      for (let index = 0; index < count; index += 1) await cities.byId(4711);
    },
    wrong() {
      return loads === 1 ? undefined : `${loads} calls of the method where there should have been one`;
    },
  };
}

function cacheKeyOf([id]: readonly unknown[]): string {
  return `city:${String(id)}`;
}

export async function decorated(effort: Effort): Promise<string> {
  const server = await startRedis();
  try {
    const backend = await redisOn(server.port);
    const inMemory = createCache({ backend: memory() });
    const inFrontOfRedis = createCache({ backend, local: true });
    const peers = await openAll({ 'type-cacheable': typeCacheable });
    const contenders = [...ours(inMemory, inFrontOfRedis), ...peers.map(([, peer]) => peer)];
    const results = await compare(contenders, calls, effort);
    await Promise.all([inMemory.close(), inFrontOfRedis.close()]);
    await backend.close();
    return `## A decorated method whose result is known\n\n${table(results, 'ns')}\n`;
  } finally {
    await server.stop();
  }
}
