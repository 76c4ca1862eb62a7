/** Refuses the keys and members that the contract of uniques does not allow, for every adapter in the same words. */

import { HotshelfError } from '../../support/errors.ts';
import { checkKey, checkLifetime, checkSameTag } from '../check.ts';
import { checkMember } from '../rankings/check.ts';

/** Members of one call, and keys of one count. */
const mostAtOnce = 1000;

/** @throws {HotshelfError} `OPTION_INVALID` or `KEY_INVALID` unless these members may be noted. */
export function checkAdd(key: string, members: readonly string[], ttlMs: number): void {
  checkKey(key);
  checkLifetime(ttlMs);
  checkNumber('members', members.length);
  for (const member of members) if (member !== '') checkMember(member);
}

/** @throws {HotshelfError} `OPTION_INVALID` or `KEY_INVALID` unless these keys may be counted together. */
export function checkCount(keys: readonly string[]): void {
  checkNumber('keys', keys.length);
  for (const key of keys) checkKey(key);
  if (keys.length > 1) checkSameTag(keys, 'uniques');
}

function checkNumber(name: string, number: number): void {
  if (number > 0 && number <= mostAtOnce) return;
  throw new HotshelfError('OPTION_INVALID', `Expected \`${name}\` to be 1 to ${mostAtOnce}, got ${number}.`);
}
