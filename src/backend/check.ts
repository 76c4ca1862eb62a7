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

/**
 * Two keys without braces may lie on two servers of a Redis Cluster, and what works in a test must work there too.
 *
 * @param what they are the keys of, as it stands in the error
 * @throws {HotshelfError} `KEY_INVALID` unless `keys` differ and all have the same text in their first braces.
 */
export function checkSameTag(keys: readonly string[], what: string): void {
  const tag = tagOf(keys[0] ?? '');
  if (tag === undefined || keys.some((key) => tagOf(key) !== tag)) {
    throw new HotshelfError(
      'KEY_INVALID',
      `Expected all keys of ${what} to have the same text in braces, such as "api:{user:7}:minute", so that one server keeps them.`,
    );
  }
  if (new Set(keys).size === keys.length) return;
  throw new HotshelfError('KEY_INVALID', `Expected the keys of ${what} to differ from each other.`);
}

/** What a Redis Cluster hashes of a key: the text in its first braces. */
export function tagOf(key: string): string | undefined {
  const open = key.indexOf('{');
  const close = key.indexOf('}', open + 1);
  return open === -1 || close <= open + 1 ? undefined : key.slice(open + 1, close);
}
