/** The database for more than one machine: PostgreSQL. */

import { Client, DatabaseError, Pool } from 'pg';
import { type City, type Database, DatabaseUnusable, indexes, type SqlValue, tables } from './database.ts';
import { loadCities, type LoadOptions } from './load.ts';

/** Any number will do, as long as everybody who makes the tables takes the same. */
const fillLock = 7_205_759;

const insertPortion = `
  insert into atlas_city
  select * from unnest($1::int[], $2::text[], $3::text[], $4::int[], $5::float8[], $6::float8[])`;

/** Connects when the first query comes. A server that does not answer makes queries fail; it does not make them wait. */
export function openPostgres(url: string): Database {
  const pool = new Pool({ connectionString: url, max: 10, connectionTimeoutMillis: 2000, query_timeout: 5000 });
  // The pool replaces a connection that broke while nobody used it.
  pool.on('error', () => {});
  return {
    name: 'postgres',
    query: async <Row>(sql: string, values: readonly SqlValue[] = []) => {
      try {
        const { rows } = await pool.query(sql, [...values]);
        return rows as Row[];
      } catch (error) {
        throw isComplaint(error) ? error : unusable(error);
      }
    },
    close: () => pool.end(),
  };
}

/**
 * Creates the tables, and fills that of the cities, unless that was done before. One transaction under an advisory lock: of several instances that
 * start at once one fills and the others wait for it, and one that dies halfway leaves nothing behind.
 *
 * @throws {DatabaseUnusable}
 */
export async function fillPostgres(url: string, options: LoadOptions = {}): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  // Without a listener a broken connection would end the process; the query that notices it rejects anyway.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('begin');
    await client.query('select pg_advisory_xact_lock($1)', [fillLock]);
    for (const table of tables) await client.query(table);
    const { rows } = await client.query('select 1 from atlas_city limit 1');
    if (rows.length === 0) {
      await loadCities(options, async (portion) => {
        await client.query(insertPortion, columnsOf(portion));
      });
      for (const index of indexes) await client.query(index);
    }
    await client.query('commit');
  } catch (error) {
    throw unusable(error);
  } finally {
    await client.end();
  }
}

/** The server answered, and said what is wrong with a statement; class 57 is "I am going". */
function isComplaint(error: unknown): boolean {
  return error instanceof DatabaseError && !error.code?.startsWith('57');
}

function unusable(cause: unknown): DatabaseUnusable {
  // A refused connection to a name with several addresses has no message, only a code.
  const { message, code } = cause as { message: string; code?: string };
  return new DatabaseUnusable(`PostgreSQL at DATABASE_URL: ${message || code}`, { cause });
}

function columnsOf(cities: readonly City[]): unknown[] {
  return [
    cities.map(({ id }) => id),
    cities.map(({ name }) => name),
    cities.map(({ country }) => country),
    cities.map(({ population }) => population),
    cities.map(({ latitude }) => latitude),
    cities.map(({ longitude }) => longitude),
  ];
}
