/** The caches that the suites play against: which options, on which backend. */

import { createCache } from 'hotshelf';
import { cacheResponses, type ResponseCacheOptions } from 'hotshelf/express';
import { memory } from 'hotshelf/memory';
import type { Guard } from './origin.ts';

/** Everything that RFC 9111 allows and that is switched off by default. */
export const everything: Omit<ResponseCacheOptions, 'cache'> = {
  query: 'all',
  byLanguage: true,
  heuristic: true,
  requestDirectives: true,
  storeErrors: true,
  unsafeStoreSetCookie: true,
};

export type Backend = Parameters<typeof createCache>[0]['backend'];

/** The middleware as a guard, over a cache of its own. */
export function guardOf(options: Omit<ResponseCacheOptions, 'cache'>, backend: Backend = memory()): Guard {
  const middleware = cacheResponses({ cache: createCache({ backend }), ...options });
  return (req, res, next) => middleware(req, res, next);
}
