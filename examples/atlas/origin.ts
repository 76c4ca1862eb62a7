/** The truth: every SQL statement of the atlas, and how many were run. */

import type { City, Database, SqlValue } from './database/database.ts';
import { boxAround, distanceKm, farthestKm, type Point } from './geo.ts';

export interface CountryPage {
  readonly cities: readonly City[];
  /** How many cities the country has. */
  readonly total: number;
}

export interface NearbyCity extends City {
  readonly km: number;
}

export interface Country {
  /** Two letters, ISO 3166-1. */
  readonly code: string;
  /** How many it has. */
  readonly cities: number;
  /** How many people live in them. */
  readonly population: number;
}

/** What may be changed about a city; what is left out stays as it is. */
export interface CityChange {
  readonly name?: string | undefined;
  readonly population?: number | undefined;
}

export interface OriginOptions {
  /** Runs before each statement, so that a test can make the database slow. */
  readonly beforeQuery?: (() => Promise<void>) | undefined;
}

export const pageSize = 20;

const columns = 'id, name, country, population, latitude, longitude';
const neighbourCount = 10;
/** Wider and wider, until enough cities are certainly inside. */
const searchRadiiKm = [25, 100, 400, 1600, 6400, farthestKm];

export class Origin {
  /** Statements since the start. */
  queries = 0;
  readonly #database: Database;
  readonly #beforeQuery: OriginOptions['beforeQuery'];

  constructor(database: Database, options: OriginOptions = {}) {
    this.#database = database;
    this.#beforeQuery = options.beforeQuery;
  }

  /** One city, or `null`. */
  async city(id: number): Promise<City | null> {
    const [city] = await this.#query<City>(`select ${columns} from atlas_city where id = $1`, [id]);
    return city ?? null;
  }

  /** The cities with these ids, in their order; `null` where there is none. */
  async cities(ids: readonly number[]): Promise<(City | null)[]> {
    const places = ids.map((_id, index) => `$${index + 1}`).join(', ');
    const cities = await this.#query<City>(`select ${columns} from atlas_city where id in (${places})`, ids);
    const byId = new Map(cities.map((city) => [city.id, city]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  /** The ids of the largest cities of the world. */
  async largest(count: number): Promise<number[]> {
    const sql = 'select id from atlas_city order by population desc, id limit $1';
    return (await this.#query<{ id: number }>(sql, [count])).map(({ id }) => id);
  }

  /** One page of a country's cities, the largest first; `null` if there is none. */
  async page(country: string, page: number): Promise<CountryPage | null> {
    const [cities, counts] = await Promise.all([
      this.#query<City>(
        `select ${columns} from atlas_city where country = $1 order by population desc, id limit $2 offset $3`,
        [country, pageSize, (page - 1) * pageSize],
      ),
      this.#query<{ total: number }>('select cast(count(*) as integer) as total from atlas_city where country = $1', [
        country,
      ]),
    ]);
    return cities.length === 0 ? null : { cities, total: counts[0]?.total ?? 0 };
  }

  /** The cities next to a point, the nearest first. */
  async nearest(point: Point): Promise<NearbyCity[]> {
    for (const radiusKm of searchRadiiKm) {
      const neighbours = (await this.#within(point, radiusKm)).filter(({ km }) => km <= radiusKm);
      // The box is larger than the circle: what lies in its corners may be farther than something outside the box.
      if (neighbours.length < neighbourCount && radiusKm < farthestKm) continue;
      return neighbours.sort((a, b) => a.km - b.km || a.id - b.id).slice(0, neighbourCount);
    }
    return [];
  }

  /** All countries, by their codes. */
  async countries(): Promise<Country[]> {
    const sql = `
      select country as code, cast(count(*) as integer) as cities, cast(sum(population) as double precision) as population
      from atlas_city group by country order by country`;
    return this.#query<Country>(sql, []);
  }

  /** Changes a city; returns it as it is now, or `null` if there is none. */
  async change(id: number, { name, population }: CityChange): Promise<City | null> {
    const sql = `
      update atlas_city set name = coalesce($1, name), population = coalesce($2, population)
      where id = $3 returning ${columns}`;
    const [city] = await this.#query<City>(sql, [name ?? null, population ?? null, id]);
    return city ?? null;
  }

  async #within(point: Point, radiusKm: number): Promise<NearbyCity[]> {
    const { south, north, ranges } = boxAround(point, radiusKm);
    const sql = `
      select ${columns} from atlas_city
      where latitude between $1 and $2 and (longitude between $3 and $4 or longitude between $5 and $6)`;
    const cities = await this.#query<City>(sql, [south, north, ...ranges.flat()]);
    return cities.map((city) => ({ ...city, km: distanceKm(point, { lat: city.latitude, lon: city.longitude }) }));
  }

  async #query<Row>(sql: string, values: readonly SqlValue[]): Promise<Row[]> {
    this.queries += 1;
    await this.#beforeQuery?.();
    return this.#database.query<Row>(sql, values);
  }
}
