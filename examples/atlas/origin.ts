/** The truth: every SQL statement of the atlas, and how many were run. */

import { batched } from './batch.ts';
import type { City, Database, SqlValue } from './database/database.ts';
import { boxAround, distanceKm, farthestKm, type Point } from './geo.ts';

export interface Neighbour {
  readonly id: number;
  readonly km: number;
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

  /** One city. Twenty that are asked for at once, as by a page of a list, are one statement. */
  readonly city = batched<number, City>(async (ids) => {
    const places = ids.map((_id, index) => `$${index + 1}`).join(', ');
    const cities = await this.#query<City>(`select ${columns} from atlas_city where id in (${places})`, ids);
    return new Map(cities.map((city) => [city.id, city]));
  });

  /** The ids of a country's cities, the largest first. */
  async idsOfCountry(country: string): Promise<number[]> {
    const sql = 'select id from atlas_city where country = $1 order by population desc, id';
    return (await this.#query<{ id: number }>(sql, [country])).map(({ id }) => id);
  }

  /** The cities next to a point, the nearest first. */
  async nearest(point: Point): Promise<Neighbour[]> {
    for (const radiusKm of searchRadiiKm) {
      const neighbours = (await this.#within(point, radiusKm)).filter(({ km }) => km <= radiusKm);
      // The box is larger than the circle: what lies in its corners may be farther than something outside the box.
      if (neighbours.length < neighbourCount && radiusKm < farthestKm) continue;
      return neighbours.sort((a, b) => a.km - b.km || a.id - b.id).slice(0, neighbourCount);
    }
    return [];
  }

  /** Changes a city; returns it as it is now, or `undefined` if there is none. */
  async change(id: number, { name, population }: CityChange): Promise<City | undefined> {
    const sql = `
      update atlas_city set name = coalesce($1, name), population = coalesce($2, population)
      where id = $3 returning ${columns}`;
    const [city] = await this.#query<City>(sql, [name ?? null, population ?? null, id]);
    return city;
  }

  async #within(point: Point, radiusKm: number): Promise<Neighbour[]> {
    const { south, north, ranges } = boxAround(point, radiusKm);
    const sql = `
      select id, latitude as lat, longitude as lon from atlas_city
      where latitude between $1 and $2 and (longitude between $3 and $4 or longitude between $5 and $6)`;
    const places = await this.#query<Point & { id: number }>(sql, [south, north, ...ranges.flat()]);
    return places.map((place) => ({ id: place.id, km: distanceKm(point, place) }));
  }

  async #query<Row>(sql: string, values: readonly SqlValue[]): Promise<Row[]> {
    this.queries += 1;
    await this.#beforeQuery?.();
    return this.#database.query<Row>(sql, values);
  }
}
