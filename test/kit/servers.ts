/** The servers that tests start for themselves, in one place. */
export { type RedisCluster, startRedisCluster } from './cluster.ts';
export { type MemcachedServer, startMemcached } from './memcached.ts';
export { type PostgresServer, startPostgres } from './postgres.ts';
export { type RedisServer, startRedis } from './redis.ts';
export type { Reply } from './resp.ts';
export { type SentinelGroup, startSentinel } from './sentinel.ts';
export type { Server } from './server.ts';
