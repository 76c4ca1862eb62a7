/** Reads where the servers are: `host:port`, a list of those, or a `memcached://` URL with credentials. */

import { describe, HotshelfError } from '../../src/support/errors.ts';
import type { Login } from './handshake.ts';

export interface ServerAddress {
  readonly host: string;
  /** @default 11211 */
  readonly port?: number;
  /** The server's share of the keys, in proportion to the others'. @default 1 */
  readonly weight?: number;
}

export interface ParsedUrl {
  readonly servers: readonly Required<ServerAddress>[];
  readonly login: Login | undefined;
  readonly tls: boolean;
}

const usualPort = 11211;
const heaviest = 100;
const scheme = /^([a-z][a-z0-9+.-]*):\/\//i;

/**
 * Reads `[memcached://][user:password@]host[:port][,host[:port]…]`; `memcacheds://` means TLS. The last `@` ends the
 * credentials, the first `:` the user; both may be percent-encoded.
 *
 * @throws {HotshelfError} `URL_INVALID`, never with the text itself: it may hold a password.
 */
export function parseUrl(text: string): ParsedUrl {
  const [prefix = '', name = 'memcached'] = scheme.exec(text) ?? [];
  const isKnown = name.toLowerCase() === 'memcached' || name.toLowerCase() === 'memcacheds';
  if (!isKnown) throw invalid(`has the scheme ${name.slice(0, 20)}://, which is not memcached:// or memcacheds://`);
  const rest = text.slice(prefix.length);
  const hostsStart = rest.lastIndexOf('@') + 1;
  const hosts = rest.slice(hostsStart).replace(/\/$/, '');
  if (/[/?#]/.test(hosts)) throw invalid('has something after the servers; give options in the second argument');
  return {
    servers: hosts.split(',').map((host) => parseServer(host)),
    login: hostsStart === 0 ? undefined : parseLogin(rest.slice(0, hostsStart - 1)),
    tls: name.toLowerCase() === 'memcacheds',
  };
}

function parseLogin(text: string): Login {
  const colon = text.indexOf(':');
  if (colon < 1) throw invalid('has a user without a password, or a password without a user');
  try {
    return {
      username: decodeURIComponent(text.slice(0, colon)),
      password: decodeURIComponent(text.slice(colon + 1)),
    };
  } catch {
    throw invalid('has credentials whose percent signs are not encoded as %25');
  }
}

/** Reads `host`, `host:port`, `[::1]` or `[::1]:port`. */
export function parseServer(text: string): Required<ServerAddress> {
  const match = /^(?:\[([0-9a-f:.%a-z]+)\]|([^\s:[\]@/]+))(?::(\d{1,5}))?$/i.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) throw invalid('has a server that is not host:port or [IPv6]:port');
  return checkServer({ host, port: match?.[3] === undefined ? usualPort : Number(match[3]) });
}

/** @throws {HotshelfError} `OPTION_INVALID` */
export function checkServer(given: ServerAddress): Required<ServerAddress> {
  const { host, port = usualPort, weight = 1 } = given;
  if (typeof host !== 'string' || !/^[^\s[\]@/]+$/.test(host)) {
    throw new HotshelfError('OPTION_INVALID', `Expected \`host\` to be a name or an address, got ${describe(host)}.`);
  }
  checkWhole('port', port, 65_535);
  checkWhole('weight', weight, heaviest);
  return { host, port, weight };
}

function checkWhole(name: string, value: unknown, most: number): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most) return;
  throw new HotshelfError(
    'OPTION_INVALID',
    `Expected \`${name}\` to be a whole number from 1 to ${most}, got ${describe(value)}.`,
  );
}

function invalid(why: string): HotshelfError {
  return new HotshelfError(
    'URL_INVALID',
    `The Memcached URL ${why}. Write it like memcached://user:password@host1:11211,host2:11211.`,
  );
}
