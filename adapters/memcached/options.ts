/** Reads what `memcached()` is given and refuses what is not allowed. */

import { systemClock, type Clock } from '../../src/support/clock.ts';
import { durationMs, type Duration } from '../../src/support/duration.ts';
import { describe, HotshelfError } from '../../src/support/errors.ts';
import { guardDefaults, type GuardLimits } from '../../src/support/guard.ts';
import { checkOptionNames } from '../../src/support/options.ts';
import { checkServer, parseServer, type ServerAddress } from './address.ts';
import type { TlsOptions } from './connection.ts';
import type { Login } from './handshake.ts';
import { isMemjsClient, readMemjsClient, type MemjsClient } from './memjs-client.ts';
import { parseUrl } from './url.ts';

/** Certificates in PEM, as `tls.connect` of Node takes them. */
export interface MemcachedTls {
  /** The authorities to trust. @default those of Node */
  readonly ca?: string | Uint8Array;
  /** The certificate of this client, if the server asks for one. */
  readonly cert?: string | Uint8Array;
  /** The key of that certificate. */
  readonly key?: string | Uint8Array;
  /** The name that the certificate of the server must have. @default the host */
  readonly servername?: string;
}

export interface MemcachedOptions {
  /** The name to log in with (SASL PLAIN), on all servers. @default the one in the URL, else no login */
  readonly username?: string;
  /** The password that goes with it. @default the one in the URL */
  readonly password?: string;
  /** Encrypts the connections. @default false, with `memcacheds://` true */
  readonly tls?: boolean | MemcachedTls;
  /** The longest that any command may take; shorter while the server is quick. @default '250ms' */
  readonly deadline?: Duration;
  /** How long the first connection may take, TLS and the login included; later ones are given less. @default '1s' */
  readonly connectTimeout?: Duration;
  /** The most bytes that one value may have. @default what the servers say, 1 MB less 512 bytes until they said it */
  readonly maxValueBytes?: number;
  /**
   * Refuses takes of an exhausted limit without asking the server, until there may be room again and for a second at most: after
   * that, what another process gave back is seen. @default true
   */
  readonly blockLocally?: boolean;
  /**
   * The most members that a leaderboard may have, 10,000 at most: all boards that are changed together are one value, which
   * each submit carries. @default 1000
   */
  readonly maxBoardMembers?: number;
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
  readonly tls: TlsOptions | undefined;
  readonly connectTimeoutMs: number;
  readonly maxValueBytes: number | undefined;
  readonly blockLocally: boolean;
  readonly maxBoardMembers: number;
  readonly limits: Partial<GuardLimits>;
  readonly clock: Clock;
  readonly warning: string | undefined;
}

export const memcachedDefaults = {
  deadline: '250ms',
  connectTimeout: '1s',
  blockLocally: true,
  maxBoardMembers: 1000,
} as const;

const mostBoardMembers = 10_000;

const optionNames: readonly (keyof MemcachedOptions)[] = [
  'username',
  'password',
  'tls',
  'deadline',
  'connectTimeout',
  'maxValueBytes',
  'blockLocally',
  'maxBoardMembers',
  'clock',
];
const tlsNames: readonly (keyof MemcachedTls)[] = ['ca', 'cert', 'key', 'servername'];

interface Where {
  readonly servers: readonly Required<ServerAddress>[];
  readonly options: MemcachedOptions;
  readonly warning?: string | undefined;
}

/** @throws {HotshelfError} `OPTION_INVALID` or `URL_INVALID`, never with credentials. */
export function readSettings(target: MemcachedTarget, given: MemcachedOptions = {}): Settings {
  const where = readWhere(target);
  checkOptionNames(given, optionNames, 'memcached()');
  const options: MemcachedOptions = { ...where.options, ...given };
  const { clock = systemClock, maxValueBytes, deadline = memcachedDefaults.deadline } = options;
  const { blockLocally = memcachedDefaults.blockLocally, maxBoardMembers = memcachedDefaults.maxBoardMembers } =
    options;
  checkDistinct(where.servers);
  if (maxValueBytes !== undefined && !(Number.isInteger(maxValueBytes) && maxValueBytes > 0)) {
    throw wrong('maxValueBytes', 'a whole number above 0', maxValueBytes);
  }
  if (typeof blockLocally !== 'boolean') throw wrong('blockLocally', 'true or false', blockLocally);
  if (!(Number.isInteger(maxBoardMembers) && maxBoardMembers > 0 && maxBoardMembers <= mostBoardMembers))
    throw wrong('maxBoardMembers', `a whole number from 1 to ${mostBoardMembers}`, maxBoardMembers);
  if (typeof clock?.monotonic !== 'function' || typeof clock.after !== 'function')
    throw wrong('clock', 'a Clock', clock);
  const deadlineMs = durationMs(deadline, 'deadline');
  return {
    servers: where.servers,
    login: readLogin(options),
    tls: readTls(options.tls ?? false),
    connectTimeoutMs: durationMs(options.connectTimeout ?? memcachedDefaults.connectTimeout, 'connectTimeout'),
    maxValueBytes,
    blockLocally,
    maxBoardMembers,
    limits: { deadlineMaxMs: deadlineMs, deadlineMinMs: Math.min(guardDefaults.deadlineMinMs, deadlineMs) },
    clock,
    warning: where.warning,
  };
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
  if (!('servers' in target)) return { servers: readServers(target), options: {} };
  const { servers, ...options } = target;
  checkOptionNames(options, optionNames, 'memcached()');
  return { servers: readServers(servers), options };
}

function readServers(servers: unknown): Required<ServerAddress>[] {
  if (!Array.isArray(servers) || servers.length === 0) throw wrong('servers', 'a list of at least one server', servers);
  return servers.map(readServer);
}

function readServer(server: unknown): Required<ServerAddress> {
  const parsed = typeof server === 'string' ? parseServer(server) : server;
  // Never with the text: it may hold credentials, which do not belong here.
  if (typeof parsed !== 'object' || parsed === null) {
    throw new HotshelfError(
      'OPTION_INVALID',
      'Expected each of `servers` to be "host:port", "[IPv6]:port" or { host, port }.',
    );
  }
  checkOptionNames(parsed, ['host', 'port', 'weight'], 'A server of memcached()');
  return checkServer(parsed as ServerAddress);
}

function checkDistinct(servers: readonly Required<ServerAddress>[]): void {
  const names = new Set(servers.map(({ host, port }) => `${host.toLowerCase()} ${port}`));
  if (names.size === servers.length) return;
  throw new HotshelfError(
    'OPTION_INVALID',
    'memcached() was given the same server twice. Use `weight` for a larger share.',
  );
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

function readTls(tls: boolean | MemcachedTls): TlsOptions | undefined {
  if (typeof tls === 'boolean') return tls ? {} : undefined;
  if (typeof tls !== 'object' || tls === null) throw wrong('tls', 'true, false or certificates', tls);
  checkOptionNames(tls, tlsNames, '`tls` of memcached()');
  const { ca, cert, key, servername } = tls;
  return {
    ...(ca !== undefined && { ca: asPem(ca) }),
    ...(cert !== undefined && { cert: asPem(cert) }),
    ...(key !== undefined && { key: asPem(key) }),
    ...(servername !== undefined && { servername }),
  };
}

function asPem(pem: string | Uint8Array): string | Buffer {
  return typeof pem === 'string' ? pem : Buffer.from(pem);
}

function wrong(name: string, expected: string, got: unknown): HotshelfError {
  return new HotshelfError('OPTION_INVALID', `Expected \`${name}\` to be ${expected}, got ${describe(got)}.`);
}
