/** The Memcached adapter. */

import type { BackendWith } from '../../src/backend/backend.ts';
import { MemcachedBackend } from './backend.ts';
import { readSettings, type MemcachedOptions, type MemcachedTarget } from './options.ts';

export type { ServerAddress } from './address.ts';
export type { MemjsClient, MemjsServer } from './memjs-client.ts';
export type { MemcachedOptions, MemcachedServers, MemcachedTarget, MemcachedTls } from './options.ts';

/**
 * Returns a backend on one Memcached server or several, with values, counters, limits and rankings. Needs the package `memjs`.
 *
 * Keys are spread over the servers by a consistent hash. A server that is down takes its share of the keys with it: they
 * fail with `BACKEND_DOWN` until it is back, and the other keys go on working. There is no failover, because a delete that
 * is applied elsewhere leaves the old value to be found again. Nothing is ever sent twice.
 *
 * Connects at once and stays connected until `close()`; a server that is down at the start is waited for in the background.
 *
 * Memcached counts lifetimes in whole seconds, so that a value may live two seconds longer than its time. A lifetime above
 * 30 days is kept as a wall-clock time: it is as exact as the clocks of this machine and the server agree.
 *
 * Limits go by the clock of this process, and a take of several plans is several steps. The windows of a limit are counters:
 * never more than the limit is admitted, as long as the clocks of the processes agree to a tenth of the window and the server
 * evicts nothing. Callers that meet at the limit may be refused although there is room, because each adds its cost before it
 * looks. Token buckets are exact.
 *
 * All leaderboards of a group (the keys with the same text up to a closing brace) are one value, which is compared and set: exact,
 * also among processes, but bounded: `maxBoardMembers` each, and all of them what the server takes as one value. Submits that
 * this process makes while one is on its way travel together.
 *
 * A `memjs.Client` is read, not used: its servers and credentials are taken over, and its connections, retries, failover,
 * hashing and serializer are not. What of it would be unsafe is named in one `warning` to `watch`, or, if nobody watches,
 * by `process.emitWarning`. It stays open.
 *
 * @throws {HotshelfError} `URL_INVALID` or `OPTION_INVALID`
 * @example
 * const backend = memcached('memcached://10.0.0.1:11211,10.0.0.2:11211');
 * await backend.values.set('greeting', Buffer.from('hello'), 60_000);
 */
export function memcached(
  target: MemcachedTarget,
  options?: MemcachedOptions,
): BackendWith<'values' | 'counters' | 'limits' | 'rankings'> {
  return new MemcachedBackend(readSettings(target, options));
}
