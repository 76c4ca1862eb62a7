/** Tells the client, in the Cache-Status field (RFC 9211), what the cache did for its answer. */

import type { Lookup } from 'hotshelf';
import { type CacheStatus, formatCacheStatus } from 'hotshelf/http';

/** The field for an answer that was put together from one or more lookups: it is a hit if all of them are. */
export function cacheStatusOf(lookups: readonly Lookup<unknown>[]): string {
  return formatCacheStatus({ cache: 'hotshelf', ...outcomeOf(lookups), ...detailOf(lookups) });
}

function outcomeOf(lookups: readonly Lookup<unknown>[]): Omit<CacheStatus, 'cache'> {
  const has = (status: Lookup<unknown>['status']): boolean => lookups.some((lookup) => lookup.status === status);
  const bypass = lookups.find(({ status }) => status === 'bypass');
  if (bypass !== undefined) return { fwd: 'bypass', detail: bypass.reason ?? 'unknown' };
  if (has('miss')) return { fwd: 'miss', stored: lookups.some(({ stored }) => stored) };
  if (has('collapsed')) return { fwd: 'miss', collapsed: true };
  return { hit: true, ttlSeconds: Math.min(...lookups.map(({ ttlMs }) => ttlMs)) / 1000 };
}

function detailOf(lookups: readonly Lookup<unknown>[]): Pick<CacheStatus, 'detail'> {
  const hits = lookups.filter(({ status }) => status === 'hit').length;
  return hits > 0 && hits < lookups.length ? { detail: `${hits} of ${lookups.length} entries hit` } : {};
}
