/** Remembers which function has which name in a cache: two of one name would answer for each other. */

import { HotshelfError } from '../../support/errors.ts';
import type { Space } from '../space.ts';

/**
 * Takes `name` for `owner`, in `space`.
 *
 * @throws {HotshelfError} `OPTION_INVALID` if another owner has it.
 */
export function claimName(space: Space, name: string, owner: object): void {
  const { names } = space.shelf;
  // No prefix has a blank.
  const place = `${space.prefix} ${name}`;
  if ((names.get(place) ?? owner) !== owner) {
    throw new HotshelfError(
      'OPTION_INVALID',
      `Another cached function of ${space.name} is called "${name}" too, and their entries would mix. Give one of them a \`name\` of its own.`,
    );
  }
  names.set(place, owner);
}
