/** What a read found: the value, and where it came from. */

import type { BypassReason, StaleReason } from '../observe/events.ts';

/**
 * - `hit`: a fresh entry; `stale`: one whose ttl is over, within its grace;
 * - `miss`: this caller loaded; `collapsed`: another caller's load or wait, in this process;
 * - `bypass`: the origin, past the cache.
 */
export type LookupStatus = 'hit' | 'stale' | 'miss' | 'collapsed' | 'bypass';

export interface Lookup<Value> {
  readonly value: Value;
  readonly status: LookupStatus;
  /** Why the cache was passed, for a `bypass`; why a stale entry was good enough, for `stale`. */
  readonly reason?: BypassReason | StaleReason;
  /** Whether the value was sent to the backend by this read. */
  readonly stored: boolean;
  /** How old the value is, in ms. */
  readonly ageMs: number;
  /** How long it stays fresh, in ms; 0 for what is not cached, 0 or below for what is stale. */
  readonly ttlMs: number;
}

/** A lookup before anybody knows which type its value has. */
export type Found = Lookup<unknown>;
