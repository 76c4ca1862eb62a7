/** Decides what a stored response is worth to a request now: a hit compares numbers. RFC 9111 section 4. */

import { type CacheControl, parseCacheControl } from './cache-control.ts';
import { type Fields, fieldValue, listMembers } from './fields.ts';
import type { StoragePlan } from './storing.ts';

export interface Stock extends StoragePlan {
  /** When the head of the response arrived, or was last confirmed, in epoch ms. */
  readonly respondedAt: number;
}

/**
 * - `serve` it as it is;
 * - `refresh`: serve it stale, and ask the origin behind;
 * - `revalidate`: ask the origin first;
 * - `unavailable`: the request wants nothing from the origin, and this is not good enough: a 504.
 */
export type Reuse = 'serve' | 'refresh' | 'revalidate' | 'unavailable';

/** Returns the current age in ms: the age on arrival, and the time since. RFC 9111 section 4.2.3. */
export function currentAgeMs(stock: Stock, now: number): number {
  // A clock that was set back makes nothing younger than it was.
  return stock.ageMs + Math.max(0, now - stock.respondedAt);
}

/** Decides; `request` has the directives that are honoured, and is `undefined` where they are ignored. */
export function decideReuse(stock: Stock, request: CacheControl | undefined, now: number): Reuse {
  const use = usable(stock, request, currentAgeMs(stock, now));
  // RFC 9111 section 5.2.1.7: only-if-cached.
  return use === 'revalidate' && request?.onlyIfCached === true ? 'unavailable' : use;
}

function usable(stock: Stock, request: CacheControl | undefined, ageMs: number): Reuse {
  // RFC 9111 sections 5.2.2.4 and 5.2.1.4: no-cache of the response, and of the request.
  if (stock.revalidateAlways || request?.noCache === true) return 'revalidate';
  const staleMs = ageMs - stock.lifetimeMs;
  // RFC 9111 section 4.2: fresh is what has a lifetime above its age.
  return staleMs < 0 ? freshUse(stock, request, ageMs) : staleUse(stock, request, ageMs, staleMs);
}

function freshUse(stock: Stock, request: CacheControl | undefined, ageMs: number): Reuse {
  if (request === undefined) return 'serve';
  // RFC 9111 section 5.2.1.3: it must stay fresh for that long.
  if (request.minFresh !== undefined && stock.lifetimeMs - ageMs < request.minFresh * 1000) return 'revalidate';
  return isTooOld(stock, request, ageMs, true) ? 'revalidate' : 'serve';
}

function staleUse(stock: Stock, request: CacheControl | undefined, ageMs: number, staleMs: number): Reuse {
  // RFC 9111 section 4.2.4: nothing stale where the response forbids it, whatever the request allows.
  if (stock.mustRevalidate) return 'revalidate';
  if (request !== undefined) {
    // Section 5.2.1.3: what is stale does not stay fresh. Section 5.2.1.1: max-age without max-stale wants nothing stale.
    if (request.minFresh !== undefined) return 'revalidate';
    if (request.maxAge !== undefined && request.maxStale === undefined) return 'revalidate';
    if (isTooOld(stock, request, ageMs, false)) return 'revalidate';
  }
  // RFC 5861 section 3.
  if (staleMs < stock.swrMs) return 'refresh';
  // RFC 9111 section 5.2.1.2: max-stale.
  return request?.maxStale !== undefined && staleMs <= request.maxStale * 1000 ? 'serve' : 'revalidate';
}

/**
 * RFC 9111 section 5.2.1.1: the age is at most the max-age of the request; 0 asks for a validation in any case.
 * RFC 8246 section 2: a reload does not revalidate what is immutable and fresh.
 */
function isTooOld(stock: Stock, { maxAge }: CacheControl, ageMs: number, fresh: boolean): boolean {
  if (maxAge === undefined || (maxAge === 0 && fresh && stock.immutable)) return false;
  return maxAge === 0 || ageMs > maxAge * 1000;
}

/**
 * Returns the directives of a request.
 *
 * RFC 9111 section 5.4: without Cache-Control, "Pragma: no-cache" is "Cache-Control: no-cache".
 */
export function requestDirectives(fields: Fields): CacheControl {
  const field = fieldValue(fields, 'cache-control');
  if (field !== undefined) return parseCacheControl(field);
  const pragma = listMembers(fieldValue(fields, 'pragma')).map((member) => member.toLowerCase());
  return parseCacheControl(pragma.includes('no-cache') ? 'no-cache' : undefined);
}

/** True if the response may be served because the handler failed. RFC 5861 section 4. */
export function helpsOnError(stock: Stock, request: CacheControl | undefined, now: number): boolean {
  // RFC 9111 section 4.2.4: a failure is no reason to pass over no-cache.
  if (stock.revalidateAlways) return false;
  const staleMs = currentAgeMs(stock, now) - stock.lifetimeMs;
  if (staleMs < 0) return true;
  // Nor over must-revalidate, proxy-revalidate and s-maxage.
  if (stock.mustRevalidate) return false;
  // RFC 5861 section 4: a request may have stale-if-error too.
  return staleMs < Math.max(stock.sieMs, (request?.staleIfError ?? 0) * 1000);
}
