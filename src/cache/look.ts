/** Reads a key once, in one trip, and says what was seen. */

import { HotshelfError } from '../support/errors.ts';
import type { Stored } from '../backend/values.ts';
import { decide, type Sight } from './decide.ts';
import type { Halves } from '../codec/hash64.ts';
import type { Space } from './space.ts';

/** A sight, or the reason why there is none; with the scope that it was seen in. */
export type Looked =
  | { readonly sight: Sight; readonly scope: Halves | undefined }
  | { readonly failure: HotshelfError };

/** Never rejects because of the backend: one that fails is one more thing to be seen. */
export function look(space: Space, full: string): Promise<Looked> {
  const { knownScope } = space;
  if (knownScope === undefined) return lookWithEpochs(space, full);
  // Plain promises: this is the path of every hit.
  return space.shelf.values.get(full).then((stored) => seen(space, full, stored, knownScope), failed);
}

async function lookWithEpochs(space: Space, full: string): Promise<Looked> {
  const { shelf, epochs } = space;
  const askedAt = shelf.clock.monotonic();
  try {
    const stored = await shelf.values.getMany([full, ...(epochs?.keys ?? [])]);
    return seen(space, full, stored[0], epochs?.digest(stored, 1, askedAt));
  } catch (error) {
    return failed(error);
  }
}

function seen(space: Space, full: string, stored: Stored | undefined, scope: Halves | undefined): Looked {
  return { sight: decide(full, stored, scope, space.shelf.clock.now()), scope };
}

function failed(error: unknown): Looked {
  if (error instanceof HotshelfError) return { failure: error };
  throw error;
}
