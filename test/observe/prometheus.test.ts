/** Shows that Prometheus can read what is written, and what stands there. */

import * as fc from 'fast-check';
import { createCache } from 'hotshelf';
import { memory } from 'hotshelf/memory';
import { prometheusText } from 'hotshelf/observe';
import { describe, expect, it } from 'vitest';
import { labelKey, parseExposition } from './exposition.ts';
import { busyCache, fakeCache } from './fake-cache.ts';

const golden = `\
# HELP hotshelf_hits_total Reads answered from a fresh entry, by the tier that had it.
# TYPE hotshelf_hits_total counter
hotshelf_hits_total{cache="main",tier="local"} 1001
hotshelf_hits_total{cache="main",tier="remote"} 1002
hotshelf_hits_total{cache="quiet",tier="local"} 0
hotshelf_hits_total{cache="quiet",tier="remote"} 0
# HELP hotshelf_stale_served_total Reads answered from a stale entry within its grace.
# TYPE hotshelf_stale_served_total counter
hotshelf_stale_served_total{cache="main"} 1003
hotshelf_stale_served_total{cache="quiet"} 0
# HELP hotshelf_misses_total Reads that found no usable entry and loaded.
# TYPE hotshelf_misses_total counter
hotshelf_misses_total{cache="main"} 1004
hotshelf_misses_total{cache="quiet"} 0
# HELP hotshelf_collapsed_total Reads that shared the load of another caller.
# TYPE hotshelf_collapsed_total counter
hotshelf_collapsed_total{cache="main"} 1005
hotshelf_collapsed_total{cache="quiet"} 0
# HELP hotshelf_bypasses_total Reads that went to the origin without the cache.
# TYPE hotshelf_bypasses_total counter
hotshelf_bypasses_total{cache="main"} 1006
hotshelf_bypasses_total{cache="quiet"} 0
# HELP hotshelf_loads_total Calls of loaders.
# TYPE hotshelf_loads_total counter
hotshelf_loads_total{cache="main"} 1007
hotshelf_loads_total{cache="quiet"} 0
# HELP hotshelf_failed_loads_total Calls of loaders that failed.
# TYPE hotshelf_failed_loads_total counter
hotshelf_failed_loads_total{cache="main"} 1008
hotshelf_failed_loads_total{cache="quiet"} 0
# HELP hotshelf_refreshes_total Loads that no caller waited for.
# TYPE hotshelf_refreshes_total counter
hotshelf_refreshes_total{cache="main"} 1009
hotshelf_refreshes_total{cache="quiet"} 0
# HELP hotshelf_fills_total Loaded values sent to the backend.
# TYPE hotshelf_fills_total counter
hotshelf_fills_total{cache="main"} 1010
hotshelf_fills_total{cache="quiet"} 0
# HELP hotshelf_refused_fills_total Loaded values not stored because they were invalidated meanwhile.
# TYPE hotshelf_refused_fills_total counter
hotshelf_refused_fills_total{cache="main"} 1011
hotshelf_refused_fills_total{cache="quiet"} 0
# HELP hotshelf_unusable_total Reads that found bytes they could not use.
# TYPE hotshelf_unusable_total counter
hotshelf_unusable_total{cache="main"} 1012
hotshelf_unusable_total{cache="quiet"} 0
# HELP hotshelf_verified_total Hits loaded again to compare them with the origin.
# TYPE hotshelf_verified_total counter
hotshelf_verified_total{cache="main"} 1013
hotshelf_verified_total{cache="quiet"} 0
# HELP hotshelf_inconsistent_total Verified hits that were not what the origin said.
# TYPE hotshelf_inconsistent_total counter
hotshelf_inconsistent_total{cache="main"} 1014
hotshelf_inconsistent_total{cache="quiet"} 0
# HELP hotshelf_read_bytes_total Bytes of encoded values read from the backend.
# TYPE hotshelf_read_bytes_total counter
hotshelf_read_bytes_total{cache="main"} 1015
hotshelf_read_bytes_total{cache="quiet"} 0
# HELP hotshelf_written_bytes_total Bytes of encoded values sent to the backend.
# TYPE hotshelf_written_bytes_total counter
hotshelf_written_bytes_total{cache="main"} 1016
hotshelf_written_bytes_total{cache="quiet"} 0
# HELP hotshelf_unconfirmed Invalidations that the backend has not confirmed yet.
# TYPE hotshelf_unconfirmed gauge
hotshelf_unconfirmed{cache="main"} 1017
hotshelf_unconfirmed{cache="quiet"} 0
# HELP hotshelf_local_entries Entries kept in this process.
# TYPE hotshelf_local_entries gauge
hotshelf_local_entries{cache="main"} 1018
# HELP hotshelf_local_size_bytes Bytes of the entries kept in this process.
# TYPE hotshelf_local_size_bytes gauge
hotshelf_local_size_bytes{cache="main"} 1019
# HELP hotshelf_load_duration_seconds How long loads took since the cache was made, right to about 10 %.
# TYPE hotshelf_load_duration_seconds summary
hotshelf_load_duration_seconds{cache="main",quantile="0.5"} 0.5
hotshelf_load_duration_seconds{cache="main",quantile="0.99"} 1
hotshelf_load_duration_seconds{cache="main",quantile="1"} 1
hotshelf_load_duration_seconds{cache="quiet",quantile="0.5"} 0
hotshelf_load_duration_seconds{cache="quiet",quantile="0.99"} 0
hotshelf_load_duration_seconds{cache="quiet",quantile="1"} 0
`;

