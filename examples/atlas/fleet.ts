/** All instances together, in one process or in several. */

import { connect } from 'hotshelf';
import type { Database } from './database/database.ts';
import type { LoadOptions } from './database/load.ts';
import { fillPostgres, openPostgres } from './database/postgres.ts';
import { openSqlite } from './database/sqlite.ts';
import { stopsAnswering } from './database/stops-answering.ts';
import { within } from './deadline.ts';
import type { Front } from './front.ts';
import { createInstance } from './instance.ts';
import type { Options } from './options.ts';
import { startProcesses } from './processes.ts';

export interface Fleet {
  /** Makes `/readyz` answer 503. */
  drain(): void;
  /** Closes caches, backend and database; takes 4 s at most, also when the cache's server hangs. */
  close(): Promise<void>;
}

export interface FleetOptions extends Options {
  readonly onProgress: LoadOptions['onProgress'];
  readonly report: (problem: unknown) => void;
}

/** Fills the database and puts the instances behind `front`. */
export async function startFleet(front: Front, options: FleetOptions): Promise<Fleet> {
  const { databaseUrl, limit, onProgress } = options;
  if (databaseUrl !== undefined) await fillPostgres(databaseUrl, { limit, onProgress });
  if (options.areProcesses) {
    // With SQLite the rows are here and the workers ask for them; a PostgreSQL they ask themselves.
    const database = databaseUrl === undefined ? await openSqlite({ limit, onProgress }) : undefined;
    return startProcesses(front, { ...options, count: options.instances, database });
  }
  const database = databaseUrl === undefined ? await openSqlite({ limit, onProgress }) : openPostgres(databaseUrl);
  return startInOneProcess(front, database, options);
}

async function startInOneProcess(front: Front, database: Database, options: FleetOptions): Promise<Fleet> {
  const { ttlMs, breakOriginMs, secrets, report } = options;
  const origin = stopsAnswering(database, breakOriginMs);
  const backend = await connect(options.backendUrl);
  const instances = Array.from({ length: options.instances }, (_unused, index) =>
    createInstance({ name: String(index + 1), backend, database: origin, secrets, ttlMs, limits: options, report }),
  );
  for (const { app } of instances) front.add(app);
  const closeInstances = () => Promise.all(instances.map((instance) => instance.close()));
  return {
    drain: () => instances.forEach((instance) => instance.drain()),
    close: () =>
      closeInOrder(
        closeInstances,
        () => backend.close(),
        () => database.close(),
      ),
  };
}

const closeLimitMs = 4000;

/** Closes one thing after the other. What does not close in time, or at all, does not keep the rest from it. */
export async function closeInOrder(...steps: readonly (() => Promise<unknown>)[]): Promise<void> {
  const until = performance.now() + closeLimitMs;
  for (const step of steps) {
    try {
      await within(until - performance.now(), step(), undefined);
    } catch {
      // It is the end, whatever the state of what ends.
    }
  }
}
