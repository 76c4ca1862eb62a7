/** Reads a key once, in one trip with the tags that are known, and says what was seen. */

import { HotshelfError } from '../../support/errors.ts';
import type { Version } from '../../backend/values.ts';
import { open, type Opened, type Unusable } from '../../codec/envelope.ts';
import { decide, type Sight } from './decide.ts';
import type { Halves } from '../../support/hash64.ts';
import type { Space } from '../space.ts';
import { judge, type TagSight, type TagSights, type Tick } from '../tags/stamp.ts';

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
  // Plain promises, here and below: this is the path of every hit.
  return shelf.values.get(full).then((stored) => {
    if (stored === undefined) return { sight: absent, scope: knownScope, tags: noTags, known };
    const opened = open(full, stored.bytes);
    if (hasTags(opened)) return judged(space, stored.version, opened, { scope: knownScope, tags: noTags, known });
    const sight = decide(opened, stored.version, knownScope, 'valid', shelf.clock.now());
    return { sight, scope: knownScope, tags: noTags, known };
  }, failed);
}

const absent: Sight = { kind: 'absent' };

function lookWide(
  space: Space,
  full: string,
  wanted: readonly string[],
  knownScope: Halves | undefined,
): Promise<Looked> {
  const { shelf, epochs } = space;
  const { known } = shelf.tags;
  const askedAt = shelf.clock.monotonic();
  const epochKeys = knownScope === undefined ? (epochs?.keys ?? []) : [];
  return shelf.values.getMany([full, ...wanted, ...epochKeys]).then((stored) => {
    const tags = new Map<string, TagSight>();
    shelf.tags.see(wanted, stored, 1, tags);
    const scope = knownScope ?? epochs?.digest(stored, 1 + wanted.length, askedAt);
    const [own] = stored;
    if (own === undefined) return { sight: absent, scope, tags, known };
    const opened = open(full, own.bytes);
    if (hasTags(opened)) return judged(space, own.version, opened, { scope, tags, known });
    return { sight: decide(opened, own.version, scope, 'valid', shelf.clock.now()), scope, tags, known };
  }, failed);
}

function hasTags(opened: Opened | Unusable): opened is Opened {
  return typeof opened === 'object' && opened.tags.length > 0;
}

/** Decides, after a look at those tags of the entry that were not read with it. */
function judged(space: Space, version: Version, opened: Opened, seen: Omit<Seen, 'sight'>): Seen | Promise<Looked> {
  const { shelf } = space;
  const missing = opened.tags.filter((tag) => !seen.tags.has(tag));
  if (missing.length === 0) return judgedByTags(space, version, opened, seen);
  shelf.hints.remember(opened.key, opened.tags);
  return shelf.tags.read(missing).then((more) => {
    const tags = new Map([...seen.tags, ...more]);
    return judgedByTags(space, version, opened, { ...seen, tags });
  }, failed);
}

function judgedByTags(
  { shelf }: Space,
  version: Version,
  opened: Opened,
  { scope, tags, known }: Omit<Seen, 'sight'>,
): Seen {
  const byTags = shelf.unconfirmed.distrustsTags(opened.tags) ? 'invalid' : judge(opened.tags, opened, tags);
  return { sight: decide(opened, version, scope, byTags, shelf.clock.now()), scope, tags, known };
}

function failed(error: unknown): Looked {
  if (error instanceof HotshelfError) return { failure: error };
  throw error;
}
