/** Shows that the registry of the real prom-client tells what the caches counted. */

import { prometheusText, observeWithPromClient } from 'hotshelf/observe';
import * as client from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { labelKey, parseExposition } from './exposition.ts';
import { busyCache, fakeCache } from './fake-cache.ts';

afterEach(() => client.register.clear());

describe('prom-client', () => {
  it('gets what prometheusText writes; only the load duration has another type', async () => {
    const caches = { main: busyCache(), 'quiet "one"\n': fakeCache() };
    observeWithPromClient(client, caches);
    const found = parseExposition(await client.register.metrics());
    const written = parseExposition(prometheusText(caches));
    const duration = 'hotshelf_load_duration_seconds';
    expect(found.get(duration)?.type).toBe('gauge');
    expect(found.get(duration)?.samples).toEqual(written.get(duration)?.samples);
    found.delete(duration);
    written.delete(duration);
    expect(found).toEqual(written);
    expect(found.size).toBeGreaterThan(15);
  });

  it('reads the counts at each scrape, and not in between', async () => {
    const cache = fakeCache();
    let asked = 0;
    const counted = { ...cache, stats: () => ((asked += 1), cache.stats()) };
    const registry = new client.Registry();
    observeWithPromClient(client, { main: counted }, registry);
    expect(asked).toBe(0);
    const misses = async () => {
      const families = parseExposition(await registry.metrics());
      return families.get('hotshelf_misses_total')?.samples.get(labelKey({ cache: 'main' }));
    };
    expect(await misses()).toBe(0);
    const once = asked;
    cache.counts.misses = 3;
    expect(asked).toBe(once);
    expect(await misses()).toBe(3);
    expect(await misses()).toBe(3);
    cache.counts.misses = 4;
    expect(await misses()).toBe(4);
  });

  it('listens to no events, so that a hit costs nothing more', () => {
    const cache = fakeCache();
    observeWithPromClient(client, { main: cache });
    expect(cache.events.observed).toBe(false);
  });

  it('drops the gauges of a local tier that is gone', async () => {
    const cache = busyCache();
    observeWithPromClient(client, { main: cache });
    expect(await client.register.metrics()).toContain('hotshelf_local_entries{cache="main"} 1018');
    cache.local = undefined;
    expect(await client.register.metrics()).not.toContain('hotshelf_local_entries{');
  });

  it('has a registry of the default labels and the other metrics of its owner', async () => {
    const registry = new client.Registry();
    registry.setDefaultLabels({ service: 'atlas' });
    const own = new client.Counter({ name: 'mine_total', help: 'Mine.', registers: [registry] });
    own.inc(2);
    observeWithPromClient(client, { main: busyCache() }, registry);
    const text = await registry.metrics();
    expect(text).toContain('mine_total{service="atlas"} 2');
    expect(text).toContain('hotshelf_misses_total{cache="main",service="atlas"} 1004');
    expect(await client.register.metrics()).not.toContain('hotshelf');
  });

  it('takes out what it added, and only that, and can begin again', async () => {
    const own = new client.Counter({ name: 'hotshelf_mine_total', help: 'Mine.' });
    own.inc();
    const end = observeWithPromClient(client, { main: fakeCache() });
    end();
    end();
    expect([...parseNames(await client.register.metrics())]).toEqual(['hotshelf_mine_total']);
    observeWithPromClient(client, { main: fakeCache() });
    expect(await client.register.metrics()).toContain('hotshelf_misses_total{cache="main"} 0');
  });

  it('leaves nothing of itself behind when the registry has a metric of such a name', async () => {
    const own = new client.Gauge({ name: 'hotshelf_loads_total', help: 'Mine.' });
    own.set(1);
    expect(() => observeWithPromClient(client, { main: fakeCache() })).toThrow('already been registered');
    expect([...parseNames(await client.register.metrics())]).toEqual(['hotshelf_loads_total']);
  });

  it('refuses what is no cache', () => {
    // @ts-expect-error what TypeScript does not allow
    expect(() => observeWithPromClient(client, { main: { stats: 5 } })).toThrow('observeWithPromClient()');
  });
});

function parseNames(text: string): Set<string> {
  return new Set(Array.from(text.matchAll(/^# TYPE (\S+)/gm), ([, name = '']) => name));
}
