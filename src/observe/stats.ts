/** Counts what a cache does. */

import { Histogram } from './histogram.ts';

/** Counts since the cache was made. */
export interface CacheStats {
  /** Reads that were answered from a fresh entry, wherever it was: `localHits` and `remoteHits` together. */
  readonly hits: number;
  /** Hits that were answered in this process: by the local tier, or by a memory backend. */
  readonly localHits: number;
  /** Hits that were answered by a server. */
  readonly remoteHits: number;
  /** Reads that were answered from a stale entry within its grace. */
  readonly staleServed: number;
  /** Reads that found no fresh entry and loaded. One that a stale entry answered in the end is counted there too. */
  readonly misses: number;
  /**
   * Reads that shared the load, or the wait, of another caller in this process, or gave up to wait for one in another; likewise.
   */
  readonly collapsed: number;
  /** Reads that went to the origin without the cache. */
  readonly bypasses: number;
  /** Calls of loaders, whoever made them. */
  readonly loads: number;
  readonly failedLoads: number;
  /** Loads that no caller waited for: early and stale refreshes. */
  readonly refreshes: number;
  /** Loaded values that were sent to the backend. */
  readonly fills: number;
  /** Fills that were refused, because the key or a tag was invalidated or taken over during the load. */
  readonly refusedFills: number;
  /** Reads that found bytes which they could not use. */
  readonly unusable: number;
  /** Hits that were loaded again to compare them, and how many of them were not what the origin says. */
  readonly verified: number;
  readonly inconsistent: number;
  /** Bytes of encoded values, without their headers, of hits that were read from the backend and of entries sent to it. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Invalidations that the backend has not confirmed yet. */
  readonly unconfirmed: number;
  /** Answers from an entry, fresh or stale, per read, 0 to 1; 0 before the first read. */
  readonly hitRatio: number;
  /** Hits of the local tier per read, 0 to 1. */
  readonly localHitRatio: number;
  /** Hits of the server per read that the local tier did not answer, 0 to 1. */
  readonly remoteHitRatio: number;
  /** How long loads took, in ms, right to about 10 %; 0 before the first load. */
  readonly loadMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** What the local tier holds now; absent where there is none. */
  readonly local?: LocalSize;
}

/** How much is kept in this process, `bytes` as far as their size is known. */
export interface LocalSize {
  readonly entries: number;
  readonly bytes: number;
}

/** The same, while it is being counted. */
export class Counts {
  localHits = 0;
  remoteHits = 0;
  staleServed = 0;
  misses = 0;
  collapsed = 0;
  bypasses = 0;
  loads = 0;
  failedLoads = 0;
  refreshes = 0;
  fills = 0;
  refusedFills = 0;
  unusable = 0;
  verified = 0;
  inconsistent = 0;
  bytesRead = 0;
  bytesWritten = 0;
  /** Reads that are counted twice: as a load or a wait, and as `staleServed` because that failed or was slow. */
  staleAfterAll = 0;
  readonly loadMs = new Histogram();

  add(other: Counts): void {
    for (const name of countNames) this[name] += other[name];
    this.staleAfterAll += other.staleAfterAll;
    this.loadMs.add(other.loadMs);
  }

  /** What was counted until now. `unconfirmed` and `local` are not counted here, but asked of those who know. */
  snapshot(unconfirmed: number, local?: LocalSize): CacheStats {
    const counts = {} as Record<CountName, number>;
    for (const name of countNames) counts[name] = this[name];
    const hits = this.localHits + this.remoteHits;
    const others = this.staleServed + this.misses + this.collapsed + this.bypasses;
    const reads = hits + others - this.staleAfterAll;
    return {
      ...counts,
      hits,
      unconfirmed,
      hitRatio: ratio(hits + this.staleServed, reads),
      localHitRatio: ratio(this.localHits, reads),
      remoteHitRatio: ratio(this.remoteHits, reads - this.localHits),
      loadMs: this.loadMs.summary(),
      ...(local && { local }),
    };
  }
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

const countNames = [
  'localHits',
  'remoteHits',
  'staleServed',
  'misses',
  'collapsed',
  'bypasses',
  'loads',
  'failedLoads',
  'refreshes',
  'fills',
  'refusedFills',
  'unusable',
  'verified',
  'inconsistent',
  'bytesRead',
  'bytesWritten',
] as const;
type CountName = (typeof countNames)[number];
