/** The facet for numbers that many processes add to. */

/**
 * Atomic counters: whole numbers from 0 to 2^53 - 1. A key that is not there counts as 0.
 *
 * Rejects as `Values` does. After `OUTCOME_UNKNOWN` an addition was applied once or not at all, never twice.
 * Counters and values must not share keys.
 */
export interface Counters {
  /**
   * Adds `by`, a whole number, and returns the sum. The lifetime starts when the key is created and is not extended.
   * A sum below 0 becomes 0.
   */
  add(key: string, by: number, ttlMs: number): Promise<number>;
  /** Returns the counts in the order of `keys`. */
  read(keys: readonly string[]): Promise<number[]>;
}
