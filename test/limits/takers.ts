/** Opens limits of one plan as clients on Redis: ours, and those of others that it is tested beside. */

import { connect } from 'hotshelf';
import { limiter } from 'hotshelf/limits';
import { Redis } from 'ioredis';
import { RedisStore } from 'rate-limit-redis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';

export type Kind = 'hotshelf' | 'hotshelf with fixed windows' | 'rate-limit-redis' | 'rate-limiter-flexible';

export interface Opening {
  readonly kind: Kind;
  readonly url: string;
  readonly limit: number;
  readonly windowMs: number;
}

/** One client of the server, with a connection of its own. */
export interface Taker {
  /** Tells whether one more may pass. */
  take(key: string): Promise<boolean>;
}

export async function openTaker({ kind, url, limit, windowMs }: Opening): Promise<Taker> {
  if (kind === 'hotshelf' || kind === 'hotshelf with fixed windows') {
    // Patient with a machine that does other things too: a count in this process would not be what is measured.
    const backend = await connect(`${url}?deadline=2s`, { requireWithin: '15s' });
    const algorithm = kind === 'hotshelf' ? 'sliding-window' : 'fixed-window';
    const plans = [{ name: 'only', limit, window: windowMs, algorithm }] as const;
    const limits = limiter({ backend, name: 'accuracy', plans, degrade: 'closed', deadline: '2s' });
    return { take: async (key) => (await limits.take(key)).allowed };
  }
  const client = new Redis(url);
  await client.ping();
  if (kind === 'rate-limiter-flexible') {
    const limits = new RateLimiterRedis({ storeClient: client, points: limit, duration: windowMs / 1000 });
    return { take: (key) => limits.consume(key).then(() => true, refusedBy) };
  }
  const store = new RedisStore({
    sendCommand: (command: string, ...args: string[]) => client.call(command, ...args) as Promise<number[]>,
  });
  await store.init({ windowMs } as Parameters<RedisStore['init']>[0]);
  // The rule of express-rate-limit.
  return { take: async (key) => (await store.increment(key)).totalHits <= limit };
}

function refusedBy(reason: unknown): false {
  if (reason instanceof RateLimiterRes) return false;
  throw reason;
}
