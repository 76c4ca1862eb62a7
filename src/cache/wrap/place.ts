/** Looks behind a cache that a user handed in. */

import { describe, HotshelfError } from '../../support/errors.ts';
import { Cache, spaceOf } from '../cache.ts';
import type { Place } from './cached-call.ts';

/** @throws {HotshelfError} `OPTION_INVALID` if it is no cache. */
export function placeOf(cache: unknown, where: string): Place {
  if (cache instanceof Cache) return { cache, space: spaceOf(cache) };
  throw new HotshelfError(
    'OPTION_INVALID',
    `Expected ${where} to get a cache that createCache() made, got ${describe(cache)}.`,
  );
}
