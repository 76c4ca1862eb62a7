/** The embedded database: SQLite, in the memory of this process. */

import sqlite from 'node-sqlite3-wasm';
import { type City, type Database, indexes, type SqlValue, tables } from './database.ts';
import { loadCities, type LoadOptions } from './load.ts';

export async function openSqlite(options: LoadOptions = {}): Promise<Database> {
  const database = new sqlite.Database(':memory:');
  for (const table of tables) database.exec(table);
  database.exec('begin');
  const insert = database.prepare('insert into atlas_city values (?, ?, ?, ?, ?, ?)');
  await loadCities(options, (portion) => {
    for (const city of portion) insert.run(rowOf(city));
  });
  insert.finalize();
  database.exec('commit');
  for (const index of indexes) database.exec(index);

  return {
    name: 'sqlite',
    query: async <Row>(sql: string, values: readonly SqlValue[] = []) =>
      // PostgreSQL writes the second value as $2, SQLite as ?2.
      database.all(sql.replaceAll(/\$(?=\d)/g, '?'), [...values]) as Row[],
    close: async () => database.close(),
  };
}

function rowOf({ id, name, country, population, latitude, longitude }: City): SqlValue[] {
  return [id, name, country, population, latitude, longitude];
}
