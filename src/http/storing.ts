/** Decides whether a response may be stored, and for how long it may be used in which way. RFC 9111 section 3. */

import { type CacheControl, parseCacheControl } from './cache-control.ts';
import { fieldValue, isToken, listMembers, type RequestHead, type ResponseHead } from './fields.ts';
import {
  type FreshnessRules,
  governedLifetime,
  initialAgeMs,
  isHeuristicallyCacheable,
  type Lifetime,
} from './freshness.ts';
import { parseHttpDate } from './http-date.ts';
import { heuristicallyCacheable, neverStored, understood } from './statuses.ts';
import { governing } from './targeted.ts';

export interface StoreRules extends FreshnessRules {
  /**
   * The code says how long, counted from the arrival. It replaces what the response says of its lifetime, and nothing else:
   * no-store, private, no-cache, Authorization, Set-Cookie and `Vary: *` still count.
   */
  readonly ttlMs?: number | undefined;
  /** Use after the lifetime if the handler fails. With `ttlMs` instead of stale-if-error, else where there is none. */
  readonly graceMs?: number | undefined;
  /** Use after the lifetime while it is refreshed. With `ttlMs` instead of stale-while-revalidate, else where there is none. */
  readonly swrMs?: number | undefined;
  /** The answers are for everybody, or the key names whom they are for: Authorization is no obstacle. */
  readonly authorized: boolean;
  /** A 5xx with a lifetime of its own is stored. */
  readonly storeErrors: boolean;
  readonly storeSetCookie: boolean;
  /** How long a stale response with a validator is kept so that it can be revalidated. */
  readonly keepStaleMs: number;
  /** Directives of requests are honoured: their no-store is obeyed, and for their max-stale stale responses are kept. */
  readonly requestDirectives?: boolean | undefined;
}

export type StoreRefusal =
  | 'method'
  | 'status'
  | 'partial'
  | 'no-store'
  | 'private'
  | 'authorization'
  | 'set-cookie'
  | 'vary'
  | 'no-lifetime';

export interface StoragePlan {
  /** The freshness lifetime, counted from when the origin made the response. */
  readonly lifetimeMs: number;
  /** How old it was when it arrived. */
  readonly ageMs: number;
  /** How long after the lifetime it may be served while it is refreshed. */
  readonly swrMs: number;
  /** How long after the lifetime it may be served if the handler fails. */
  readonly sieMs: number;
  /** Fresh or not, it is served only after the origin was asked (no-cache). */
  readonly revalidateAlways: boolean;
  /** Once stale it is served only after the origin was asked, whatever the request allows. */
  readonly mustRevalidate: boolean;
  readonly immutable: boolean;
  /** How long after the lifetime it is worth keeping. */
  readonly keepMs: number;
  /** The request fields that select it: in lower case, sorted, each once. */
  readonly vary: readonly string[];
}

export interface StoreTimes {
  /** When the request was sent, in epoch ms. */
  readonly requestedAt: number;
  /** When the head of the response arrived, in epoch ms. */
  readonly respondedAt: number;
}

/**
 * Returns what to do with a response that is stored, or why it is not.
 *
 * @example
 * planStorage(
 *   { method: 'GET', fields: {} },
 *   { status: 200, fields: { 'cache-control': 'max-age=60, stale-if-error=600' } },
 *   { targets: [], heuristic: false, authorized: false, storeErrors: false, storeSetCookie: false, keepStaleMs: 0 },
 *   { requestedAt: now, respondedAt: now },
 * ); // { lifetimeMs: 60_000, ageMs: 0, swrMs: 0, sieMs: 600_000, keepMs: 600_000, … }
 */
export function planStorage(
  request: RequestHead,
  response: ResponseHead,
  rules: StoreRules,
  times: StoreTimes,
): StoragePlan | StoreRefusal {
  const governed = governing(response.fields, rules.targets);
  const { directives } = governed;
  const stated = governedLifetime(response, governed, rules.heuristic, times.respondedAt);
  const vary = varyNames(response);
  const refusal =
    statusRefusal(request, response, rules, directives, stated) ?? fieldRefusal(request, response, rules, directives);
  if (refusal !== undefined) return refusal;
  if (vary === undefined) return 'vary';

  const ageMs = initialAgeMs(response.fields, times.requestedAt, times.respondedAt);
  // What the code allows counts from now on, however old the response says it is: its Age stays true that way.
  const lifetimeMs = rules.ttlMs === undefined ? stated.ms : rules.ttlMs + ageMs;
  const uses = staleUses(directives, rules);
  // A validator lets it be revalidated later: after the lifetime, or from now on if that is over already.
  const validated = hasValidator(response);
  const revalidatedMs = validated ? Math.max(0, ageMs - lifetimeMs) + rules.keepStaleMs : 0;
  const keepMs = Math.max(uses.swrMs, uses.sieMs, revalidatedMs);
  const isOfUse = lifetimeMs + keepMs > ageMs && (validated || !uses.revalidateAlways);
  if (!isOfUse || !isMeantToBeStored(response, rules, directives, stated)) return 'no-lifetime';
  // RFC 9111 section 5.2.1.2: max-stale of a request may want what is of no other use any more.
  const wantedStaleMs = rules.requestDirectives === true && !uses.mustRevalidate ? rules.keepStaleMs : 0;
  return { lifetimeMs, ageMs, ...uses, immutable: directives.immutable, keepMs: Math.max(keepMs, wantedStaleMs), vary };
}

