/** `/healthz`: is the process alive? `/readyz`: should it get requests? */

import type { Backend } from 'hotshelf';
import { Router } from 'express';
import type { Database } from '../database/database.ts';
import { within } from '../deadline.ts';
import { onlyMethods } from '../problem.ts';

export interface HealthParts {
  readonly backend: Backend;
  readonly database: Database;
  readonly isDraining: () => boolean;
}

export function healthRoutes({ backend, database, isDraining }: HealthParts): Router {
  const router = Router();
  router
    .route('/healthz')
    .get((_request, response) => {
      response.json({ status: 'ok' });
    })
    .all(onlyMethods('GET', 'HEAD'));

  router
    .route('/readyz')
    .get(async (_request, response) => {
      const [cache, databaseOk] = await Promise.all([backend.health(), answers(database)]);
      // Without the cache every answer is right, only slower: no reason to send people away.
      const ready = databaseOk && !isDraining();
      response.status(ready ? 200 : 503).json({
        ready,
        draining: isDraining(),
        database: { name: database.name, ok: databaseOk },
        cache: { name: backend.name, ...cache, latencyMs: Math.round(cache.latencyMs) },
      });
    })
    .all(onlyMethods('GET', 'HEAD'));
  return router;
}

async function answers(database: Database): Promise<boolean> {
  try {
    return await within(
      1000,
      database.query('select 1').then(() => true),
      false,
    );
  } catch {
    return false;
  }
}
