/** Writes the Cache-Status header field: what the cache did with a request. */

import { parseList, serializeInteger, serializeString, serializeTokenOrString } from './structured-fields.ts';

/** One member of the field. RFC 9211 section 2. */
export interface CacheStatus {
  /** The cache's name, as its operator knows it. */
  readonly cache: string;
  /** The answer came from the cache (section 2.1). Excludes `fwd`. */
  readonly hit?: boolean;
  /** Why the request went on to the origin (section 2.2). */
  readonly fwd?: 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'miss' | 'request' | 'stale' | 'partial';
  /** The status with which the origin answered, where it is not the one of the answer (section 2.3). Only with `fwd`. */
  readonly fwdStatus?: number;
  /** How long the answer stays fresh, in seconds; below 0 if it is stale (section 2.4). */
  readonly ttlSeconds?: number;
  /** The answer was stored (section 2.5). */
  readonly stored?: boolean;
  /** The request was answered together with another one (section 2.6). */
  readonly collapsed?: boolean;
  /** The name under which the cache keeps the answer, in ASCII (section 2.7). */
  readonly key?: string;
  /** Anything more that helps the reader, in ASCII (section 2.8). */
  readonly detail?: string;
}

/** What a read of a cache found, as `cache.lookup()` says it. */
export interface CacheOutcome {
  readonly status: 'hit' | 'stale' | 'miss' | 'collapsed' | 'bypass';
  readonly reason?: string | undefined;
  readonly stored: boolean;
  /** How long the answer stays fresh, in ms; below 0 if it is stale. */
  readonly ttlMs: number;
}

/**
 * Returns the field's value.
 *
 * @example
 * formatCacheStatus({ cache: 'hotshelf', hit: true, ttlSeconds: 59 }); // 'hotshelf; hit; ttl=59'
 */
export function formatCacheStatus(status: CacheStatus): string {
  const { cache, hit, fwd, fwdStatus, ttlSeconds, stored, collapsed, key, detail } = status;
  let field = serializeTokenOrString(cache);
  if (hit === true) field += '; hit';
  else if (fwd !== undefined) {
    field += `; fwd=${fwd}`;
    if (isNumber(fwdStatus)) field += `; fwd-status=${serializeInteger(fwdStatus)}`;
  }
  if (isNumber(ttlSeconds)) field += `; ttl=${serializeInteger(ttlSeconds)}`;
  if (stored === true) field += '; stored';
  if (collapsed === true) field += '; collapsed';
  // RFC 9211 section 2.7: a key is a String, a detail (section 2.8) a Token or a String.
  if (key !== undefined) field += `; key=${serializeString(key)}`;
  if (detail !== undefined) field += `; detail=${serializeTokenOrString(detail)}`;
  return field;
}

function isNumber(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value);
}

/**
 * Returns what the cache `name` says of this outcome.
 *
 * @example
 * formatCacheStatus(cacheStatusOf(await cache.lookup('city:7', load), 'hotshelf')); // 'hotshelf; fwd=miss; stored'
 */
export function cacheStatusOf({ status, reason, stored, ttlMs }: CacheOutcome, name: string): CacheStatus {
  const cache = name;
  const ttlSeconds = ttlMs / 1000;
  if (status === 'hit') return { cache, hit: true, ttlSeconds };
  const because = reason === undefined ? {} : { detail: reason };
  if (status === 'bypass') return { cache, fwd: 'bypass', ...because };
  if (status !== 'stale') return { cache, fwd: 'miss', stored, collapsed: status === 'collapsed' };
  // RFC 9211 section 2.1: nobody had to be asked for the answer. Otherwise the origin was, and failed or was slow.
  return reason === 'refreshing'
    ? { cache, hit: true, ttlSeconds, ...because }
    : { cache, fwd: 'stale', ttlSeconds, ...because };
}

/**
 * Returns the field with one more member, at its end: the caches nearest to the origin come first (RFC 9211 section 2).
 *
 * What was there and is no list of structured fields would make the whole unreadable, and is left out.
 */
export function appendCacheStatus(existing: string | undefined, added: string): string {
  const earlier = parseList(existing);
  return earlier === undefined || earlier.length === 0 ? added : `${existing}, ${added}`;
}
