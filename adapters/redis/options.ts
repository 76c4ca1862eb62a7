/** Lists the options of `redis()`, checks them, and says how ioredis should be set up. */

import { systemClock, type Clock } from '../../src/support/clock.ts';
import { durationMs, type Duration } from '../../src/support/duration.ts';
import { describe, HotshelfError } from '../../src/support/errors.ts';
import { checkOptionNames } from '../../src/support/options.ts';
import { backoffMs } from '../../src/support/reconnecting.ts';

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

/** Certificates in PEM, as `tls.connect` of Node takes them. */
export interface RedisTls {
  /** The authorities to trust. @default those of Node */
  readonly ca?: string | Uint8Array;
  /** The certificate of this client, if the server asks for one. */
  readonly cert?: string | Uint8Array;
  /** The key of that certificate. */
  readonly key?: string | Uint8Array;
  /** The name that the certificate of the server must have. @default the host */
  readonly servername?: string;
}

/** Where Redis is: one server, or `cluster`, or `sentinels` and `master`. */
export interface RedisConnection {
  /** @default 'localhost' */
  readonly host?: string;
  /** @default 6379 */
  readonly port?: number;
  /** A unix socket, instead of `host` and `port`. */
  readonly path?: string;
  /** Some nodes of a cluster; the others are found through them. */
  readonly cluster?: readonly RedisAddress[];
  /** Sentinels, which say who is the master. */
  readonly sentinels?: readonly RedisAddress[];
  /** The name of the master, as the Sentinels know it. */
  readonly master?: string;
  readonly username?: string;
  readonly password?: string;
  /** The number of the database; a cluster has only 0. @default 0 */
  readonly db?: number;
  /** Encrypts the connection to the servers; not that to Sentinels. @default false */
  readonly tls?: boolean | RedisTls;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  /** Encrypts the connection to the Sentinels, with the certificates of `tls`. @default false */
  readonly sentinelTls?: boolean;
  /** How long the first connection may take, the TLS handshake included; later ones are given less. @default '1s' */
  readonly connectTimeout?: Duration;
  /** What `CLIENT LIST` shows. @default 'hotshelf' */
  readonly connectionName?: string;
}

export interface RedisOptions {
  /** The longest that any command may take; shorter while the server is quick. @default '250ms' */
  readonly deadline?: Duration;
  /** The most bytes that one value may have. @default 16_777_216 */
  readonly maxValueBytes?: number;
  /**
   * Refuses takes of an exhausted limit without asking the server, until there may be room again and for a second at most: after
   * that, what another process gave back is seen. @default true
   */
  readonly blockLocally?: boolean;
  /** Time, timers and randomness. @default the machine's own */
  readonly clock?: Clock;
}

export const redisDefaults = {
  deadline: '250ms',
  maxValueBytes: 16 * 1024 * 1024,
  blockLocally: true,
  connectTimeout: '1s',
} as const;

/** Redis keeps at most 512 MB under a key. */
const mostValueBytes = 512 * 1024 * 1024 - 8;

const connectionNames: readonly (keyof RedisConnection)[] = [
  'host',
  'port',
  'path',
  'cluster',
  'sentinels',
  'master',
  'username',
  'password',
  'db',
  'tls',
  'sentinelUsername',
  'sentinelPassword',
  'sentinelTls',
  'connectTimeout',
  'connectionName',
];
const tlsNames: readonly (keyof RedisTls)[] = ['ca', 'cert', 'key', 'servername'];
const optionNames: readonly (keyof RedisOptions)[] = ['deadline', 'maxValueBytes', 'blockLocally', 'clock'];

export interface ReadOptions {
  readonly deadlineMs: number;
  readonly maxValueBytes: number;
  readonly blockLocally: boolean;
  readonly clock: Clock;
}

/** @throws {HotshelfError} `OPTION_INVALID` naming the option, what is allowed and what was given. */
export function readOptions(options: RedisOptions | undefined): ReadOptions {
  checkOptionNames(options, optionNames, 'redis()');
  const {
    maxValueBytes = redisDefaults.maxValueBytes,
    blockLocally = redisDefaults.blockLocally,
    clock = systemClock,
  } = options ?? {};
  const deadlineMs = durationMs(options?.deadline ?? redisDefaults.deadline, 'deadline');
  checkWhole('maxValueBytes', maxValueBytes, 1, mostValueBytes);
  if (typeof blockLocally !== 'boolean')
    throw invalid(`\`blockLocally\` to be true or false, got ${describe(blockLocally)}`);
  if (typeof clock?.monotonic !== 'function' || typeof clock.after !== 'function') {
    throw new HotshelfError('OPTION_INVALID', `Expected \`clock\` to be a Clock, got ${describe(clock)}.`);
  }
  return { deadlineMs, maxValueBytes, blockLocally, clock };
}

