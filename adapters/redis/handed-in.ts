/** Looks at a client that the user made: is it one of ioredis, and which of its options are dangerous. */

import { HotshelfError } from '../../src/support/errors.ts';
import { isCluster, isConnection, type ClusterClient, type Connection } from './client.ts';

/** @throws {HotshelfError} `OPTION_INVALID` when it is no client of ioredis 5 or 6. */
export function checkClient(client: object): Connection | ClusterClient {
  if (isConnection(client) || isCluster(client)) return client;
  const other = 'isOpen' in client && 'sendCommand' in client ? 'a client of the `redis` package' : 'another object';
  throw new HotshelfError(
    'OPTION_INVALID',
    `Expected redis() to get a URL, options, or a client of ioredis 5.11 or 6, got ${other}.`,
  );
}

/** Returns one sentence about all dangerous options, or `undefined`. Our own commands are protected from them. */
export function warningAbout(client: Connection | ClusterClient): string | undefined {
  const found = isCluster(client) ? clusterDangers(client.options) : connectionDangers(client.options);
  if (found.length === 0) return undefined;
  return (
    `The ioredis client handed to redis() has options that are dangerous for your own commands: ${found.join('; ')}. ` +
    'hotshelf keeps its commands out of the queues concerned. Make the client with redisOptions() of hotshelf/redis.'
  );
}

type Options = Readonly<Record<string, unknown>>;

function connectionDangers(options: Options): string[] {
  const found: string[] = [];
  if (options['maxRetriesPerRequest'] !== 0) {
    found.push('`maxRetriesPerRequest` is not 0 (commands are sent again after a lost connection, and applied twice)');
  }
  if (options['autoResendUnfulfilledCommands'] !== false)
    found.push('`autoResendUnfulfilledCommands` is on (the same)');
  if (options['enableOfflineQueue'] !== false) {
    found.push('`enableOfflineQueue` is on (commands wait without a limit while the server is down)');
  }
  if (typeof options['retryStrategy'] !== 'function') {
    found.push('`retryStrategy` is missing (a lost connection is never made again)');
  }
  if (typeof options['reconnectOnError'] !== 'function') {
    found.push('`reconnectOnError` is missing (after a failover writes fail until a restart)');
  }
  if (Array.isArray(options['sentinels']) && typeof options['sentinelCommandTimeout'] !== 'number') {
    found.push('`sentinelCommandTimeout` is missing (a Sentinel that hangs is waited for without a limit)');
  }
  if (Array.isArray(options['sentinels']) && options['failoverDetector'] !== true) {
    found.push('`failoverDetector` is off (after a failover the old master is written to until it hears of it)');
  }
  return [...found, ...commonDangers(options)];
}

function clusterDangers(options: Options): string[] {
  const found: string[] = [];
  if (options['retryDelayOnFailover'] !== 0) {
    found.push('`retryDelayOnFailover` is not 0 (commands are sent again after a lost connection, and applied twice)');
  }
  if (options['enableOfflineQueue'] !== false) {
    found.push('`enableOfflineQueue` is on (commands wait without a limit while the cluster is down)');
  }
  return [...found, ...commonDangers(options)];
}

function commonDangers(options: Options): string[] {
  const found: string[] = [];
  if (options['enableAutoPipelining'] === true) found.push('`enableAutoPipelining` is on (single reads become slower)');
  if (options['showFriendlyErrorStack'] === true) {
    found.push('`showFriendlyErrorStack` is on (every command pays for a stack trace)');
  }
  if (options['keyPrefix'] !== undefined && options['keyPrefix'] !== '') {
    found.push(
      '`keyPrefix` is set (hotshelf puts it before all of its keys too, but not before the topics of the bus)',
    );
  }
  return found;
}
