/** Writes members that are only counted in the few bytes that a backend takes. */

import { createHash } from 'node:crypto';
import { wrong } from './checks.ts';

const longestBytes = 256;
const digestMark = '$';

/**
 * Returns `member` as it is, or its digest if it is too long or no text that UTF-8 can hold. Two members never become one.
 *
 * @throws {HotshelfError} `OPTION_INVALID` unless it is a text that is not empty.
 */
export function countedMember(member: unknown, user: string): string {
  if (typeof member !== 'string' || member === '') throw wrong('member', user, 'a text that is not empty', member);
  // UTF-16 has at most three bytes of UTF-8 for each of its units.
  const fits = member.length * 3 <= longestBytes || Buffer.byteLength(member) <= longestBytes;
  if (fits && !member.startsWith(digestMark) && !/\p{Surrogate}/u.test(member)) return member;
  // As UTF-16, which can hold everything that a string can.
  return digestMark + createHash('sha256').update(member, 'utf16le').digest('base64url');
}
