/** Refuses the keys and lifetimes that the contract does not allow, for every adapter in the same words. */

import { describe, HotshelfError } from '../support/errors.ts';

const longestKey = 240;
const notAllowed = /[^!-~]/;

/** @throws {HotshelfError} `KEY_INVALID` unless `key` is 1 to 240 printable ASCII characters without blanks. */
export function checkKey(key: unknown): void {
  if (typeof key === 'string' && key.length > 0 && key.length <= longestKey && !notAllowed.test(key)) return;
  const given = typeof key === 'string' ? `a string of ${key.length} characters` : describe(key);
  throw new HotshelfError(
    'KEY_INVALID',
    `Expected a key of 1 to 240 printable ASCII characters without blanks, got ${given}.`,
  );
}

/** @throws {HotshelfError} `OPTION_INVALID` unless `ttlMs` is above 0. */
export function checkLifetime(ttlMs: number): void {
  if (ttlMs > 0) return;
  throw new HotshelfError(
    'OPTION_INVALID',
    `Expected \`ttlMs\` to be a number of ms above 0 or Infinity, got ${describe(ttlMs)}.`,
  );
}