/** @throws {HotshelfError} `OPTION_INVALID` naming the option; never with what a password was. */
export function checkConnection(connection: RedisConnection): void {
  checkOptionNames(connection, connectionNames, 'redis()');
  const { tls, cluster, sentinels, master, db = 0, port, connectTimeout = redisDefaults.connectTimeout } = connection;
  if (typeof tls === 'object') checkOptionNames(tls, tlsNames, '`tls` of redis()');
  durationMs(connectTimeout, 'connectTimeout');
  checkWhole('db', db, 0, 1_000_000);
  if (port !== undefined) checkWhole('port', port, 1, 65_535);
  checkAddresses('cluster', cluster);
  checkAddresses('sentinels', sentinels);
  if (cluster !== undefined && db !== 0) throw invalid('`db` to be 0: a cluster has no other database');
  if (sentinels !== undefined && !master)
    throw invalid('`master` to be the name that the Sentinels know the master by');
  if (cluster !== undefined && sentinels !== undefined) throw invalid('either `cluster` or `sentinels`, not both');
  for (const name of ['host', 'path', 'username', 'password', 'sentinelUsername', 'sentinelPassword'] as const) {
    const value = connection[name];
    if (value !== undefined && typeof value !== 'string') throw invalid(`\`${name}\` to be a string`);
  }
}

function checkAddresses(name: string, addresses: readonly RedisAddress[] | undefined): void {
  if (addresses === undefined) return;
  if (!Array.isArray(addresses) || addresses.length === 0) throw invalid(`\`${name}\` to list at least one address`);
  for (const address of addresses as readonly RedisAddress[]) {
    if (typeof address?.host !== 'string') throw invalid(`each of \`${name}\` to be { host, port }`);
    checkWhole(`${name}: port`, address.port, 1, 65_535);
  }
}

function checkWhole(name: string, value: unknown, least: number, most: number): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return;
  throw invalid(`\`${name}\` to be a whole number from ${least} to ${most}, got ${describe(value)}`);
}

function invalid(expected: string): HotshelfError {
  return new HotshelfError('OPTION_INVALID', `Expected ${expected}.`);
}

/** Options for ioredis, version 5 or 6. */
export interface RecommendedOptions {
  readonly connectTimeout: number;
  readonly disconnectTimeout: number;
  readonly maxRetriesPerRequest: 0;
  readonly enableOfflineQueue: false;
  readonly autoResendUnfulfilledCommands: false;
  readonly sentinelCommandTimeout: number;
  readonly failoverDetector: true;
  readonly sentinelReconnectStrategy: () => number;
  readonly protocol: 2;
  readonly retryStrategy: (times: number) => number;
  readonly reconnectOnError: (error: Error) => boolean;
}

/**
 * Returns the options that we recommend for an ioredis client that you make yourself.
 *
 * With them a command is never sent twice and never waits in a queue, and the client comes back after a failover. The
 * deadline of a command is not among them: `redis(client)` brings its own.
 *
 * @example
 * const client = new Redis({ ...redisOptions(), host: 'cache.internal' });
 * const backend = redis(client);
 */
export function redisOptions(clock: Clock = systemClock): RecommendedOptions {
  return {
    connectTimeout: durationMs(redisDefaults.connectTimeout, 'connectTimeout'),
    // `disconnect()` waits this long for the other side, which may be gone.
    disconnectTimeout: 100,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    sentinelCommandTimeout: 500,
    // The old master takes writes, which are lost, until it hears of the new one: the Sentinels tell earlier.
    failoverDetector: true,
    sentinelReconnectStrategy: () => 1000,
    // ioredis 6 takes nearly twice the time to read an array with protocol 3.
    protocol: 2,
    retryStrategy: (times) => backoffMs(times, clock),
    reconnectOnError: (error) => /^(?:READONLY|LOADING|MASTERDOWN)\b/.test(error.message),
  };
}

/** The recommended options of an ioredis `Cluster`: `new Cluster(nodes, clusterOptions())`. */
export function clusterOptions(clock: Clock = systemClock) {
  const { retryStrategy: _none, enableOfflineQueue: _queue, ...redisOptionsOfNodes } = redisOptions(clock);
  return {
    // A command that was sent is sent again after a lost connection unless this is 0.
    retryDelayOnFailover: 0,
    slotsRefreshInterval: 1000,
    slotsRefreshTimeout: 500,
    enableOfflineQueue: false,
    clusterRetryStrategy: (times: number) => backoffMs(times, clock),
    redisOptions: redisOptionsOfNodes,
  };
}
