/** The caches that hotshelf is measured beside: how each of them is opened and reads through. */
import { type Class, installed, type Module } from './installed.ts';

export type Load = () => Promise<unknown>;

export interface Peer {
  get(key: string, load: Load): Promise<unknown>;
  close?(): Promise<unknown>;
}

const ttlMs = 3_600_000;

/** Each over its own memory in this process. */
export const memoryPeers: Readonly<Record<string, () => Promise<Peer>>> = {
  'lru-cache': async () => {
    const { LRUCache } = await installed('lru-cache');
    const loads = new Map<string, Load>();
    const options = { max: 10_000, ttl: ttlMs, fetchMethod: (key: string) => loads.get(key)?.() };
    const cache = new (LRUCache as Class)(options) as { fetch(key: string): Promise<unknown> };
    return {
      get(key, load) {
        if (!loads.has(key)) loads.set(key, load);
        return cache.fetch(key);
      },
    };
  },
  'cache-manager': async () => cacheManager(await installed('cache-manager')),
  cacheable: async () => cacheable(await installed('cacheable')),
  'async-cache-dedupe': async () => {
    const { createCache } = await installed('async-cache-dedupe');
    const loads = new Map<string, Load>();
    type Dedupe = { define(name: string, fn: (key: string) => unknown): void; read(key: string): Promise<unknown> };
    const cache = (createCache as (options: object) => Dedupe)({ ttl: 3600, storage: { type: 'memory' } });
    cache.define('read', (key) => loads.get(key)?.());
    return {
      get(key, load) {
        if (!loads.has(key)) loads.set(key, load);
        return cache.read(key);
      },
    };
  },
  '@epic-web/cachified': async () => {
    const { cachified } = await installed('@epic-web/cachified');
    const { LRUCache } = await installed('lru-cache');
    const cache = new (LRUCache as Class)({ max: 10_000 });
    const read = cachified as (options: object) => Promise<unknown>;
    return { get: (key, load) => read({ key, cache, ttl: ttlMs, getFreshValue: load }) };
  },
  bentocache: async () => {
    const { BentoCache, bentostore } = await installed('bentocache');
    const { memoryDriver } = await installed('bentocache/drivers/memory');
    const driver = (memoryDriver as Driver)({ maxItems: 10_000 });
    return bento(BentoCache, (bentostore as () => BentoStore)().useL1Layer(driver));
  },
};

/**
 * Each over a memory of its own in front of Redis, where it has that: async-cache-dedupe and cachified have one or the other, and
 * lru-cache has no Redis.
 */
export const tieredPeers: Readonly<Record<string, (port: number) => Promise<Peer>>> = {
  bentocache: async (port) => {
    const { BentoCache, bentostore } = await installed('bentocache');
    const { memoryDriver } = await installed('bentocache/drivers/memory');
    const { redisDriver, redisBusDriver } = await installed('bentocache/drivers/redis');
    const connection = { host: '127.0.0.1', port };
    const store = (bentostore as () => BentoStore)()
      .useL1Layer((memoryDriver as Driver)({ maxItems: 10_000 }))
      .useL2Layer((redisDriver as Driver)({ connection }))
      .useBus((redisBusDriver as Driver)({ connection }));
    return bento(BentoCache, store);
  },
  cacheable: async (port) => {
    const { default: KeyvRedis } = await installed('@keyv/redis');
    const secondary = new (KeyvRedis as Class)(`redis://127.0.0.1:${port}`);
    return cacheable(await installed('cacheable'), { secondary });
  },
  'cache-manager': async (port) => {
    const { createKeyv: inMemory } = await installed('cacheable');
    const { createKeyv: onRedis } = await installed('@keyv/redis');
    const stores = [(inMemory as () => unknown)(), (onRedis as (url: string) => unknown)(`redis://127.0.0.1:${port}`)];
    return cacheManager(await installed('cache-manager'), { stores });
  },
};

type Driver = (options: object) => unknown;

interface BentoStore {
  useL1Layer(driver: unknown): BentoStore;
  useL2Layer(driver: unknown): BentoStore;
  useBus(driver: unknown): BentoStore;
}

function bento(BentoCache: unknown, store: BentoStore): Peer {
  const cache = new (BentoCache as Class)({ default: 'only', stores: { only: store } }) as {
    getOrSet(options: object): Promise<unknown>;
    disconnectAll(): Promise<unknown>;
  };
  return {
    get: (key, load) => cache.getOrSet({ key, factory: load, ttl: ttlMs }),
    close: () => cache.disconnectAll(),
  };
}

function cacheable({ Cacheable }: Module, options: object = {}): Peer {
  const cache = new (Cacheable as Class)(options) as {
    getOrSet(key: string, load: Load, options: object): Promise<unknown>;
    disconnect(): Promise<unknown>;
  };
  return { get: (key, load) => cache.getOrSet(key, load, { ttl: ttlMs }), close: () => cache.disconnect() };
}

function cacheManager({ createCache }: Module, options: object = {}): Peer {
  const cache = (createCache as (options: object) => unknown)(options) as {
    wrap(key: string, load: Load, ttl: number): Promise<unknown>;
    disconnect(): Promise<unknown>;
  };
  return { get: (key, load) => cache.wrap(key, load, ttlMs), close: () => cache.disconnect() };
}
