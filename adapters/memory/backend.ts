/** Puts the facets of one process together: a backend without a server. */

import type { BackendWith, Health } from '../../src/backend/backend.ts';
import { MemoryBus } from './bus.ts';
import { MemoryCounters } from './counters.ts';
import { MemoryLimits } from './limits.ts';
import { readOptions, type MemoryOptions } from './options.ts';
import { MemoryRankings } from './rankings.ts';
import { Store } from './store.ts';
import { MemoryUniques } from './uniques.ts';
import { MemoryValues } from './values.ts';

/** What `memory()` returns. */
export type MemoryBackend = BackendWith<'values' | 'counters' | 'limits' | 'rankings' | 'uniques' | 'bus'>;

/**
 * Returns a backend that keeps everything in this process, for tests, for development and for a site that runs in one
 * process.
 *
 * All facets share the bounds; beyond them, what is least used is evicted (S3-FIFO), counters, uniques and limits too. Rankings alone have
 * a bound of their own, and refuse what is too much. What is stored is not seen by other processes, and goes when the process ends. Bytes are copied on the way in and not on the way out: the
 * bytes of a `get` are the stored ones, to be read only.
 *
 * @throws {HotshelfError} `OPTION_INVALID` when an option is unknown or out of range.
 * @example
 * const backend = memory({ maxBytes: 128 * 1024 * 1024 });
 * await backend.values.set('greeting', new TextEncoder().encode('hello'), 60_000);
 */
export function memory(options: MemoryOptions = {}): MemoryBackend {
  const { clock, maxValueBytes, maxRankedMembers, ...bounds } = readOptions(options);
  const store = new Store({ maxWeight: bounds.maxBytes, maxEntries: bounds.maxEntries }, clock);
  const rankings = new MemoryRankings(store, maxRankedMembers);
  const bus = new MemoryBus(store);
  return {
    name: 'memory',
    values: new MemoryValues(store, maxValueBytes),
    counters: new MemoryCounters(store),
    limits: new MemoryLimits(store),
    rankings,
    uniques: new MemoryUniques(store),
    bus,
    health: async (): Promise<Health> =>
      store.closed ? { ok: false, latencyMs: 0, reason: 'closed by its user' } : { ok: true, latencyMs: 0 },
    // Nothing can happen to a connection that does not exist.
    watch: () => () => {},
    close: async () => {
      bus.close();
      rankings.close();
      store.close();
    },
  };
}
