/** Refuses keys, lifetimes and sizes that the contract does not allow, before anything is sent. */

import { describe, HotshelfError } from '../../src/support/errors.ts';

const longestKey = 240;
const notAllowed = /[^!-~]/;

/** @throws {HotshelfError} `KEY_INVALID` unless `key` is 1 to 240 printable ASCII characters without blanks. */
export function checkKey(key: string): void {
  if (typeof key === 'string' && key.length > 0 && key.length <= longestKey && !notAllowed.test(key)) return;
  throw new HotshelfError(
    'KEY_INVALID',
    `Expected a key of 1 to 240 printable ASCII characters without blanks, got ${describe(key)}.`,
  );
}

/**
 * Returns a lifetime as Redis takes it: whole ms, or nothing for ever.
 *
 * @throws {HotshelfError} `OPTION_INVALID` unless `ttlMs` is above 0.
 */
export function lifetime(ttlMs: number): number | undefined {
  if (!(ttlMs > 0)) {
    throw new HotshelfError(
      'OPTION_INVALID',
      `Expected \`ttlMs\` to be a number of ms above 0 or Infinity, got ${describe(ttlMs)}.`,
    );
  }
  // Redis adds its clock to it in 64 bits; 2^53 ms are 285,000 years.
  return ttlMs < Number.MAX_SAFE_INTEGER ? Math.ceil(ttlMs) : undefined;
}
