/** The limiters that hotshelf is measured beside: how each of them is opened and takes one. */
import type { Redis as RedisClient } from 'ioredis';
import { type Class, installed } from './installed.ts';

export interface LimitPeer {
  /** Tells whether one more may pass. */
  readonly take: (key: string) => Promise<boolean>;
  readonly close: () => void;
}

const windowMs = 3_600_000;

type Openers = Readonly<Record<string, () => Promise<LimitPeer>>>;

interface HitStore {
  init(options: object): Promise<void>;
  increment(key: string): Promise<{ readonly totalHits: number }>;
}

type Middleware = (request: object, response: object, next: () => void) => Promise<void>;

/** Each on this client: they cost less on it than on one of their own. */
export function limitPeers(client: RedisClient, limit: number): Openers {
  const close = () => client.disconnect();
  return {
    'rate-limit-redis, `increment` alone': async () => {
      const store = await hitStore(client, 'alone:');
      return { take: async (key) => (await store.increment(key)).totalHits <= limit, close };
    },
    'express-rate-limit over rate-limit-redis': async () => {
      const { rateLimit } = await installed('express-rate-limit');
      const check = (rateLimit as (options: object) => Middleware)({
        store: await hitStore(client, 'edge:'),
        limit,
        windowMs,
        keyGenerator: ({ key }: { readonly key: string }) => key,
        // A take, and nothing of what it does for an answer.
        validate: false,
        legacyHeaders: false,
        standardHeaders: false,
        handler: () => {},
      });
      const take = async (key: string) => {
        let allowed = false;
        await check({ key }, {}, () => (allowed = true));
        return allowed;
      };
      return { take, close };
    },
    'rate-limiter-flexible': async () => {
      const limits = await flexible(client, { points: limit, duration: windowMs / 1000 });
      return { take: (key) => limits.consume(key).then(() => true), close };
    },
  };
}

/** Each with a limit of 1, and what it has to refuse further takes itself. */
export function exhaustedPeers(client: RedisClient): Openers {
  return {
    'rate-limiter-flexible, `inMemoryBlockOnConsumed`': async () => {
      const limits = await flexible(client, { points: 1, duration: windowMs / 1000, inMemoryBlockOnConsumed: 1 });
      const take = (key: string) =>
        limits.consume(key).then(
          () => true,
          () => false,
        );
      return { take, close: () => client.disconnect() };
    },
  };
}

async function hitStore(client: RedisClient, prefix: string): Promise<HitStore> {
  const { RedisStore } = await installed('rate-limit-redis');
  const sendCommand = (command: string, ...args: string[]) => client.call(command, ...args);
  const store = new (RedisStore as Class)({ sendCommand, prefix }) as HitStore;
  await store.init({ windowMs });
  return store;
}

async function flexible(client: RedisClient, options: object) {
  const { RateLimiterRedis } = await installed('rate-limiter-flexible');
  return new (RateLimiterRedis as Class)({ storeClient: client, ...options }) as {
    consume(key: string): Promise<unknown>;
  };
}
