/** The cities as the routes see them: every read through the cache, every change together with its invalidation. */

import type { Cache, Key, Lookup } from 'hotshelf';
import { cached, invalidates, keyOf } from 'hotshelf/decorators';
import type { City } from './database/database.ts';
import type { Point } from './geo.ts';
import type { CityChange, Country, CountryPage, NearbyCity, Origin } from './origin.ts';

const wellKnown = 500;

const cacheOf = ({ cache }: Cities): Cache => cache;

/** Every list with a city of this country has this tag: there may be hundreds of them, and one command ends them all. */
export const inCountry = ({ country }: Pick<City, 'country'>): Key => ['country', country];

/**
 * What is cached, and what makes it untrue:
 *
 * - `['city', id]`: one city. A change of it.
 * - `['page', country, page]` and `['near', lat, lon]`: a list of cities. A change of any city of a country that it has.
 * - `countries()`: how many cities and people there are. A change of any city.
 * - `largest()`: the ids of those that everybody knows. A change of any city.
 *
 * A method that returns a `Lookup` lets its route tell the client what the cache did. The others look as if there was no cache.
 */
export class Cities {
  readonly cache: Cache;
  readonly #origin: Origin;

  constructor(cache: Cache, origin: Origin) {
    this.cache = cache;
    this.#origin = origin;
  }

  /** One city, or `null`: that there is none is worth remembering too, for a shorter time. */
  city(id: number): Promise<Lookup<City | null>> {
    return this.cache.lookup(['city', id], () => this.#origin.city(id));
  }

  /** Several cities in the order of `ids`: one trip to the cache, and one statement for all that it does not have. */
  async cities(ids: readonly number[]): Promise<City[]> {
    const found = await this.cache.getMany('city', ids, (missing) => this.#origin.cities(missing));
    return found.filter((city) => city !== null && city !== undefined);
  }

  /** One page of a country's cities by population; `null` if there is none. Pages count from 1. */
  page(country: string, page: number): Promise<Lookup<CountryPage | null>> {
    const tags = [inCountry({ country })];
    return this.cache.lookup(['page', country, page], () => this.#origin.page(country, page), { tags });
  }

  /** The ten cities nearest to a point. Round it first (see `toGrid`): every distinct point is an entry of its own. */
  near(point: Point): Promise<Lookup<readonly NearbyCity[]>> {
    // Which countries they lie in is known only when they are loaded.
    const tags = (cities: readonly NearbyCity[]) => cities.map(inCountry);
    return this.cache.lookup(['near', point.lat, point.lon], () => this.#origin.nearest(point), { ttl: '1h', tags });
  }

  /** All countries. It takes the database a while to count, so this is loaded again before it ends, behind its readers. */
  @cached(cacheOf, { ttl: '10m', refresh: 0.8 })
  async countries(): Promise<readonly Country[]> {
    return this.#origin.countries();
  }

  /** The ids of the largest cities, of which the quiz asks. */
  @cached(cacheOf, { ttl: '1h' })
  async largest(): Promise<readonly number[]> {
    return this.#origin.largest(wellKnown);
  }

  /** Changes a city; `null` if it is gone. Once this resolves no instance answers with what was true before. */
  @invalidates(cacheOf, {
    keys(this: Cities, city: City) {
      return [['city', city.id], keyOf(this, 'countries'), keyOf(this, 'largest')];
    },
    tags: (city: City) => [inCountry(city)],
  })
  async change(city: City, change: CityChange): Promise<City | null> {
    return this.#origin.change(city.id, change);
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