function statusRefusal(
  request: RequestHead,
  { status }: ResponseHead,
  rules: StoreRules,
  directives: CacheControl,
  stated: Lifetime,
): StoreRefusal | undefined {
  // RFC 9111 section 3: the method is understood. An answer to HEAD has no content to store.
  if (request.method !== 'GET') return 'method';
  // RFC 9111 section 3.3: an incomplete response is stored only by a cache that handles ranges of it.
  if (status === 206) return 'partial';
  // RFC 9111 section 3: the status is final.
  if (!(status >= 200 && status <= 599) || neverStored.has(status)) return 'status';
  // RFC 9111 section 5.2.2.3: with must-understand, only a status whose rules are known here.
  if (directives.mustUnderstand && !understood.has(status)) return 'status';
  if (status >= 500 && !rules.storeErrors) return 'status';
  // A ttl in code speaks of the good answers of a route: a redirect to a login or a 403 needs a lifetime of its own.
  const isExplicit = stated.source !== 'none' && stated.source !== 'heuristic';
  const isMeant = heuristicallyCacheable.has(status) || (isExplicit ? stated.ms > 0 : directives.public);
  return rules.ttlMs !== undefined && !isMeant ? 'status' : undefined;
}

function fieldRefusal(
  request: RequestHead,
  response: ResponseHead,
  rules: StoreRules,
  directives: CacheControl,
): StoreRefusal | undefined {
  // RFC 9111 section 5.2.2.3: a cache that knows must-understand and the status ignores the no-store beside it.
  if (directives.noStore && !directives.mustUnderstand) return 'no-store';
  // RFC 9111 section 5.2.1.5: no-store of a request. Directives of requests are advisory.
  if (rules.requestDirectives === true && parseCacheControl(fieldValue(request.fields, 'cache-control')).noStore) {
    return 'no-store';
  }
  // RFC 9111 section 5.2.2.7: not in a shared cache. The qualified form only takes fields away.
  if (directives.private) return 'private';
  // RFC 9111 section 3.5: only where the response says that a shared cache may.
  const shared = directives.public || directives.mustRevalidate || directives.sMaxage !== undefined;
  if (fieldValue(request.fields, 'authorization') !== undefined && !rules.authorized && !shared) return 'authorization';
  // RFC 9111 section 7.3 leaves cookies to the origin's directives; by default they are for one client here.
  if (fieldValue(response.fields, 'set-cookie') !== undefined && !rules.storeSetCookie) return 'set-cookie';
  return undefined;
}

/** RFC 9111 section 4.1: "*" matches no other request; nor does a name that is none. */
function varyNames(response: ResponseHead): readonly string[] | undefined {
  const names = new Set(listMembers(fieldValue(response.fields, 'vary')).map((name) => name.toLowerCase()));
  for (const name of names) if (name === '*' || !isToken(name)) return undefined;
  return [...names].sort();
}

function staleUses(
  directives: CacheControl,
  { ttlMs, swrMs, graceMs }: StoreRules,
): Pick<StoragePlan, 'swrMs' | 'sieMs' | 'revalidateAlways' | 'mustRevalidate'> {
  const revalidateAlways = directives.noCache;
  // RFC 9111 section 5.2.2.10: s-maxage means proxy-revalidate too, where it is what the lifetime comes from.
  const sMaxageCounts = directives.sMaxage !== undefined && ttlMs === undefined;
  // RFC 9111 section 4.2.4: with any of these nothing stale is served, and RFC 5861 changes none of it.
  const mustRevalidate = revalidateAlways || directives.mustRevalidate || directives.proxyRevalidate || sMaxageCounts;
  if (mustRevalidate) return { revalidateAlways, mustRevalidate, swrMs: 0, sieMs: 0 };
  const inCode = ttlMs !== undefined;
  return {
    revalidateAlways,
    mustRevalidate,
    swrMs: preferred(inCode, swrMs, directives.staleWhileRevalidate),
    sieMs: preferred(inCode, graceMs, directives.staleIfError),
  };
}

function preferred(inCode: boolean, ruleMs: number | undefined, statedSeconds: number | undefined): number {
  const statedMs = statedSeconds === undefined ? undefined : statedSeconds * 1000;
  return (inCode ? (ruleMs ?? statedMs) : (statedMs ?? ruleMs)) ?? 0;
}

/**
 * RFC 9111 section 4.3.1: what a conditional request can be made with.
 *
 * RFC 9110 section 15.4.5: a 304 means that the answer would have been a 200, so it confirms no other status: the page that was
 * missing may be there by now, and have the same entity tag because it is as empty.
 */
function hasValidator(response: ResponseHead): boolean {
  if (response.status !== 200) return false;
  const etag = fieldValue(response.fields, 'etag');
  if (etag !== undefined && etag !== '') return true;
  return parseHttpDate(fieldValue(response.fields, 'last-modified')) !== undefined;
}

/**
 * RFC 9111 section 3: it has public, a lifetime, or a status that may be stored without one. Nothing is stored here unless
 * somebody says so: the code, the response, or the rule that takes a lifetime from Last-Modified.
 */
function isMeantToBeStored(
  response: ResponseHead,
  rules: StoreRules,
  directives: CacheControl,
  stated: Lifetime,
): boolean {
  if (rules.ttlMs !== undefined || directives.public || stated.source !== 'none') return true;
  return (rules.heuristic || directives.noCache) && isHeuristicallyCacheable(response.status, directives);
}
