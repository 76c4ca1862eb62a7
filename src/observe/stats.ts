/** Counts what a cache does. */

/** Counts since the cache was made. */
export interface CacheStats {
  /** Reads that were answered from an entry. */
  readonly hits: number;
  /** Reads that found no usable entry and loaded. */
  readonly misses: number;
  /** Reads that shared the load, or the wait, of another caller in this process. */
  readonly collapsed: number;
  /** Reads that went to the origin without the cache. */
  readonly bypasses: number;
  /** Calls of loaders, whoever made them. */
  readonly loads: number;
  readonly failedLoads: number;
  /** Loaded values that were sent to the backend. */
  readonly fills: number;
  /** Fills that the backend refused, because the key was invalidated or taken over during the load. */
  readonly refusedFills: number;
  /** Reads that found bytes which they could not use. */
  readonly unusable: number;
  /** Invalidations that the backend has not confirmed yet. */
  readonly unconfirmed: number;
  /** Hits per read, 0 to 1; 0 before the first read. */
  readonly hitRatio: number;
}

/** The same, while it is being counted. */
export class Counts {
  hits = 0;
  misses = 0;
  collapsed = 0;
  bypasses = 0;
  loads = 0;
  failedLoads = 0;
  fills = 0;
  refusedFills = 0;
  unusable = 0;

  add(other: Counts): void {
    for (const name of countNames) this[name] += other[name];
  }

  snapshot(unconfirmed: number): CacheStats {
    const reads = this.hits + this.misses + this.collapsed + this.bypasses;
    const counts = {} as Record<CountName, number>;
    for (const name of countNames) counts[name] = this[name];
    return { ...counts, unconfirmed, hitRatio: reads === 0 ? 0 : this.hits / reads };
  }
}

const countNames = [
  'hits',
  'misses',
  'collapsed',
  'bypasses',
  'loads',
  'failedLoads',
  'fills',
  'refusedFills',
  'unusable',
] as const;
type CountName = (typeof countNames)[number];
