/** `/stats`: what the cache did for the instance that answers. */

import type { Cache } from 'hotshelf';
import { Router } from 'express';
import type { EventStreams } from '../event-streams.ts';
import type { Origin } from '../origin.ts';
import { onlyMethods } from '../problem.ts';

export function statsRoutes(instance: string, cache: Cache, origin: Origin, streams: EventStreams): Router {
  const router = Router();
  router
    .route('/stats')
    .get((_request, response) => {
      const stats = cache.stats();
      const { hits, localHits, staleServed, misses, loads, collapsed, bypasses, unconfirmed } = stats;
      const hitRatio = Number(stats.hitRatio.toFixed(3));
      response.set('Cache-Control', 'no-store').json({
        instance,
        cache: { hits, localHits, staleServed, misses, loads, collapsed, bypasses, unconfirmed, hitRatio },
        // Each of these reads would have been a question to the database.
        origin: { queries: origin.queries, saved: hits + collapsed },
        // Who watches a leaderboard at the moment.
        live: streams.size,
      });
    })
    .all(onlyMethods('GET', 'HEAD'));
  return router;
}
