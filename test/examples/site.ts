/** The atlas in this process, as the tests use it: two instances over one database, and one backend or one each. */

import { type BackendWith, connect } from 'hotshelf';
import { memory } from 'hotshelf/memory';
import type { Database } from '../../examples/atlas/database/database.ts';
import { createInstance, type Instance } from '../../examples/atlas/instance.ts';
import type { LimitOptions } from '../../examples/atlas/limits.ts';

export const paris = 2_988_507;
export const nice = 2_990_440;
export const suva = 2_198_148;
/** Enough cities for everything that the tests ask for, and soon loaded. */
export const limit = 12_000;

const secrets = ['a secret that is long enough for production'];
/** Enough to see that passwords are hashed. */
const passwordCost = { N: 2, r: 8, p: 1 };

export interface Site {
  readonly first: Instance;
  readonly second: Instance;
  /** What clients do not see: the errors behind an answer 500 or 503. */
  readonly reported: unknown[];
  close(): Promise<void>;
}

/** What the atlas needs of a backend. */
export type SiteBackend = BackendWith<'values' | 'limits' | 'rankings'>;

export interface SiteOptions {
  readonly beforeQuery?: () => Promise<void>;
  readonly limits?: LimitOptions;
  readonly heartbeatMs?: number;
  /** Of the first and the second instance; the site closes them. @default one in memory for both */
  readonly backends?: readonly [SiteBackend, SiteBackend];
}

export function createSite(
  database: Database,
  { beforeQuery, limits, heartbeatMs, backends = inMemory() }: SiteOptions = {},
): Site {
  const reported: unknown[] = [];
  const report = (error: unknown): void => {
    reported.push(error);
  };
  const instance = (name: string, backend: SiteBackend): Instance =>
    createInstance({
      name,
      backend,
      database,
      secrets,
      passwordCost,
      beforeQuery,
      limits,
      heartbeatMs,
      timeZone: zoneOfNoon(),
      report,
    });
  const [first, second] = [instance('1', backends[0]), instance('2', backends[1])];
  return {
    first,
    second,
    reported,
    async close() {
      await Promise.all([first.close(), second.close()]);
      await Promise.all([...new Set(backends)].map((backend) => backend.close()));
    },
  };
}

/** As two processes have them: each with connections of its own, patient with a machine that runs everything at once. */
export async function connectTwice(url: string): Promise<[SiteBackend, SiteBackend]> {
  const patient = () => connect(`${url}?deadline=2s`, { requireWithin: '5s' });
  return [await patient(), await patient()];
}

/** No test shall play over midnight. */
function zoneOfNoon(): string {
  const hoursToNoon = 12 - new Date().getUTCHours();
  // In these names what is ahead of UTC has a minus.
  return `Etc/GMT${hoursToNoon > 0 ? '-' : '+'}${Math.abs(hoursToNoon)}`;
}

function inMemory(): [SiteBackend, SiteBackend] {
  const backend = memory();
  return [backend, backend];
}
