/** Reads what can be used of a memjs client that the user made, and says what of it cannot. */

import { HotshelfError } from '../../src/support/errors.ts';
import { checkServer, type ServerAddress } from './address.ts';
import type { Login } from './handshake.ts';

/** A `memjs.Client`, as far as hotshelf looks at it. */
export interface MemjsClient {
  readonly servers: readonly MemjsServer[];
  readonly options: object;
  perform(...args: never[]): unknown;
}

export interface MemjsServer {
  readonly host: string;
  readonly port: number | string;
}

export interface ReadClient {
  readonly servers: readonly Required<ServerAddress>[];
  /** Its credentials. */
  readonly options: Partial<Login>;
  /** What is unsafe or not taken over, or `undefined`. */
  readonly warning: string | undefined;
}

export function isMemjsClient(target: object): target is MemjsClient {
  return 'perform' in target && typeof target.perform === 'function' && 'servers' in target;
}

/** @throws {HotshelfError} `OPTION_INVALID` when its servers cannot be used. */
export function readMemjsClient(client: MemjsClient): ReadClient {
  if (!Array.isArray(client.servers) || client.servers.length === 0) {
    throw new HotshelfError('OPTION_INVALID', 'The memjs client that was given to memcached() has no servers.');
  }
  const notes = unsafeOptions(client);
  const warning =
    notes.length === 0
      ? undefined
      : `The memjs client that was given to memcached() has ${notes.join('; ')}. hotshelf takes only its servers and ` +
        'credentials and connects by itself, so its own commands are safe; commands sent through that client are not.';
  return { servers: client.servers.map(readServer), options: readLogin(client.servers), warning };
}

function readServer({ host, port }: MemjsServer): Required<ServerAddress> {
  // memjs splits "[::1]:11211" at its first colon.
  if (host === '[') {
    throw new HotshelfError(
      'OPTION_INVALID',
      'memjs cannot read IPv6 addresses. Give memcached() the address itself: memcached("[::1]:11211").',
    );
  }
  return checkServer({ host, port: Number(port) });
}

function readLogin(servers: readonly MemjsServer[]): Partial<Login> {
  const logins = servers.map((server) => ({ username: text(server, 'username'), password: text(server, 'password') }));
  const [first] = logins;
  if (logins.some(({ username, password }) => username !== first?.username || password !== first?.password)) {
    throw new HotshelfError(
      'OPTION_INVALID',
      'The servers of the memjs client have different credentials; hotshelf knows one login for all servers.',
    );
  }
  // memjs logs in only with both.
  if (first?.username === undefined || first.password === undefined) return {};
  return { username: first.username, password: first.password };
}

function unsafeOptions({ servers, options, ...rest }: MemjsClient): string[] {
  const notes: string[] = [];
  const { retries, failover, expires, serializer } = (options ?? {}) as Record<string, unknown>;
  if (typeof retries === 'number' && retries > 1) notes.push(`retries: ${retries} (an increment may be applied twice)`);
  if (failover === true) notes.push('failover (a failed-over delete leaves the old value in place)');
  if (servers.some((server) => !hasTimeout(server))) notes.push('no timeout (a hanging server is waited for)');
  if (servers.some((server) => server.constructor?.name !== 'Server')) notes.push('a transport of its own');
  if (typeof expires === 'number' && expires > 0) notes.push('a default for `expires` (not taken over)');
  if (serializer !== undefined) notes.push('a serializer (not taken over)');
  if ('getServer' in rest) notes.push('its own getServer (not taken over: hotshelf spreads keys by a consistent hash)');
  return notes;
}

function hasTimeout(server: object): boolean {
  const options = 'options' in server && typeof server.options === 'object' ? server.options : undefined;
  const timeout = options !== null && options !== undefined && 'timeout' in options ? options.timeout : undefined;
  return typeof timeout === 'number' && timeout > 0;
}

function text(server: object, name: string): string | undefined {
  const value: unknown = Reflect.get(server, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}
