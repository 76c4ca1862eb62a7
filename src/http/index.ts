/** What HTTP says about caches, without a framework: `hotshelf/http`. */

export { type CacheStatus, formatCacheStatus } from './cache-status.ts';
