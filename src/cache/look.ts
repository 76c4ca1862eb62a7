/** Reads a key once, in one trip with the tags that are known, and says what was seen. */

import { HotshelfError } from '../support/errors.ts';
import type { Stored } from '../backend/values.ts';
import { open, type Opened, type Unusable } from '../codec/envelope.ts';
import { decide, type Sight } from './decide.ts';
import type { Halves } from '../codec/hash64.ts';
import type { Space } from './space.ts';
import { judge, type TagSight, type TagSights, type Tick } from './stamp.ts';

/** What was seen, and under which circumstances. */
export interface Seen {
  readonly sight: Sight;
  readonly scope: Halves | undefined;
  /** The tags that were read: those of the caller, and those of the entry. */
  readonly tags: TagSights;
  /** The instant of the tags' clock that was known before they were read. */
  readonly known: Tick | undefined;
}

/** What was seen, or the reason why nothing was. */
export type Looked = Seen | { readonly failure: HotshelfError };

const noTags: TagSights = new Map();

/**
 * Never rejects because of the backend: one that fails is one more thing to be seen.
 *
 * @param tags full keys of the tags that the caller would give an entry
 */
export function look(space: Space, full: string, tags: readonly string[]): Promise<Looked> {
  const { shelf, knownScope } = space;
  const wanted = shelf.hints.add(full, tags);
  if (knownScope === undefined || wanted.length > 0) return lookWide(space, full, wanted, knownScope);
  const { known } = shelf.tags;
  // Plain promises: this is the path of every hit.
  return shelf.values.get(full).then((stored) => {
    if (stored === undefined) return { sight: absent, scope: knownScope, tags: noTags, known };
    const opened = open(full, stored.bytes);
    if (typeof opened === 'object' && opened.tags.length > 0) {
      return lookAtTags(space, full, stored, opened, { scope: knownScope, tags: noTags, known }).catch(failed);
    }
    const sight = decide(opened, stored.version, knownScope, 'valid', shelf.clock.now());
    return { sight, scope: knownScope, tags: noTags, known };
  }, failed);
}

const absent: Sight = { kind: 'absent' };

async function lookWide(
  space: Space,
  full: string,
  wanted: readonly string[],
  knownScope: Halves | undefined,
): Promise<Looked> {
  const { shelf, epochs } = space;
  const { known } = shelf.tags;
  const askedAt = shelf.clock.monotonic();
  const epochKeys = knownScope === undefined ? (epochs?.keys ?? []) : [];
  try {
    const stored = await shelf.values.getMany([full, ...wanted, ...epochKeys]);
    const tags = new Map<string, TagSight>();
    shelf.tags.see(wanted, stored, 1, tags);
    const scope = knownScope ?? epochs?.digest(stored, 1 + wanted.length, askedAt);
    const [own] = stored;
    if (own === undefined) return { sight: absent, scope, tags, known };
    return await lookAtTags(space, full, own, open(full, own.bytes), { scope, tags, known });
  } catch (error) {
    return failed(error);
  }
}

/** Reads the tags of the entry that are not known yet, and decides. */
async function lookAtTags(
  space: Space,
  full: string,
  stored: Stored,
  opened: Opened | Unusable,
  seen: Omit<Seen, 'sight'>,
): Promise<Seen> {
  const { shelf } = space;
  const own = typeof opened === 'string' ? [] : opened.tags;
  const missing = own.filter((tag) => !seen.tags.has(tag));
  let { tags } = seen;
  if (missing.length > 0) {
    shelf.hints.remember(full, own);
    tags = new Map([...tags, ...(await shelf.tags.read(missing))]);
  }
  const byTags =
    typeof opened === 'string' ? 'valid' : shelf.unconfirmed.distrustsTags(own) ? 'invalid' : judge(own, opened, tags);
  return { ...seen, tags, sight: decide(opened, stored.version, seen.scope, byTags, shelf.clock.now()) };
}

function failed(error: unknown): Looked {
  if (error instanceof HotshelfError) return { failure: error };
  throw error;
}
