/** A database that hangs from some moment on: shows what the cache is worth then. */

import { setTimeout as pause } from 'node:timers/promises';
import { type Database, DatabaseUnusable } from './database.ts';

/** As with a driver: a statement that nobody answers fails in the end. */
const patienceMs = 5000;

/** Returns `database`, which answers until `afterMs` from now; for ever if that is `undefined`. */
export function stopsAnswering(database: Database, afterMs: number | undefined): Database {
  if (afterMs === undefined) return database;
  const endsAt = performance.now() + afterMs;
  return {
    ...database,
    query: async (sql, values) => {
      if (performance.now() < endsAt) return database.query(sql, values);
      await pause(patienceMs);
      throw new DatabaseUnusable('The database has stopped answering, as --break-origin said');
    },
  };
}
