/** Tells which bucket a name belongs to that somebody typed: a login name, an e-mail address. */

/** Longer names share a bucket when they begin alike: what is longer is no name. */
const longestName = 256;

/**
 * Returns the bucket of a name: without the difference between upper and lower case, between compatible characters (NFKC), and
 * without blanks around it, double blanks and characters that cannot be seen. Anything but a string is `''`.
 *
 * @example
 * nameBucket(' ALICE@Example.com '); // 'alice@example.com'
 */
export function nameBucket(name: unknown): string {
  if (typeof name !== 'string') return '';
  const folded = name.slice(0, longestName).normalize('NFKC').replaceAll(unseen, '').toUpperCase().toLowerCase();
  return folded.normalize('NFKC').replaceAll(/\s+/g, ' ').trim();
}

const unseen = /\p{Default_Ignorable_Code_Point}|[^\P{Cc}\s]/gu;
