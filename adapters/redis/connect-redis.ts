/** Gives users of connect-redis their store over the guarded ioredis client: `hotshelf/connect-redis`. */

import { RedisStore } from 'connect-redis';
import type { Backend } from '../../src/backend/backend.ts';
import { checkOptionNames } from '../../src/support/options.ts';
import { nodesBehind } from './backend.ts';
import type { IoredisClient } from './client.ts';
import { nodeRedisOver } from './node-redis.ts';
import { TextCommands } from './text-commands.ts';

/** The options of connect-redis but for `client`; spans are in seconds, as they are there. */
export interface ConnectRedisOptions {
  /** Begins all keys. @default 'sess:' */
  readonly prefix?: string;
  /** How many keys a server looks at in one step of a list. @default 100 */
  readonly scanCount?: number;
  /** Turns sessions into text and back. @default JSON */
  readonly serializer?: ConstructorParameters<typeof RedisStore>[0]['serializer'];
  /** The lifetime in seconds of a session whose cookie does not say it. @default 86_400 */
  readonly ttl?: ConstructorParameters<typeof RedisStore>[0]['ttl'];
  /** Sessions never end by themselves. @default false */
  readonly disableTTL?: boolean;
  /** Requests that change nothing do not renew the session. @default false */
  readonly disableTouch?: boolean;
}

const names: readonly (keyof ConnectRedisOptions)[] = [
  'prefix',
  'scanCount',
  'serializer',
  'ttl',
  'disableTTL',
  'disableTouch',
];

/**
 * Returns the store of the connect-redis that you installed, 8.1 or later, over the client of a backend, or over a client.
 *
 * What it stores, and what it loses, is that of connect-redis; what is new is the connection. A server that hangs costs a
 * request one deadline and soon nothing, commands are never sent twice, and on a Cluster `all`, `ids`, `length` and `clear`
 * work across slots. Requests whose session cannot be read or saved fail with `BACKEND_DOWN` or `OUTCOME_UNKNOWN`.
 *
 * @throws {HotshelfError} `OPTION_INVALID` when `target` is neither a backend made by `redis()` nor a client, or when an option
 * is not one of connect-redis.
 * @example
 * const backend = redis('redis+cluster://10.0.0.1,10.0.0.2');
 * app.use(session({ store: connectRedis(backend, { prefix: 'shop:' }), secret, resave: false, saveUninitialized: false }));
 */
export function connectRedis(target: Backend | IoredisClient, options: ConnectRedisOptions = {}): RedisStore {
  checkOptionNames(options, names, 'connectRedis()');
  const commands = new TextCommands(nodesBehind(target, 'connectRedis()'));
  const client = nodeRedisOver(commands);
  const store = new RedisStore({ ...options, client });
  // Version 8 takes every client to pieces, and knows those of ioredis by what they lack.
  return Object.is(store.client, client) ? store : new RedisStore({ ...options, client: ioredisOver(commands) });
}

/** What connect-redis 8 uses of a client of ioredis. */
function ioredisOver(commands: TextCommands): object {
  return {
    get: (key: string) => commands.get(key),
    set: (key: string, value: string, ...more: readonly (string | number)[]) => commands.set(key, value, more),
    expire: (key: string, seconds: number) => commands.expire(key, seconds),
    del: (keys: readonly string[]) => commands.delete(keys),
    mget: (keys: readonly string[]) => commands.getMany(keys),
    // All steps in one: a cursor could not lead from one server to the next.
    scan: async (_cursor: string, _match: 'MATCH', match: string, _count: 'COUNT', count: number) => {
      const found = new Set<string>();
      for await (const keys of commands.scan(match, count)) for (const key of keys) found.add(key);
      return ['0', [...found]];
    },
  };
}
