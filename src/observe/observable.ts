/** What the functions of this room ask of a cache. */

import { describe, HotshelfError } from '../support/errors.ts';
import type { CacheEvent } from './events.ts';
import type { CacheStats } from './stats.ts';

/** A cache or a namespace of one, as an observer sees it. */
export interface Observable {
  /** Counts since the cache was made. */
  stats(): CacheStats;
  /** Calls `listener` for each event; the returned function ends that. */
  on(listener: (event: CacheEvent) => void): () => void;
}

/**
 * Caches by the names that their numbers get. A namespace is counted in the caches that it lies in as well: list a cache or
 * its namespaces, not both, where you sum over the names.
 */
export type Observables = Readonly<Record<string, Observable>>;

/** The same as a list. */
export type Listed = readonly (readonly [name: string, cache: Observable])[];

/**
 * Returns the names and caches of `caches`.
 *
 * @param where how the caller wrote the call, for the error message
 * @throws {HotshelfError} `OPTION_INVALID` when something in it is no cache.
 */
export function listObservables(caches: Observables, where: string): Listed {
  // A cache has nothing to list, and would be taken for a list of none.
  const entries = isObject(caches) && !isObservable(caches) ? Object.entries(caches) : undefined;
  if (entries?.every(([, cache]) => isObservable(cache))) return entries;
  const wrong = entries?.find(([, cache]) => !isObservable(cache));
  const unlisted = isObservable(caches) ? 'a cache without a name' : describe(caches);
  const got = wrong === undefined ? unlisted : `${describe(wrong[1])} under "${wrong[0]}"`;
  throw new HotshelfError('OPTION_INVALID', `Expected ${where} to get caches by name, as { main: cache }, got ${got}.`);
}

function isObservable(value: unknown): boolean {
  return isObject(value) && typeof value['stats'] === 'function' && typeof value['on'] === 'function';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
