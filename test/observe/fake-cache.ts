/** A cache that counts and tells what a test wants. */

import type { Observable } from 'hotshelf/observe';
import type { CacheEvent } from '../../src/observe/events.ts';
import { Counts, type LocalSize } from '../../src/observe/stats.ts';
import { Emitter } from '../../src/support/emitter.ts';

export interface FakeCache extends Observable {
  readonly counts: Counts;
  readonly events: Emitter<CacheEvent>;
  unconfirmed: number;
  local: LocalSize | undefined;
}

export function fakeCache(): FakeCache {
  const counts = new Counts();
  const events = new Emitter<CacheEvent>();
  return {
    counts,
    events,
    unconfirmed: 0,
    local: undefined,
    stats() {
      return counts.snapshot(this.unconfirmed, this.local);
    },
    on: (listener) => events.on(listener),
  };
}

/** A cache of which every number is another one. */
export function busyCache(): FakeCache {
  const cache = fakeCache();
  const { counts } = cache;
  counts.localHits = 1001;
  counts.remoteHits = 1002;
  counts.staleServed = 1003;
  counts.misses = 1004;
  counts.collapsed = 1005;
  counts.bypasses = 1006;
  counts.loads = 1007;
  counts.failedLoads = 1008;
  counts.refreshes = 1009;
  counts.fills = 1010;
  counts.refusedFills = 1011;
  counts.unusable = 1012;
  counts.verified = 1013;
  counts.inconsistent = 1014;
  counts.bytesRead = 1015;
  counts.bytesWritten = 1016;
  cache.unconfirmed = 1017;
  cache.local = { entries: 1018, bytes: 1019 };
  for (let ms = 1; ms <= 100; ms += 1) counts.loadMs.record(ms * 10);
  return cache;
}
