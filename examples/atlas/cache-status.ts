/** Tells the client, in the Cache-Status field (RFC 9211), what the cache did for its answer. */

import type { Lookup } from 'hotshelf';
import { type CacheStatus, formatCacheStatus } from 'hotshelf/http';

/** The field for an answer that came from one lookup. */
export function cacheStatusOf(lookup: Lookup<unknown>): string {
  return formatCacheStatus({ cache: 'hotshelf', ...outcomeOf(lookup) });
}

function outcomeOf({ status, reason, stored, ttlMs }: Lookup<unknown>): Omit<CacheStatus, 'cache'> {
  if (status === 'hit') return { hit: true, ttlSeconds: ttlMs / 1000 };
  // The database was asked, and failed or was slow.
  if (status === 'stale') return { fwd: 'stale', ttlSeconds: ttlMs / 1000, detail: reason };
  if (status === 'bypass') return { fwd: 'bypass', detail: reason };
  return { fwd: 'miss', stored, collapsed: status === 'collapsed' };
}
