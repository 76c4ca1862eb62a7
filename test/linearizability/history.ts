/** Judges what several processes recorded: no read may return less than what was confirmed before it began. */

/** Times are the machine's monotonic clock in ns, the same in all processes. */
export interface Read {
  readonly key: string;
  readonly startedAt: bigint;
  readonly version: number;
}

export interface Write {
  readonly key: string;
  readonly resolvedAt: bigint;
  readonly version: number;
}

export interface History {
  readonly reads: readonly Read[];
  readonly writes: readonly Write[];
}

export interface Violation extends Read {
  /** The version that was confirmed when the read began. */
  readonly confirmed: number;
}

/** Returns the reads that began after a write of a later version had been confirmed. */
export function violations({ reads, writes }: History): Violation[] {
  const found: Violation[] = [];
  for (const key of new Set(reads.map((read) => read.key))) {
    const ownWrites = writes
      .filter((write) => write.key === key)
      .toSorted((a, b) => Number(a.resolvedAt - b.resolvedAt));
    const ownReads = reads.filter((read) => read.key === key).toSorted((a, b) => Number(a.startedAt - b.startedAt));
    let confirmed = 0;
    let next = 0;
    for (const read of ownReads) {
      for (
        let write = ownWrites[next];
        write !== undefined && write.resolvedAt < read.startedAt;
        write = ownWrites[next]
      ) {
        confirmed = Math.max(confirmed, write.version);
        next += 1;
      }
      if (read.version < confirmed) found.push({ ...read, confirmed });
    }
  }
  return found;
}

/** Puts the records of several processes together. */
export function merge(histories: readonly History[]): History {
  return { reads: histories.flatMap(({ reads }) => reads), writes: histories.flatMap(({ writes }) => writes) };
}
