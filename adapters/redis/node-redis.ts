/** Lets what was written for the `redis` package run on a guarded ioredis client: connect-redis 9 and 10. */

import type { Backend } from '../../src/backend/backend.ts';
import { checkOptionNames } from '../../src/support/options.ts';
import { nodesBehind } from './backend.ts';
import type { CommandArgument, IoredisClient } from './client.ts';
import { TextCommands } from './text-commands.ts';

type ExpiryUnit = 'EX' | 'PX' | 'EXAT' | 'PXAT';

/** The options of `set`, as version 5 of the `redis` package has them. */
export interface NodeRedisSetOptions {
  /** Seconds (`EX`), ms (`PX`), or an instant in one of them; or the lifetime that the key has. @default for ever */
  readonly expiration?:
    | { readonly type: ExpiryUnit; readonly value: number }
    | { readonly type: 'KEEPTTL' }
    | 'KEEPTTL';
  /** Store only if there is nothing (`NX`), or only if there is something (`XX`). */
  readonly condition?: 'NX' | 'XX';
}

/** What connect-redis uses of a client of the `redis` package, version 5 and later. */
export interface NodeRedisClient {
  get(key: string): Promise<string | null>;
  set(key: string, value: string, options?: NodeRedisSetOptions): Promise<string | null>;
  expire(key: string, seconds: number): Promise<number>;
  del(keys: string | readonly string[]): Promise<number>;
  mGet(keys: readonly string[]): Promise<(string | null)[]>;
  /** Yields keys in portions, as version 5 does. */
  scanIterator(options?: { readonly MATCH?: string; readonly COUNT?: number }): AsyncIterable<string[]>;
}

/**
 * Returns the client that connect-redis 9 and 10 ask for, on top of an ioredis client: one server, Sentinels or a Cluster.
 *
 * Commands stand under a deadline and a breaker and are never sent twice. On a Cluster lists are those of all masters, and
 * many keys may lie in many slots. The client that you hand in stays yours and is never closed; with a backend made by
 * `redis()` both share one guard. connect-redis 8 knows ioredis by itself and reads `scanIterator` differently: give it
 * `connectRedis(backend)` of `hotshelf/connect-redis`.
 *
 * @throws {HotshelfError} `OPTION_INVALID` when it is neither a client of ioredis nor a backend of `redis()`.
 * @example
 * const store = new RedisStore({ client: asNodeRedis(new Cluster(nodes, clusterOptions())) });
 */
export function asNodeRedis(target: IoredisClient | Backend): NodeRedisClient {
  return nodeRedisOver(new TextCommands(nodesBehind(target, 'asNodeRedis()')));
}

export function nodeRedisOver(commands: TextCommands): NodeRedisClient {
  return {
    get: (key) => commands.get(key),
    set: async (key, value, options) => commands.set(key, value, setArguments(options)),
    expire: (key, seconds) => commands.expire(key, seconds),
    del: (keys) => commands.delete(typeof keys === 'string' ? [keys] : keys),
    mGet: (keys) => commands.getMany(keys),
    scanIterator: ({ MATCH = '*', COUNT = 10 } = {}) => commands.scan(MATCH, COUNT),
  };
}

function setArguments(options: NodeRedisSetOptions | undefined): readonly CommandArgument[] {
  if (options === undefined) return [];
  checkOptionNames(options, ['expiration', 'condition'], 'set() of asNodeRedis()');
  const { expiration, condition } = options;
  const args: CommandArgument[] = [];
  if (expiration === 'KEEPTTL') args.push('KEEPTTL');
  else if (expiration?.type === 'KEEPTTL') args.push('KEEPTTL');
  else if (expiration !== undefined) args.push(expiration.type, expiration.value);
  if (condition !== undefined) args.push(condition);
  return args;
}
