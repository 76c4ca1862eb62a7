/** The facet that counts how many different members there were, in a space that does not grow with them. */

/**
 * Counts of different members (HyperLogLog): exact for few, within about 2 % for any number.
 *
 * Keys and rejections are those of `Counters`; uniques and other facets must not share keys.
 */
export interface Uniques {
  /**
   * Notes 1 to 1000 members, each any text of up to 256 bytes of UTF-8. The lifetime starts when the key is created and is not
   * extended.
   */
  add(key: string, members: readonly string[], ttlMs: number): Promise<void>;
  /**
   * Returns how many different members were noted under any of 1 to 1000 keys. Several keys must have the same text in their
   * first braces, as `visits:{home}:1` and `visits:{home}:2`, so that one server keeps them.
   */
  count(keys: readonly string[]): Promise<number>;
}
