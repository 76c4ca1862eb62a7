/** Reads what `memcached()` is given and refuses what is not allowed. */

import type { ConnectionOptions } from 'node:tls';
import { systemClock, type Clock } from '../../src/support/clock.ts';
import { durationMs, type Duration } from '../../src/support/duration.ts';
import { describe, HotshelfError } from '../../src/support/errors.ts';
import { guardDefaults, type GuardLimits } from '../../src/support/guard.ts';
import { checkOptionNames } from '../../src/support/options.ts';
import { checkServer, parseServer, parseUrl, type ServerAddress } from './address.ts';
import type { Login } from './handshake.ts';
import { isMemjsClient, readMemjsClient, type MemjsClient } from './memjs-client.ts';

export interface MemcachedOptions {
  /** The name to log in with (SASL PLAIN), on all servers. @default the one in the URL, else no login */
  readonly username?: string;
  /** The password that goes with it. @default the one in the URL */
  readonly password?: string;
  /** Speaks TLS: `true`, or what `tls.connect` takes, such as `{ ca }`. @default false, with `memcacheds://` true */
  readonly tls?: boolean | ConnectionOptions;
  /** How long a connection may take until it is of use: TCP, TLS and login together. @default '1s' */
  readonly connectTimeout?: Duration;
  /** The most bytes that one value may have. @default what the servers say, 1 MB less 512 bytes until they said it */
  readonly maxValueBytes?: number;
  /** Deadlines and the breaker of each server. @default `guardDefaults` */
  readonly guard?: Partial<GuardLimits>;
  /** Time, timers and randomness. @default the machine's own */
  readonly clock?: Clock;
}

export interface MemcachedServers extends MemcachedOptions {
  /** The servers, as `host:port` or apart. */
  readonly servers: readonly (string | ServerAddress)[];
}

/** `host:port`, a URL such as `memcached://user:password@host1:11211,host2`, servers, options, or a `memjs.Client`. */
export type MemcachedTarget = string | readonly (string | ServerAddress)[] | MemcachedServers | MemjsClient;

export interface Settings {
  readonly servers: readonly Required<ServerAddress>[];
  readonly login: Login | undefined;
  readonly tls: ConnectionOptions | undefined;
  readonly connectTimeoutMs: number;
  readonly maxValueBytes: number | undefined;
  readonly guard: Partial<GuardLimits>;
  readonly clock: Clock;
  readonly warning: string | undefined;
}

export const memcachedDefaults = { connectTimeout: '1s' } as const;

const knownOptions = ['username', 'password', 'tls', 'connectTimeout', 'maxValueBytes', 'guard', 'clock'];

interface Where {
  readonly servers: readonly Required<ServerAddress>[];
  readonly login: Login | undefined;
  readonly tls?: boolean;
  readonly warning?: string | undefined;
}

/** @throws {HotshelfError} `OPTION_INVALID` or `URL_INVALID`, never with credentials. */
export function readSettings(target: MemcachedTarget, given: MemcachedOptions = {}): Settings {
  const fromTarget = isServers(target) ? target : undefined;
  checkOptionNames(fromTarget, ['servers', ...knownOptions], 'memcached()');
  checkOptionNames(given, knownOptions, 'memcached()');
  const options: MemcachedOptions = { ...fromTarget, ...given };
  const { clock = systemClock, maxValueBytes, guard = {} } = options;
  const where = readWhere(target);
  checkDistinct(where.servers);
  checkGuard(guard);
  if (maxValueBytes !== undefined && !(Number.isInteger(maxValueBytes) && maxValueBytes > 0)) {
    throw wrong('maxValueBytes', 'a whole number above 0', maxValueBytes);
  }
  if (typeof clock?.now !== 'function' || typeof clock.after !== 'function') throw wrong('clock', 'a Clock', clock);
  return {
    servers: where.servers,
    login: readLogin(options) ?? where.login,
    tls: readTls(options.tls ?? where.tls ?? false),
    connectTimeoutMs: durationMs(options.connectTimeout ?? memcachedDefaults.connectTimeout, 'connectTimeout'),
    maxValueBytes,
    guard,
    clock,
    warning: where.warning,
  };
}

function isServers(target: MemcachedTarget): target is MemcachedServers {
  return typeof target === 'object' && target !== null && !Array.isArray(target) && !isMemjsClient(target);
}

function readWhere(target: MemcachedTarget): Where {
  if (typeof target === 'string') return parseUrl(target);
  if (typeof target !== 'object' || target === null) {
    throw new HotshelfError(
      'OPTION_INVALID',
      `Expected memcached() to be given "host:port", a URL, servers or a memjs client, got ${describe(target)}.`,
    );
  }
  if (isMemjsClient(target)) return readMemjsClient(target);
  const servers: unknown = 'servers' in target ? target.servers : target;
  if (!Array.isArray(servers) || servers.length === 0) throw wrong('servers', 'a list of at least one server', servers);
  return { servers: servers.map(readServer), login: undefined };
}

function readServer(server: unknown): Required<ServerAddress> {
  if (typeof server === 'string') return parseServer(server);
  if (typeof server !== 'object' || server === null) throw wrong('servers', 'a list of "host:port"', server);
  checkOptionNames(server, ['host', 'port', 'weight'], 'A server of memcached()');
  return checkServer(server as ServerAddress);
}

function checkDistinct(servers: readonly Required<ServerAddress>[]): void {
  const names = new Set(servers.map(({ host, port }) => `${host.toLowerCase()} ${port}`));
  if (names.size === servers.length) return;
  throw new HotshelfError(
    'OPTION_INVALID',
    'memcached() was given the same server twice. Use `weight` for a larger share.',
  );
}

function checkGuard(guard: unknown): void {
  checkOptionNames(guard, Object.keys(guardDefaults), 'The `guard` of memcached()');
  for (const [name, value] of Object.entries(guard as object)) {
    if (!(typeof value === 'number' && value > 0)) throw wrong(`guard.${name}`, 'a number above 0', value);
  }
}

function readLogin({ username, password }: MemcachedOptions): Login | undefined {
  if (username === undefined && password === undefined) return undefined;
  // Never with what was given: it may be the other one's.
  for (const [name, value] of Object.entries({ username, password })) {
    if (typeof value === 'string' && value !== '' && !value.includes('\0')) continue;
    throw new HotshelfError(
      'OPTION_INVALID',
      `Expected \`${name}\` to be a string that is not empty: \`username\` and \`password\` go together.`,
    );
  }
  return { username: String(username), password: String(password) };
}

function readTls(tls: unknown): ConnectionOptions | undefined {
  if (typeof tls === 'boolean') return tls ? {} : undefined;
  if (typeof tls !== 'object' || tls === null) throw wrong('tls', 'true, false or the options of tls.connect', tls);
  return tls;
}

function wrong(name: string, expected: string, got: unknown): HotshelfError {
  return new HotshelfError('OPTION_INVALID', `Expected \`${name}\` to be ${expected}, got ${describe(got)}.`);
}
