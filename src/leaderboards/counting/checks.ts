/** Refuses names, numbers and labels that are not allowed, for everything that counts in the same words. */

import type { Backend, FacetName, Facets } from '../../backend/backend.ts';
import { facet } from '../../backend/facet.ts';
import type { Clock } from '../../support/clock.ts';
import { describe, HotshelfError } from '../../support/errors.ts';

const longestName = 100;

/** @throws {HotshelfError} `OPTION_INVALID` unless `name` is 1 to 100 characters. */
export function checkName(name: unknown, user: string): void {
  if (typeof name === 'string' && name !== '' && name.length <= longestName) return;
  throw wrong('name', user, `a text of 1 to ${longestName} characters`, name);
}

/** @throws {HotshelfError} `OPTION_INVALID` unless `of` is a text or is not there. */
export function checkLabel(of: unknown, user: string): void {
  if (of !== undefined && typeof of !== 'string') throw wrong('of', user, 'a text', of);
}

/** @throws {HotshelfError} `OPTION_INVALID` unless `value` is a whole number in these bounds. */
export function checkWhole(
  name: string,
  user: string,
  value: unknown,
  least: number,
  most: number,
): asserts value is number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return;
  throw wrong(name, user, `a whole number from ${least} to ${most}`, value);
}

/** @throws {HotshelfError} `OPTION_INVALID` unless `clock` tells the time. */
export function checkClock(clock: Clock, user: string): void {
  if (typeof clock?.now !== 'function') throw wrong('clock', user, 'a Clock', clock);
}

/** @throws {HotshelfError} `OPTION_INVALID` unless `backend` is one, `FACET_MISSING` if it lacks the facet. */
export function facetOf<Name extends FacetName>(backend: Backend, name: Name, user: string): Facets[Name] {
  if (typeof backend !== 'object' || backend === null)
    throw wrong('backend', user, 'a backend, such as memory()', backend);
  return facet(backend, name, user);
}

export function wrong(name: string, user: string, expected: string, got: unknown): HotshelfError {
  return new HotshelfError(
    'OPTION_INVALID',
    `Expected \`${name}\` of ${user} to be ${expected}, got ${describe(got)}.`,
  );
}
