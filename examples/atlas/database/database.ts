/** What the atlas asks of an SQL database, whichever one it is. */

export interface City {
  readonly id: number;
  readonly name: string;
  /** Two letters, ISO 3166-1. */
  readonly country: string;
  readonly population: number;
  readonly latitude: number;
  readonly longitude: number;
}

export type SqlValue = string | number | null;

export interface Database {
  readonly name: string;
  /** Runs one statement; `values` stand where the statement says `$1`, `$2`, … */
  query<Row>(sql: string, values?: readonly SqlValue[]): Promise<Row[]>;
  close(): Promise<void>;
}

/** The database does not answer, or does not let us do what we must. */
export class DatabaseUnusable extends Error {}

/** The tables, in the SQL that both databases speak. */
export const tables = [
  `create table if not exists atlas_city (
    id integer primary key,
    name text not null,
    country text not null,
    population integer not null,
    latitude double precision not null,
    longitude double precision not null
  )`,
  `create table if not exists atlas_user (
    id text primary key,
    name text not null unique,
    password text not null
  )`,
];

/** Made after the rows of the cities, which is faster. */
export const indexes = [
  'create index if not exists atlas_city_by_population on atlas_city (country, population desc, id)',
  'create index if not exists atlas_city_by_place on atlas_city (latitude, longitude)',
];
