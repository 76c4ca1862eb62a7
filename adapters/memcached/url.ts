/** Reads a Memcached URL: servers, credentials, and options in the query. */

import { readFileSync } from 'node:fs';
import { durationMs, type Duration } from '../../src/support/duration.ts';
import { describe, HotshelfError } from '../../src/support/errors.ts';
import { checkOptionNames } from '../../src/support/options.ts';
import { parseServer, type ServerAddress } from './address.ts';
import type { MemcachedOptions, MemcachedTls } from './options.ts';

export interface ParsedUrl {
  readonly servers: readonly Required<ServerAddress>[];
  readonly options: MemcachedOptions;
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

// The last "@" before the servers ends the credentials: a password may hold others.
const pattern = /^(?:(memcacheds?):\/\/)?(?:([^/?#]*)@)?([^@/?#]+)\/?(?:\?([^#]*))?$/i;

const tlsFiles = { 'tls.ca': 'ca', 'tls.cert': 'cert', 'tls.key': 'key' } as const;
const queryNames = [
  'connectTimeout',
  'deadline',
  'maxValueBytes',
  'blockLocally',
  'maxBoardMembers',
  'tls.servername',
  ...Object.keys(tlsFiles),
];

/**
 * Reads `[memcached://][user:password@]host[:port][,host[:port]…][?option=value]`; `memcacheds://` means TLS. User and
 * password are percent-encoded. Files that it names are read at once.
 *
 * @throws {HotshelfError} `URL_INVALID` saying what is wrong; never with what stands before the `@`.
 * @example
 * parseUrl('memcached://alice:secret@10.0.0.1,10.0.0.2:11212?deadline=100ms').servers[1]?.port; // 11212
 */
export function parseUrl(url: string): ParsedUrl {
  const match = pattern.exec(url);
  if (match === null || /^memcacheds?:(?!\/\/)/i.test(url)) {
    throw invalid(
      'it has another form: expected memcached://user:password@host:port,host:port, or memcacheds:// for TLS',
    );
  }
  const [, scheme, userInfo, hosts = '', query = ''] = match;
  const options: Mutable<MemcachedOptions> = {};
  if (userInfo !== undefined) readCredentials(userInfo, options);
  const tls = readQuery(query, options);
  if (scheme?.toLowerCase() === 'memcacheds') options.tls = tls ?? true;
  else if (tls !== undefined) throw invalid('it has options of TLS: it must begin with memcacheds');
  const servers = hosts.split(',').map((host) => {
    const server = parseServer(host);
    // What stands here may be a piece of a password that was not percent-encoded: it is not shown.
    if (server === undefined) throw invalid('it has a server that is neither host:port nor [IPv6]:port');
    return server;
  });
  return { servers, options };
}

function readCredentials(userInfo: string, options: Mutable<MemcachedOptions>): void {
  const colon = userInfo.indexOf(':');
  if (colon < 1)
    throw invalid('it has a user without a password or a password without a user: expected user:password@');
  try {
    options.username = decodeURIComponent(userInfo.slice(0, colon));
    options.password = decodeURIComponent(userInfo.slice(colon + 1));
  } catch {
    throw invalid('its credentials are not percent-encoded correctly');
  }
}

/** Returns the options of TLS, if there are any. */
function readQuery(query: string, options: Mutable<MemcachedOptions>): MemcachedTls | undefined {
  const given = new Map(new URLSearchParams(query.replaceAll('+', '%2B')));
  asUrlError(() => checkOptionNames(Object.fromEntries(given), queryNames, 'a Memcached URL'));
  const tls: Mutable<MemcachedTls> = {};
  for (const [name, value] of given) {
    if (name === 'connectTimeout' || name === 'deadline') {
      asUrlError(() => durationMs(value, name));
      options[name] = value as Duration;
    } else if (name === 'maxValueBytes' || name === 'maxBoardMembers') {
      if (!/^[1-9]\d{0,11}$/.test(value)) {
        throw invalid(`expected \`${name}\` to be a whole number above 0, got ${describe(value)}`);
      }
      options[name] = Number(value);
    } else if (name === 'blockLocally') {
      if (value !== 'true' && value !== 'false')
        throw invalid(`expected \`blockLocally\` to be true or false, got ${describe(value)}`);
      options.blockLocally = value === 'true';
    } else if (name === 'tls.servername') {
      tls.servername = value;
    } else {
      tls[tlsFiles[name as keyof typeof tlsFiles]] = readFile(name, value);
    }
  }
  return Object.keys(tls).length === 0 ? undefined : tls;
}

function readFile(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
    throw invalid(`the file of \`${name}\` cannot be read (${String(code)})`);
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
  return new HotshelfError('URL_INVALID', `The Memcached URL cannot be used: ${problem}.`);
}
