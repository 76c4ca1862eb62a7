/** Reads a Redis URL: one server, a cluster, or a group of Sentinels. */

import { readFileSync } from 'node:fs';
import { describe, HotshelfError } from '../../src/support/errors.ts';
import { durationMs, type Duration } from '../../src/support/duration.ts';
import { checkOptionNames } from '../../src/support/options.ts';
import type { RedisAddress, RedisConnection, RedisOptions, RedisTls } from './options.ts';

export interface ParsedRedisUrl {
  readonly connection: RedisConnection;
  readonly options: RedisOptions;
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

const pattern = /^(redis|rediss)(?:\+(cluster|sentinel|unix))?:\/\/(?:([^/?#]*)@)?([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/s;

const queryNames = [
  'connectTimeout',
  'connectionName',
  'deadline',
  'maxValueBytes',
  'blockLocally',
  'db',
  'sentinelUsername',
  'sentinelPassword',
  'sentinelTls',
  'tls.ca',
  'tls.cert',
  'tls.key',
  'tls.servername',
];

const forms =
  'redis://user:password@host:port/db, rediss:// for TLS, redis+cluster://host:port,host:port or redis+sentinel://host:port,host:port/master';

/**
 * Reads a URL; files that it names are read at once.
 *
 * @throws {HotshelfError} `URL_INVALID` saying what is wrong; never with what stands before the `@`.
 * @example
 * parseRedisUrl('redis+sentinel://:secret@10.0.0.1,10.0.0.2/main?connectTimeout=500ms').connection.master; // 'main'
 */
export function parseRedisUrl(url: string): ParsedRedisUrl {
  const match = typeof url === 'string' ? pattern.exec(url) : null;
  if (match === null) throw invalid(`it has another form: expected ${forms}`);
  const [, scheme, kind, userInfo, hosts = '', path = '', query = ''] = match;
  const connection: Mutable<RedisConnection> = {};
  const options: Mutable<RedisOptions> = {};
  if (userInfo !== undefined) readCredentials(userInfo, connection);
  readQuery(query, connection, options);
  if (scheme === 'rediss') connection.tls ??= true;
  else if (connection.tls !== undefined) throw invalid('it has options of TLS: it must begin with rediss');

  if (kind === 'unix') {
    if (hosts !== '' || path.length < 2) throw invalid('expected redis+unix:///path/of/the/socket');
    connection.path = decode(path, 'the path');
  } else if (kind === 'sentinel') {
    const [, master = '', db] = path.split('/');
    if (master === '') throw invalid('expected the name of the master after the Sentinels: /master');
    connection.sentinels = hosts.split(',').map((host) => readAddress(host, 26_379));
    connection.master = decode(master, 'the name of the master');
    if (db !== undefined && db !== '') connection.db = readDb(db);
  } else {
    const db = path.slice(1);
    if (db !== '') connection.db = readDb(db);
    const addresses = hosts.split(',').map((host) => readAddress(host, 6379));
    const [first] = addresses;
    if (kind === 'cluster') connection.cluster = addresses;
    else if (first !== undefined && addresses.length === 1) Object.assign(connection, first);
    else throw invalid('it names several servers: use redis+cluster:// or redis+sentinel://');
  }
  if (connection.cluster !== undefined && (connection.db ?? 0) !== 0) throw invalid('a cluster has only database 0');
  return { connection, options };
}

function readCredentials(userInfo: string, connection: Mutable<RedisConnection>): void {
  const colon = userInfo.indexOf(':');
  if (colon === -1) throw invalid('it has a user without a password: expected user:password@ or :password@');
  const username = decode(userInfo.slice(0, colon), 'the user name');
  if (username !== '') connection.username = username;
  connection.password = decode(userInfo.slice(colon + 1), 'the password');
}

function readAddress(text: string, defaultPort: number): RedisAddress {
  const match = /^(?:\[([0-9a-f:.%]+)\]|([^:[\]@,]+))(?::(\d{1,5}))?$/i.exec(text);
  const host = match?.[1] ?? match?.[2];
  // What stands here may be a piece of a password that was not percent-encoded: it is not shown.
  if (host === undefined) {
    throw invalid('it has a host that is none: percent-encode "@", "/", "?", "#" and ":" in user and password');
  }
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (port < 1 || port > 65_535) throw invalid('its port is not from 1 to 65535');
  return { host: decode(host, 'the host'), port };
}

function readDb(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw invalid(`expected the number of a database, got ${describe(text)}`);
}

function readQuery(query: string, connection: Mutable<RedisConnection>, options: Mutable<RedisOptions>): void {
  const given = new Map(new URLSearchParams(query.replaceAll('+', '%2B')));
  asUrlError(() => checkOptionNames(Object.fromEntries(given), queryNames, 'a Redis URL'));
  const tls: Mutable<RedisTls> = {};
  for (const [name, value] of given) {
    if (name === 'connectTimeout' || name === 'deadline') {
      asUrlError(() => durationMs(value, name));
      if (name === 'deadline') options.deadline = value as Duration;
      else connection.connectTimeout = value as Duration;
    } else if (name === 'maxValueBytes') options.maxValueBytes = readWhole(name, value);
    else if (name === 'blockLocally') options.blockLocally = readBoolean(name, value);
    else if (name === 'db') connection.db = readDb(value);
    else if (name === 'sentinelTls') connection.sentinelTls = readBoolean(name, value);
    else if (name === 'tls.servername') tls.servername = value;
    else if (name === 'tls.ca' || name === 'tls.cert' || name === 'tls.key') {
      tls[name === 'tls.ca' ? 'ca' : name === 'tls.cert' ? 'cert' : 'key'] = readFile(name, value);
    } else if (name === 'connectionName' || name === 'sentinelUsername' || name === 'sentinelPassword') {
      connection[name] = value;
    }
  }
  if (Object.keys(tls).length > 0) connection.tls = tls;
}

function readWhole(name: string, value: string): number {
  if (/^\d{1,12}$/.test(value) && Number(value) > 0) return Number(value);
  throw invalid(`expected \`${name}\` to be a whole number above 0, got ${describe(value)}`);
}

function readBoolean(name: string, value: string): boolean {
  if (value === 'true' || value === 'false') return value === 'true';
  throw invalid(`expected \`${name}\` to be true or false, got ${describe(value)}`);
}

function readFile(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
    throw invalid(`the file of \`${name}\` cannot be read (${String(code)})`);
  }
}

function decode(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(`${what} is not percent-encoded correctly`);
  }
}

function asUrlError(check: () => unknown): void {
  try {
    check();
  } catch (error) {
    throw invalid(error instanceof Error ? error.message.replace(/\.$/, '') : 'an option is not allowed');
  }
}

function invalid(problem: string): HotshelfError {
  return new HotshelfError('URL_INVALID', `The Redis URL cannot be used: ${problem}.`);
}
