/** The Redis adapter: `hotshelf/redis`. */

export { redis, type RedisFacets } from './backend.ts';
export type { IoredisClient } from './client.ts';
export {
  clusterOptions,
  redisOptions,
  type RecommendedOptions,
  type RedisAddress,
  type RedisConnection,
  type RedisOptions,
  type RedisTls,
} from './options.ts';
export { asNodeRedis, type NodeRedisClient, type NodeRedisSetOptions } from './node-redis.ts';
export { parseRedisUrl, type ParsedRedisUrl } from './url.ts';
