/** Shows what the numbers of a cache say about each other. */

import { describe, expect, it } from 'vitest';
import { Counts } from '../../src/observe/stats.ts';
import { busyCache } from './fake-cache.ts';

describe('the counts of a cache', () => {
  it('are all 0 at the start, and no ratio is a division by 0', () => {
    expect(new Counts().snapshot(0)).toEqual({
      hits: 0,
      localHits: 0,
      remoteHits: 0,
      staleServed: 0,
      misses: 0,
      collapsed: 0,
      bypasses: 0,
      loads: 0,
      failedLoads: 0,
      refreshes: 0,
      fills: 0,
      refusedFills: 0,
      unusable: 0,
      verified: 0,
      inconsistent: 0,
      bytesRead: 0,
      bytesWritten: 0,
      unconfirmed: 0,
      hitRatio: 0,
      localHitRatio: 0,
      remoteHitRatio: 0,
      loadMs: { p50: 0, p99: 0, max: 0 },
    });
  });

  it('give ratios of what each tier was asked', () => {
    const counts = new Counts();
    counts.localHits = 50;
    counts.remoteHits = 20;
    counts.staleServed = 10;
    counts.misses = 10;
    counts.collapsed = 6;
    counts.bypasses = 4;
    const stats = counts.snapshot(0);
    expect(stats).toMatchObject({ hits: 70, hitRatio: 0.8, localHitRatio: 0.5, remoteHitRatio: 0.4 });
  });

  it('add up, every one of them, and the spans of loads', () => {
    const one = busyCache();
    const sum = new Counts();
    sum.add(one.counts);
    expect(sum.snapshot(1017, one.local)).toEqual(one.stats());
    sum.add(one.counts);
    const twice = sum.snapshot(0);
    const { unconfirmed, hitRatio, localHitRatio, remoteHitRatio, loadMs, local, ...counts } = one.stats();
    for (const [name, count] of Object.entries(counts)) expect(twice, name).toHaveProperty(name, count * 2);
    expect(twice).toMatchObject({ hitRatio, localHitRatio, remoteHitRatio, loadMs, unconfirmed: 0 });
    expect([unconfirmed, local]).toEqual([1017, { entries: 1018, bytes: 1019 }]);
  });

  it('have the size of the local tier only where there is one', () => {
    expect(new Counts().snapshot(0)).not.toHaveProperty('local');
    expect(new Counts().snapshot(0, { entries: 2, bytes: 3 }).local).toEqual({ entries: 2, bytes: 3 });
  });

  it('do not change once they were handed out', () => {
    const counts = new Counts();
    const before = counts.snapshot(0);
    counts.misses += 1;
    counts.loadMs.record(5);
    expect(before).toMatchObject({ misses: 0, loadMs: { max: 0 } });
  });
});
