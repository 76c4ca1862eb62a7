/** The atlas in this process, as the tests use it: instances over one backend and one database. */

import { memory } from 'hotshelf/memory';
import type { Database } from '../../examples/atlas/database/database.ts';
import { createInstance, type Instance } from '../../examples/atlas/instance.ts';

export const paris = 2_988_507;
export const nice = 2_990_440;
export const suva = 2_198_148;
/** Enough cities for everything that the tests ask for, and soon loaded. */
export const limit = 12_000;

export interface Site {
  readonly first: Instance;
  readonly second: Instance;
  /** What clients do not see: the errors behind an answer 500. */
  readonly reported: unknown[];
  close(): Promise<void>;
}

export function createSite(database: Database, beforeQuery?: () => Promise<void>): Site {
  const backend = memory();
  const reported: unknown[] = [];
  const report = (error: unknown): void => {
    reported.push(error);
  };
  const [first, second] = ['1', '2'].map((name) =>
    createInstance({ name, backend, database, beforeQuery, report }),
  ) as [Instance, Instance];
  return {
    first,
    second,
    reported,
    async close() {
      await Promise.all([first.close(), second.close()]);
      await backend.close();
    },
  };
}
