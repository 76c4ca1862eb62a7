/** Shows that a cache as users make it can be observed. */

import { createCache } from 'hotshelf';
import { memory } from 'hotshelf/memory';
import { prometheusText } from 'hotshelf/observe';
import { describe, expect, it } from 'vitest';
import { labelKey, parseExposition } from './exposition.ts';

describe('a real cache', () => {
  it('tells of itself and of its namespaces', async () => {
    const cache = createCache({ backend: memory(), ttl: '5m' });
    const cities = cache.namespace('city');
    await cities.get('7', () => 'Paris');
    await cities.get('7', () => 'Paris');
    await cache.get('other', () => 1);
    const families = parseExposition(prometheusText({ all: cache, cities }));
    expect(families.get('hotshelf_misses_total')?.samples).toEqual(
      new Map([
        [labelKey({ cache: 'all' }), 2],
        [labelKey({ cache: 'cities' }), 1],
      ]),
    );
    expect(families.get('hotshelf_hits_total')?.samples.get(labelKey({ cache: 'cities', tier: 'local' }))).toBe(1);
  });
});
