/** Refuses keys and lifetimes that the contract does not allow. */

import { describe, HotshelfError } from '../../src/support/errors.ts';

const keyPattern = /^[!-~]{1,240}$/;

/** @throws {HotshelfError} `KEY_INVALID` unless `key` is 1 to 240 printable ASCII characters without blanks. */
export function checkKey(key: unknown): void {
  if (typeof key === 'string' && keyPattern.test(key)) return;
  throw new HotshelfError(
    'KEY_INVALID',
    `Expected a key of 1 to 240 printable ASCII characters without blanks, got ${describe(key)}.`,
  );
}

/**
 * Returns when something ends that is stored now for `ttlMs`.
 *
 * @throws {HotshelfError} `OPTION_INVALID` unless `ttlMs` is above 0.
 */
export function endOf(ttlMs: number, now: number): number {
  if (ttlMs > 0) return now + ttlMs;
  throw new HotshelfError(
    'OPTION_INVALID',
    `Expected \`ttlMs\` to be a number of ms above 0 or Infinity, got ${describe(ttlMs)}.`,
  );
}
