/** Says when something ends that is stored now. */

import { checkLifetime } from '../../src/backend/check.ts';

/** @throws {HotshelfError} `OPTION_INVALID` unless `ttlMs` is above 0. */
export function endOf(ttlMs: number, now: number): number {
  checkLifetime(ttlMs);
  return now + ttlMs;
}
