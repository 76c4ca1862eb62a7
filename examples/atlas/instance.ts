/** One instance of the atlas: an Express app with a cache object of its own. */

import { type BackendWith, createCache } from 'hotshelf';
import express, { type Express } from 'express';
import { Accounts } from './accounts.ts';
import { Cities } from './cities.ts';
import type { Database } from './database/database.ts';
import { Origin, type OriginOptions } from './origin.ts';
import type { PasswordCost } from './password.ts';
import { EventStreams } from './event-streams.ts';
import { createGame } from './game.ts';
import { createLimits, limitDefaults, type LimitOptions } from './limits.ts';
import { noSuchRoute, problems } from './problem.ts';
import { accountRoutes } from './routes/account.ts';
import { cityRoutes } from './routes/cities.ts';
import { favouriteRoutes } from './routes/favourites.ts';
import { gameRoutes } from './routes/game.ts';
import { healthRoutes } from './routes/health.ts';
import { statsRoutes } from './routes/stats.ts';
import { createVisitors } from './visitors.ts';

export interface InstanceOptions extends OriginOptions {
  /** Goes into the field `X-Instance` of every answer. */
  readonly name: string;
  /** Stays its owner's, as the database does: instances in one process share them. */
  readonly backend: BackendWith<'values' | 'limits' | 'rankings'>;
  readonly database: Database;
  /** Sign the cookies of sessions: the same ones in all instances. Of several the first one signs, and all are accepted. */
  readonly secrets: readonly string[];
  /** What hashing a password takes. @default 32 MB, three times */
  readonly passwordCost?: PasswordCost | undefined;
  /** How long what was read is fresh. @default 300_000 */
  readonly ttlMs?: number | undefined;
  /** Where a day of the leaderboards begins: an IANA name. @default 'UTC' */
  readonly timeZone?: string | undefined;
  /** How often those who watch a leaderboard hear that they are not forgotten. @default 15_000 */
  readonly heartbeatMs?: number | undefined;
  /** @default 12,000 requests a minute, 20 failed logins */
  readonly limits?: LimitOptions | undefined;
  /** Gets what clients must not see: the errors behind an answer 500. */
  readonly report: (error: unknown) => void;
}

export interface Instance {
  readonly app: Express;
  /** From now on `/readyz` answers 503, and who watches a leaderboard does so elsewhere; everything else goes on. */
  drain(): void;
  /** Closes the cache and the leaderboard. */
  close(): Promise<void>;
}

export function createInstance(options: InstanceOptions): Instance {
  const { name, backend, database, secrets, beforeQuery, ttlMs = 300_000, report } = options;
  const cache = createCache({
    backend,
    prefix: 'atlas',
    ttl: ttlMs,
    negativeTtl: '30s',
    // While the database fails or hangs, what was known before is still answered, for a day.
    grace: '1d',
    timeout: { soft: '200ms', hard: '2s' },
    // Each instance keeps copies; a change is complete only when none of them has the old one any more.
    local: { maxLag: '200ms', ack: true },
  });
  const origin = new Origin(database, { beforeQuery });
  const cities = new Cities(cache, origin);
  const visitors = createVisitors(backend, secrets);
  const game = createGame({ backend, secrets, timeZone: options.timeZone ?? 'UTC' });
  const streams = new EventStreams({ heartbeatMs: options.heartbeatMs });
  const limits = createLimits(backend, options.limits ?? limitDefaults);
  let draining = false;

  const app = express();
  app.disable('x-powered-by');
  // In production cookies go over TLS only, and a proxy nearby speaks it: X-Forwarded-Proto is to be believed.
  app.set('trust proxy', ['loopback', 'uniquelocal']);
  app.use((_request, response, next) => {
    response.set('X-Instance', name);
    next();
  });
  // Those who watch over the atlas ask as often as they like.
  app.use(healthRoutes({ backend, database, isDraining: () => draining }));
  app.use(limits.requests);
  app.use(cityRoutes(cities, visitors.welcome, game.looks, ttlMs));
  app.use(favouriteRoutes(cities, visitors.known));
  app.use(accountRoutes(new Accounts(database, options.passwordCost), visitors.known, limits));
  app.use(gameRoutes({ cities, game, visitors: visitors.known, streams, limits }));
  app.use(statsRoutes(name, cache, origin, streams));
  app.use(noSuchRoute);
  app.use(problems(report));

  return {
    app,
    drain: () => {
      draining = true;
      streams.close();
    },
    close: () => {
      streams.close();
      limits.close();
      game.close();
      return cache.close();
    },
  };
}
