/** Reads a key once, in one trip, and says what was seen. */

import { HotshelfError } from '../support/errors.ts';
import { decide, type Sight } from './decide.ts';
import type { Halves } from '../codec/hash64.ts';
import type { Space } from './space.ts';

/** A sight, or the reason why there is none; with the scope that was read in the same trip. */
export type Looked =
  | { readonly sight: Sight; readonly scope: Halves | undefined }
  | { readonly failure: HotshelfError };

/** Never rejects: a backend that fails is one more thing to be seen. */
export async function look(space: Space, full: string): Promise<Looked> {
  const { shelf, epochs } = space;
  try {
    if (epochs === undefined) {
      const scope = space.fixedScope;
      return { sight: decide(full, await shelf.values.get(full), scope, shelf.clock.now()), scope };
    }
    const stored = await shelf.values.getMany([full, ...epochs.keys]);
    const scope = epochs.digest(stored, 1);
    return { sight: decide(full, stored[0], scope, shelf.clock.now()), scope };
  } catch (error) {
    if (error instanceof HotshelfError) return { failure: error };
    throw error;
  }
}
