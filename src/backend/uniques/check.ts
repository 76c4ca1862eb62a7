/** Refuses the keys and members that the contract of uniques does not allow, for every adapter in the same words. */

import { HotshelfError } from '../../support/errors.ts';
import { checkKey, checkLifetime, checkSameTag } from '../check.ts';
import { checkMembers } from '../rankings/check.ts';

const mostKeys = 1000;

/** @throws {HotshelfError} `KEY_INVALID` or `OPTION_INVALID` unless these members may be noted. */
export function checkAdd(key: string, members: readonly string[], ttlMs: number): void {
  checkKey(key);
  checkMembers(members);
  checkLifetime(ttlMs);
}

/** @throws {HotshelfError} `KEY_INVALID` or `OPTION_INVALID` unless the members of these keys may be counted together. */
export function checkCount(keys: readonly string[]): void {
  if (keys.length === 0 || keys.length > mostKeys)
    throw new HotshelfError('OPTION_INVALID', `Expected to count 1 to ${mostKeys} keys, got ${keys.length}.`);
  for (const key of keys) checkKey(key);
  if (keys.length > 1) checkSameTag(keys, 'a count');
}
