/** The servers that tests start for themselves, in one place. */
export { type PostgresOptions, type PostgresServer, startPostgres } from './postgres.ts';
export { type MemcachedOptions, type MemcachedServer, startMemcached } from './memcached.ts';
export { type RedisCluster, type RedisClusterOptions, startRedisCluster } from './cluster.ts';
export { type RedisOptions, type RedisServer, startRedis } from './redis.ts';
export { type SentinelGroup, type SentinelOptions, type SentinelServer, startSentinel } from './sentinel.ts';
export { type Certificates, makeCertificates } from './certificates.ts';
export { type Reply } from './resp.ts';
export { type Server } from './server.ts';