/** A cache whose loads took spans that its buckets hold exactly. */
function main() {
  const cache = busyCache();
  const loadMs = { p50: 500, p99: 1000, max: 1000 };
  return { ...cache, stats: () => ({ ...cache.stats(), loadMs }) };
}

describe('the Prometheus text', () => {
  it('is this, to the letter', () => {
    expect(prometheusText({ main: main(), quiet: fakeCache() })).toBe(golden);
  });

  it('is in the format 0.0.4, whatever the names of the caches', () => {
    const name = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('"', '\\', '\n', 'n', ',', '}', '{', '=', ' ', 'é', '\r') }),
    );
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 5 }), (names) => {
        const families = parseExposition(prometheusText(Object.fromEntries(names.map((each) => [each, fakeCache()]))));
        const misses = families.get('hotshelf_misses_total')?.samples ?? new Map<string, number>();
        expect([...misses.keys()].sort()).toEqual(names.map((cache) => labelKey({ cache })).sort());
      }),
      { numRuns: 500 },
    );
  });

  it('has every number of the stats, but for the ratios, which others can make of them', () => {
    const cache = busyCache();
    const written = new Set(
      [...parseExposition(prometheusText({ cache })).values()].flatMap(({ samples }) => [...samples.values()]),
    );
    const { hits, hitRatio, localHitRatio, remoteHitRatio, loadMs, local, ...counts } = cache.stats();
    expect(hits).toBe(counts.localHits + counts.remoteHits);
    expect([hitRatio, localHitRatio, remoteHitRatio].every((ratio) => ratio < 1)).toBe(true);
    expect(Object.keys(counts).length).toBeGreaterThan(16);
    for (const number of [...Object.values(counts), ...Object.values(local ?? {})]) expect(written).toContain(number);
    for (const ms of Object.values(loadMs)) expect(written).toContain(ms / 1000);
  });

  it('is empty without caches', () => {
    expect(prometheusText({})).toBe('');
  });

  it.each([
    [undefined, 'got undefined'],
    [{ main: {} }, 'got an object under "main"'],
    [{ main: fakeCache(), other: 5 }, 'got 5 (number) under "other"'],
    [fakeCache(), 'got a cache without a name'],
    [createCache({ backend: memory() }), 'got a cache without a name'],
  ])('is refused of what is no cache: %#', (caches, message) => {
    // @ts-expect-error what TypeScript does not allow
    const write = () => prometheusText(caches);
    expect(write).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    expect(write).toThrow(message);
  });
});

describe('the reader of this text', () => {
  it.each([
    ['a line that does not end', 'a{c="d"} 1', 'The last line must end'],
    ['an open quote', 'a{c="d"e"} 1\n', 'Not labels'],
    ['a backslash that escapes nothing', 'a{c="\\d"} 1\n', 'Not labels'],
    ['a value that is no number', 'a{c="d"} undefined\n', 'Not a sample'],
    ['a line break in a label', 'a{c="d\ne"} 1\n', 'Not a sample'],
    ['the same sample twice', 'a{c="d"} 1\na{c="d"} 1\n', 'Two samples'],
    ['a sample of another metric', 'b{c="d"} 1\n', 'Not a sample'],
    ['a metric in two places', '# HELP a b\n', 'stands in two places'],
    ['a TYPE without HELP', '# TYPE b counter\n', 'has no HELP'],
  ])('refuses %s (control)', (_, text, message) => {
    expect(() => parseExposition(`# HELP a b\n# TYPE a counter\n${text}`)).toThrow(message);
  });

  it('refuses a sample before any TYPE (control)', () => {
    expect(() => parseExposition('a{c="d"} 1\n')).toThrow('Not a sample');
  });
});
