/** The caches that hotshelf is measured beside, as far as they are installed in `bench/node_modules`. */
import type { Contender } from './measure.ts';

type Load = () => Promise<unknown>;
type Get = (key: string, load: Load) => Promise<unknown>;
type Module = Record<string, unknown>;
type Class = new (...args: unknown[]) => unknown;

const ttlMs = 3_600_000;

/** Opens each peer over its own in-process memory; returns how it reads through. */
const peers: Readonly<Record<string, (module: Module) => Get | Promise<Get>>> = {
  'lru-cache': ({ LRUCache }) => {
    const loads = new Map<string, Load>();
    const options = { max: 10_000, ttl: ttlMs, fetchMethod: (key: string) => loads.get(key)?.() };
    const cache = new (LRUCache as Class)(options) as { fetch(key: string): Promise<unknown> };
    return (key, load) => {
      if (!loads.has(key)) loads.set(key, load);
      return cache.fetch(key);
    };
  },
  'cache-manager': ({ createCache }) => {
    const cache = (createCache as () => { wrap(key: string, load: Load, ttl: number): Promise<unknown> })();
    return (key, load) => cache.wrap(key, load, ttlMs);
  },
  cacheable: ({ Cacheable }) => {
    const cache = new (Cacheable as Class)() as {
      getOrSet(key: string, load: Load, options: object): Promise<unknown>;
    };
    return (key, load) => cache.getOrSet(key, load, { ttl: ttlMs });
  },
  'async-cache-dedupe': ({ createCache }) => {
    const loads = new Map<string, Load>();
    type Dedupe = { define(name: string, fn: (key: string) => unknown): void; read(key: string): Promise<unknown> };
    const cache = (createCache as (options: object) => Dedupe)({ ttl: 3600, storage: { type: 'memory' } });
    cache.define('read', (key) => loads.get(key)?.());
    return (key, load) => {
      if (!loads.has(key)) loads.set(key, load);
      return cache.read(key);
    };
  },
  '@epic-web/cachified': ({ cachified }) => {
    const cache = new Map<string, unknown>();
    const read = cachified as (options: object) => Promise<unknown>;
    return (key, load) => read({ key, cache, ttl: ttlMs, getFreshValue: load });
  },
  bentocache: async ({ BentoCache, bentostore }) => {
    const { memoryDriver } = (await import(resolve('bentocache/drivers/memory'))) as Module;
    const store = (bentostore as () => { useL1Layer(driver: unknown): unknown })();
    const driver = (memoryDriver as (options: object) => unknown)({ maxItems: 10_000 });
    const options = { default: 'memory', stores: { memory: store.useL1Layer(driver) } };
    const cache = new (BentoCache as Class)(options) as { getOrSet(options: object): Promise<unknown> };
    return (key, load) => cache.getOrSet({ key, factory: load, ttl: ttlMs });
  },
};

/** Returns a contender for each installed peer, reading `key` through it. */
export async function localPeers(key: string, load: Load): Promise<Contender[]> {
  const found: Contender[] = [];
  for (const [name, open] of Object.entries(peers)) {
    let get: Get;
    try {
      get = await open((await import(resolve(name))) as Module);
    } catch (error) {
      console.error(`${name} is left out: ${String(error)}`);
      continue;
    }
    await get(key, load);
    found.push({
      name,
      async run(count) {
        for (let index = 0; index < count; index += 1) await get(key, load);
      },
    });
  }
  return found;
}

function resolve(name: string): string {
  return import.meta.resolve(name);
}
