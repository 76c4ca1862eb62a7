/** Remembers which function has which name in a cache: two of one name would answer for each other. */

import { HotshelfError } from '../support/errors.ts';
import type { Shelf } from './shelf.ts';
import type { Space } from './space.ts';

/** By the place in the backend and the name; it ends with its cache. */
const owners = new WeakMap<Shelf, Map<string, object>>();

/**
 * Takes `name` for `owner`, in `space`.
 *
 * @throws {HotshelfError} `OPTION_INVALID` if another owner has it.
 */
export function claimName(space: Space, name: string, owner: object): void {
  const known = owners.get(space.shelf) ?? new Map<string, object>();
  owners.set(space.shelf, known);
  // No prefix has a blank.
  const place = `${space.prefix} ${name}`;
  if ((known.get(place) ?? owner) !== owner) {
    throw new HotshelfError(
      'OPTION_INVALID',
      `Another cached function of ${space.name} is called "${name}" too, and their entries would mix. Give one of them a \`name\` of its own.`,
    );
  }
  known.set(place, owner);
}
