/** The cities as the routes see them: every read through the cache, every change together with its invalidation. */

import type { Cache, Key, Lookup } from 'hotshelf';
import type { City } from './database/database.ts';
import type { Point } from './geo.ts';
import type { CityChange, Neighbour, Origin } from './origin.ts';

/** An answer, and the cache's part in it. */
export interface Answer<Value> {
  readonly value: Value;
  readonly lookups: readonly Lookup<unknown>[];
}

export interface CountryPage {
  readonly cities: readonly City[];
  /** How many cities the country has. */
  readonly total: number;
}

export interface NearbyCity extends City {
  readonly km: number;
}

export const pageSize = 20;

/**
 * What is cached, and what makes it untrue:
 *
 * - `['city', id]`: the row. A change of the city.
 * - `['country', code]`: the ids of all its cities in their order. A change of a population; a new name moves nobody.
 * - `['near', lat, lon]`: ids and distances. Nothing, because cities do not move.
 *
 * Lists hold ids and never rows, so a change has two keys to invalidate at most, and both are known: no page has to be
 * searched for. The longest list (16,677 ids) is 140 kB; the pages cut from it share its 20 rows with every other reader.
 */
const keys = {
  city: (id: number): Key => ['city', id],
  country: (code: string): Key => ['country', code],
  near: ({ lat, lon }: Point): Key => ['near', lat, lon],
};

export class Cities {
  readonly #cache: Cache;
  readonly #origin: Origin;

  constructor(cache: Cache, origin: Origin) {
    this.#cache = cache;
    this.#origin = origin;
  }

  /** One city, or `null`: that there is none is worth remembering too, for a shorter time. */
  async city(id: number): Promise<Answer<City | null>> {
    const found = await this.#lookupCity(id);
    return { value: found.value, lookups: [found] };
  }

  /** One page of a country's cities by population; `null` if it has none. Pages count from 1. */
  async page(country: string, page: number): Promise<Answer<CountryPage | null>> {
    const ids = await this.#cache.lookup(keys.country(country), async () => {
      const all = await this.#origin.idsOfCountry(country);
      return all.length === 0 ? null : all;
    });
    if (ids.value === null) return { value: null, lookups: [ids] };
    const start = (page - 1) * pageSize;
    const { cities, lookups } = await this.#lookupCities(ids.value.slice(start, start + pageSize));
    return { value: { cities, total: ids.value.length }, lookups: [ids, ...lookups] };
  }

  /** The ten cities nearest to `point`. Round it first (see `toGrid`): every distinct point is an entry of its own. */
  async near(point: Point): Promise<Answer<readonly NearbyCity[]>> {
    const nearest = await this.#cache.lookup(keys.near(point), () => this.#origin.nearest(point), { ttl: '1h' });
    const { cities, lookups } = await this.#lookupCities(nearest.value.map(({ id }) => id));
    const kmOf = new Map(nearest.value.map(({ id, km }: Neighbour) => [id, km]));
    const value = cities.map((city) => Object.assign({}, city, { km: kmOf.get(city.id) ?? 0 }));
    return { value, lookups: [nearest, ...lookups] };
  }

  /** Changes a city. Once this resolves no instance answers with what was true before. */
  async change(id: number, change: CityChange): Promise<City | null> {
    const { value: city } = await this.#lookupCity(id);
    if (city === null) return null;
    const untrue = [keys.city(id)];
    if (change.population !== undefined) untrue.push(keys.country(city.country));
    const changed = await this.#cache.mutate(untrue, () => this.#origin.change(id, change));
    return changed ?? null;
  }

  #lookupCity(id: number): Promise<Lookup<City | null>> {
    return this.#cache.lookup(keys.city(id), async () => (await this.#origin.city(id)) ?? null);
  }

  /** Reads of one moment travel to the backend together, and so do the loads of those that it does not have. */
  async #lookupCities(ids: readonly number[]): Promise<{ cities: City[]; lookups: Lookup<City | null>[] }> {
    const lookups = await Promise.all(ids.map((id) => this.#lookupCity(id)));
    return { cities: lookups.map(({ value }) => value).filter((city) => city !== null), lookups };
  }
}

/**
 * Rounds a point to a hundredth of a degree, about a kilometre. Readers next to each other share an entry that way, and
 * nobody can fill the cache with endless digits; the answer says for which point it is.
 */
export function toGrid({ lat, lon }: Point): Point {
  // 180° is -180°; adding 0 makes 0 of -0.
  const gridLon = Math.round(lon * 100) / 100 + 0;
  return { lat: Math.round(lat * 100) / 100 + 0, lon: gridLon === 180 ? -180 : gridLon };
}
