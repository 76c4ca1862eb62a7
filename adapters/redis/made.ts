/** Makes the ioredis clients that are ours: set up so that nothing waits in queues and nothing is sent twice. */

import { Cluster, Redis } from 'ioredis';
import type { Clock } from '../../src/support/clock.ts';
import { durationMs } from '../../src/support/duration.ts';
import { HotshelfError } from '../../src/support/errors.ts';
import { isCluster, isConnection, type ClusterClient, type Connection } from './client.ts';
import { clusterOptions, redisDefaults, redisOptions, type RedisConnection, type RedisTls } from './options.ts';

/** @throws {HotshelfError} `CLIENT_MISSING` when the installed ioredis is too old. */
export function makeClient(connection: RedisConnection, clock: Clock): Connection | ClusterClient {
  const client: object =
    connection.cluster === undefined ? makeRedis(connection, clock) : makeCluster(connection, clock);
  if (isConnection(client) || isCluster(client)) return client;
  throw new HotshelfError('CLIENT_MISSING', 'The installed ioredis is not usable: install ioredis 5.11 or 6.');
}

export function connectTimeoutMs(connection: RedisConnection): number {
  return durationMs(connection.connectTimeout ?? redisDefaults.connectTimeout, 'connectTimeout');
}

/** What every connection of ours has, wherever it leads. */
function shared(connection: RedisConnection) {
  const { username, password, tls, connectionName = 'hotshelf' } = connection;
  return {
    connectTimeout: connectTimeoutMs(connection),
    connectionName,
    disableClientInfo: true,
    // A lane leaves a server that is the wrong one by itself, and not once for each refused command.
    reconnectOnError: null,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls !== undefined && tls !== false && { tls: tls === true ? {} : certificates(tls) }),
  };
}

function certificates({ ca, cert, key, servername }: RedisTls) {
  const pem = (data: string | Uint8Array) => (typeof data === 'string' ? data : Buffer.from(data));
  return {
    ...(ca !== undefined && { ca: pem(ca) }),
    ...(cert !== undefined && { cert: pem(cert) }),
    ...(key !== undefined && { key: pem(key) }),
    ...(servername !== undefined && { servername }),
  };
}

function makeRedis(connection: RedisConnection, clock: Clock): object {
  const { host = 'localhost', port = 6379, path, db = 0, sentinels, master } = connection;
  const options = { ...redisOptions(clock), ...shared(connection), db, lazyConnect: true };
  if (path !== undefined) return new Redis({ ...options, path });
  if (sentinels === undefined || master === undefined) return new Redis({ ...options, host, port });
  const { sentinelUsername, sentinelPassword, sentinelTls } = connection;
  return new Redis({
    ...options,
    sentinels: sentinels.map((address) => ({ ...address })),
    name: master,
    enableTLSForSentinelMode: options.tls !== undefined,
    sentinelRetryStrategy: options.retryStrategy,
    ...(sentinelUsername !== undefined && { sentinelUsername }),
    ...(sentinelPassword !== undefined && { sentinelPassword }),
    ...(sentinelTls === true && { sentinelTLS: options.tls ?? {} }),
  });
}

function makeCluster(connection: RedisConnection, clock: Clock): object {
  const { redisOptions: ofNodes, ...options } = clusterOptions(clock);
  return new Cluster(
    (connection.cluster ?? []).map((address) => ({ ...address })),
    {
      ...options,
      lazyConnect: true,
      redisOptions: { ...ofNodes, ...shared(connection) },
      // Certificates name hosts: keep the names instead of their addresses.
      ...(connection.tls && {
        dnsLookup: (host: string, done: (error: null, host: string) => void) => done(null, host),
      }),
    },
  );
}
