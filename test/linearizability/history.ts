/** Judges what several processes recorded: which reads returned less than what was confirmed before they began, and how late. */

/** Times are the machine's monotonic clock in ms, the same in all processes. */
export interface Read {
  readonly key: string;
  readonly startedAt: number;
  readonly version: number;
}

export interface Write {
  readonly key: string;
  readonly resolvedAt: number;
  readonly version: number;
}

export interface History {
  readonly reads: readonly Read[];
  readonly writes: readonly Write[];
}

export interface StaleRead extends Read {
  /** How long before the read began a later version was confirmed, in ms. */
  readonly lagMs: number;
}

/** The machine's monotonic clock in ms. */
export function machineNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/**
 * Returns the reads that began after a write of a later version had been confirmed.
 *
 * @param boundMs leaves out those that began within so many ms after it
 */
export function staleReads({ reads, writes }: History, boundMs = 0): StaleRead[] {
  const outdatedAt = new Map<string, number[]>();
  for (const key of new Set(writes.map((write) => write.key))) {
    outdatedAt.set(key, outdatedTimes(writes.filter((write) => write.key === key)));
  }
  return reads.flatMap((read) => {
    const at = outdatedAt.get(read.key)?.[read.version];
    return at !== undefined && read.startedAt - at > boundMs ? [{ ...read, lagMs: read.startedAt - at }] : [];
  });
}

/** Returns, by version, when the first write of any later version had been confirmed. */
function outdatedTimes(writes: readonly Write[]): number[] {
  const times: number[] = [];
  const last = Math.max(...writes.map((write) => write.version));
  const confirmedAt = new Map(writes.map((write) => [write.version, write.resolvedAt]));
  let earliest = Infinity;
  for (let version = last; version > 0; version -= 1) {
    earliest = Math.min(earliest, confirmedAt.get(version) ?? Infinity);
    times[version - 1] = earliest;
  }
  return times;
}

/** Puts the records of several processes together. */
export function merge(histories: readonly History[]): History {
  return { reads: histories.flatMap(({ reads }) => reads), writes: histories.flatMap(({ writes }) => writes) };
}

/** How late the stale reads were, in ms, as text for a table. */
export function describeLags(stale: readonly StaleRead[]): string {
  const sorted = stale.map(({ lagMs }) => lagMs).toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.ceil(sorted.length * share) - 1] ?? 0).toFixed(1);
  return `lag p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`;
}
