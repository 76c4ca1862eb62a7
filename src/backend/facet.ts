/** Checks at run time that a backend has a facet, for those whose compiler did not. */

import { HotshelfError } from '../support/errors.ts';
import type { Backend, FacetName, Facets } from './backend.ts';

const havers: Readonly<Record<FacetName, string>> = {
  values: 'an adapter of hotshelf',
  counters: 'an adapter of hotshelf',
  limits: 'an adapter of hotshelf',
  rankings: 'an adapter of hotshelf',
  uniques: 'the redis or the memory adapter',
  bus: 'the redis or the memory adapter',
};

/**
 * Returns the facet `name` of `backend`.
 *
 * @param user what needs it, as its user wrote it: `createCache()`
 * @throws {HotshelfError} `FACET_MISSING` naming the backend, the facet and the way out.
 */
export function facet<Name extends FacetName>(backend: Backend, name: Name, user: string): Facets[Name] {
  const found: Facets[Name] | undefined = (backend as Partial<Facets>)[name];
  if (found !== undefined) return found;
  throw new HotshelfError(
    'FACET_MISSING',
    `The ${backend.name} adapter has no ${name}. Use ${havers[name]} for ${user}.`,
  );
}
