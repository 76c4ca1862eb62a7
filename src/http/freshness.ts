/** Says how long a response is fresh, and how old it was when it arrived. RFC 9111 section 4.2. */

import { type CacheControl, deltaSeconds } from './cache-control.ts';
import { type Fields, fieldValue, listMembers, type ResponseHead } from './fields.ts';
import { parseHttpDate } from './http-date.ts';
import { heuristicallyCacheable } from './statuses.ts';
import { type Governing, governing } from './targeted.ts';

export interface FreshnessRules {
  /** Targeted fields that are obeyed before Cache-Control, the first one first. RFC 9213. */
  readonly targets: readonly string[];
  /** A response that says nothing gets a lifetime by its Last-Modified. RFC 9111 section 4.2.2. */
  readonly heuristic: boolean;
}

export interface Lifetime {
  readonly ms: number;
  readonly source: 'targeted' | 's-maxage' | 'max-age' | 'expires' | 'heuristic' | 'none';
}

/** Returns the freshness lifetime; 0 where it is invalid. RFC 9111 section 4.2.1. */
export function lifetimeOf(response: ResponseHead, rules: FreshnessRules, respondedAt: number): Lifetime {
  return governedLifetime(response, governing(response.fields, rules.targets), rules.heuristic, respondedAt);
}

/** The same, where the governing directives are known. */
export function governedLifetime(
  response: ResponseHead,
  { directives, target }: Governing,
  heuristic: boolean,
  respondedAt: number,
): Lifetime {
  const { sMaxage, maxAge } = directives;
  // RFC 9111 section 4.2.1: the first match of these is used.
  const stated = sMaxage ?? maxAge;
  if (stated !== undefined) {
    return {
      ms: stated * 1000,
      source: target !== undefined ? 'targeted' : sMaxage !== undefined ? 's-maxage' : 'max-age',
    };
  }
  // RFC 9213 section 2.2: with a targeted field, Expires is ignored.
  const expires = target === undefined ? fieldValue(response.fields, 'expires') : undefined;
  if (expires !== undefined) return { ms: expiresIn(expires, response.fields, respondedAt), source: 'expires' };
  // RFC 9111 section 4.2.2: no heuristic where an expiration time is explicit, and none for a status that does not allow it.
  if (heuristic && isHeuristicallyCacheable(response.status, directives)) {
    const ms = heuristicMs(response.fields, respondedAt);
    if (ms !== undefined) return { ms, source: 'heuristic' };
  }
  return { ms: 0, source: 'none' };
}

/**
 * RFC 9111 section 5.3: an invalid date, "0" in particular, is one in the past. Two lines are no date either.
 * Section 4.2.1: it counts from Date, or from the arrival where there is no valid Date.
 */
function expiresIn(expires: string, fields: Fields, respondedAt: number): number {
  const expiresAt = parseHttpDate(expires, respondedAt);
  if (expiresAt === undefined) return 0;
  const date = dateOf(fields, respondedAt) ?? respondedAt;
  return Math.min(Math.max(0, expiresAt - date), longestMs);
}

/** RFC 9111 section 4.2.2: a typical setting is 10 % of the time since the last modification; here at most a day. */
function heuristicMs(fields: Fields, respondedAt: number): number | undefined {
  const modifiedAt = parseHttpDate(fieldValue(fields, 'last-modified'), respondedAt);
  if (modifiedAt === undefined) return undefined;
  const unchangedMs = (dateOf(fields, respondedAt) ?? respondedAt) - modifiedAt;
  return Math.min(Math.max(0, Math.floor(unchangedMs / 10)), longestHeuristicMs);
}

/** RFC 9110 section 15.1 lists these; RFC 9111 section 4.2.2: any status where the response is marked as public. */
export function isHeuristicallyCacheable(status: number, directives: CacheControl): boolean {
  return directives.public || heuristicallyCacheable.has(status);
}

/**
 * Returns how old the response was when it arrived, in ms: by what its Age says and the time it took, or by its Date, whichever
 * is more. RFC 9111 section 4.2.3, `corrected_initial_age`.
 */
export function initialAgeMs(fields: Fields, requestedAt: number, respondedAt: number): number {
  const date = dateOf(fields, respondedAt);
  // A Date has no fraction of a second: the clock it is compared with must have none either.
  const apparentAgeMs = date === undefined ? 0 : Math.floor(respondedAt / 1000) * 1000 - date;
  const correctedAgeMs = ageSeconds(fields) * 1000 + Math.max(0, respondedAt - requestedAt);
  return Math.max(0, apparentAgeMs, correctedAgeMs);
}

/** RFC 9111 section 5.1: of a list the first member is used, and what is then no number of seconds is ignored. */
function ageSeconds(fields: Fields): number {
  return deltaSeconds(listMembers(fieldValue(fields, 'age'))[0]) ?? 0;
}

function dateOf(fields: Fields, now: number): number | undefined {
  return parseHttpDate(fieldValue(fields, 'date'), now);
}

// RFC 9111 section 1.2.2: as a number of seconds, nothing is above 2^31.
const longestMs = 2 ** 31 * 1000;
const longestHeuristicMs = 86_400_000;
