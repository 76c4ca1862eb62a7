/** Shows what the real OpenTelemetry collects of caches. */

import { observeWithOpenTelemetry } from 'hotshelf/observe';
import { describe, expect, it } from 'vitest';
import { busyCache, fakeCache } from './fake-cache.ts';
import { meters } from './meters.ts';

const load = { type: 'load', cache: 'default', key: 'hs:secret', behind: false } as const;

describe('a meter', () => {
  it('collects every count by the name of its cache', async () => {
    const { meter, collect } = meters();
    observeWithOpenTelemetry({ meter }, { main: busyCache(), quiet: fakeCache() });
    const found = await collect();
    const values = Object.fromEntries(
      Array.from(found, ([name, { points }]) => [
        name,
        points.map(({ attributes, value }) => [...Object.values(attributes), value].map(String).join(' ')),
      ]),
    );
    expect(values).toEqual({
      'hotshelf.hits': ['main local 1001', 'main remote 1002', 'quiet local 0', 'quiet remote 0'],
      'hotshelf.stale_served': ['main 1003', 'quiet 0'],
      'hotshelf.misses': ['main 1004', 'quiet 0'],
      'hotshelf.collapsed': ['main 1005', 'quiet 0'],
      'hotshelf.bypasses': ['main 1006', 'quiet 0'],
      'hotshelf.loads': ['main 1007', 'quiet 0'],
      'hotshelf.failed_loads': ['main 1008', 'quiet 0'],
      'hotshelf.refreshes': ['main 1009', 'quiet 0'],
      'hotshelf.fills': ['main 1010', 'quiet 0'],
      'hotshelf.refused_fills': ['main 1011', 'quiet 0'],
      'hotshelf.unusable': ['main 1012', 'quiet 0'],
      'hotshelf.verified': ['main 1013', 'quiet 0'],
      'hotshelf.inconsistent': ['main 1014', 'quiet 0'],
      'hotshelf.read': ['main 1015', 'quiet 0'],
      'hotshelf.written': ['main 1016', 'quiet 0'],
      'hotshelf.unconfirmed': ['main 1017', 'quiet 0'],
      'hotshelf.local_entries': ['main 1018'],
      'hotshelf.local_size': ['main 1019'],
    });
    expect(found.get('hotshelf.hits')?.points[0]?.attributes).toEqual({
      'hotshelf.cache': 'main',
      'hotshelf.tier': 'local',
    });
    expect(found.get('hotshelf.read')?.unit).toBe('By');
  });

  it('asks each cache once a collection, and not in between', async () => {
    const { meter, collect } = meters();
    const cache = fakeCache();
    let asked = 0;
    observeWithOpenTelemetry({ meter }, { main: { ...cache, stats: () => ((asked += 1), cache.stats()) } });
    expect(asked).toBe(0);
    await collect();
    expect(asked).toBe(1);
    cache.counts.misses = 5;
    expect((await collect()).get('hotshelf.misses')?.points[0]?.value).toBe(5);
    expect(asked).toBe(2);
  });

  it('has a histogram of the loads that ended, in seconds', async () => {
    const { meter, collect } = meters();
    const cache = fakeCache();
    observeWithOpenTelemetry({ meter }, { main: cache });
    cache.events.emit({ ...load, ms: 30, failed: false });
    cache.events.emit({ ...load, ms: 70, failed: false });
    cache.events.emit({ ...load, ms: 2000, failed: true, error: new Error('secret') });
    cache.events.emit({ type: 'miss', cache: 'default', key: 'hs:secret' });
    const durations = (await collect()).get('hotshelf.load.duration');
    expect(durations?.unit).toBe('s');
    expect(durations?.points.map(({ attributes, value }) => ({ attributes, value }))).toEqual([
      {
        attributes: { 'hotshelf.cache': 'main', 'hotshelf.failed': false },
        value: expect.objectContaining({ count: 2, sum: 0.1, min: 0.03, max: 0.07 }),
      },
      {
        attributes: { 'hotshelf.cache': 'main', 'hotshelf.failed': true },
        value: expect.objectContaining({ count: 1, sum: 2 }),
      },
    ]);
  });

  it('is told nothing more once it is ended, and the caches nobody listens to', async () => {
    const { meter, collect } = meters();
    const cache = fakeCache();
    const end = observeWithOpenTelemetry({ meter }, { main: cache });
    const misses = async () => (await collect()).get('hotshelf.misses')?.points.map(({ value }) => value);
    cache.counts.misses = 1;
    expect(await misses()).toEqual([1]);
    expect(cache.events.observed).toBe(true);
    end();
    end();
    cache.counts.misses = 2;
    // What it was told last, it repeats.
    expect(await misses()).toEqual([1]);
    expect(cache.events.observed).toBe(false);
  });

  it.each([
    [undefined, { main: fakeCache() }, 'the options of observeWithOpenTelemetry() to be an object'],
    [{}, { main: fakeCache() }, 'a `meter`, a `tracer` or both'],
    [{ meters: 1 }, { main: fakeCache() }, 'Did you mean `meter`?'],
    [{ meter: meters().meter }, { main: 7 }, 'got 7 (number) under "main"'],
  ])('is not observed with options that are wrong: %#', (options, caches, message) => {
    // @ts-expect-error what TypeScript does not allow
    const observe = () => observeWithOpenTelemetry(options, caches);
    expect(observe).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    expect(observe).toThrow(message);
  });
});
