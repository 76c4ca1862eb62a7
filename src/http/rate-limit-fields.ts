/** Writes the fields that tell clients their limits: RateLimit-Policy and RateLimit. draft-ietf-httpapi-ratelimit-headers-10. */

import { parseList, serializeInteger, serializeString } from './structured-fields.ts';

/** What is allowed. Section 3. */
export interface QuotaPolicy {
  readonly name: string;
  readonly quota: number;
  readonly windowMs?: number | undefined;
  /** What is counted; `requests` where nothing is said. */
  readonly unit?: 'requests' | 'content-bytes' | 'concurrent-requests' | undefined;
}

/** What is left. Section 4. */
export interface ServiceLimit {
  readonly name: string;
  readonly remaining: number;
  /** After how long there is more. */
  readonly resetMs?: number | undefined;
}

/**
 * Returns the value of RateLimit-Policy.
 *
 * Windows are whole seconds there: others are rounded up, so that nobody is promised more than he gets.
 *
 * @example
 * formatRateLimitPolicy([{ name: 'burst', quota: 100, windowMs: 60_000 }]); // '"burst";q=100;w=60'
 */
export function formatRateLimitPolicy(policies: readonly QuotaPolicy[]): string {
  return policies
    .map(({ name, quota, windowMs, unit }) => {
      const counted = unit === undefined ? '' : `;qu=${serializeString(unit)}`;
      const window = windowMs === undefined ? '' : `;w=${wholeSeconds(windowMs)}`;
      return `${serializeString(name)};q=${count(quota)}${counted}${window}`;
    })
    .join(', ');
}

/**
 * Returns the value of RateLimit.
 *
 * @example
 * formatRateLimit([{ name: 'burst', remaining: 50, resetMs: 29_001 }]); // '"burst";r=50;t=30'
 */
export function formatRateLimit(limits: readonly ServiceLimit[]): string {
  return limits
    .map(({ name, remaining, resetMs }) => {
      const reset = resetMs === undefined || !Number.isFinite(resetMs) ? '' : `;t=${wholeSeconds(resetMs)}`;
      return `${serializeString(name)};r=${count(remaining)}${reset}`;
    })
    .join(', ');
}

/** The names in a field of either kind; `undefined` for one that is no list of items. */
export function policyNames(field: string | undefined): string[] | undefined {
  return parseList(field)?.flatMap((member) => (member.kind === 'item' ? [String(member.bare.value)] : []));
}

/** Retry-After, `w` and `t` know no parts of a second; a client that comes too early has come in vain. */
export function wholeSeconds(ms: number): string {
  return serializeInteger(Math.ceil(Math.max(0, ms) / 1000));
}

function count(value: number): string {
  return serializeInteger(Math.max(0, value));
}
