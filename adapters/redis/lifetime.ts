/** Writes lifetimes as Redis takes them. */

import { checkLifetime } from '../../src/backend/check.ts';

/**
 * Returns whole ms, or nothing for ever.
 *
 * @throws {HotshelfError} `OPTION_INVALID` unless `ttlMs` is above 0.
 */
export function lifetime(ttlMs: number): number | undefined {
  checkLifetime(ttlMs);
  // Redis adds its clock to it in 64 bits; 2^53 ms are 285,000 years.
  return ttlMs < Number.MAX_SAFE_INTEGER ? Math.ceil(ttlMs) : undefined;
}
