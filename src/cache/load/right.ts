/** Takes the right to load a key: the lease, and the instant before the load from which its tags count. */

import type { Version } from '../../backend/values.ts';
import type { Opened } from '../../codec/envelope.ts';
import type { Halves } from '../../support/hash64.ts';
import type { Question } from './ask.ts';
import { Lease, sideKeyOf } from './lease.ts';
import type { Seen } from '../read/look.ts';
import type { TagSights, Tick } from '../tags/stamp.ts';

export interface Right {
  readonly lease: Lease;
  readonly scope: Halves;
  readonly at: Tick;
  /** The tags as they were seen before. */
  readonly tags: TagSights;
  /** The entry that stays readable until the load replaces it. */
  readonly earlier: Opened | undefined;
}

/**
 * Takes the right to replace what was seen. Returns `held` while a tag must not be stored, `undefined` if somebody else was
 * faster. Rejects as the backend does.
 *
 * @param token names the load
 * @param over the marker or the outdated state that stands in the way
 */
export async function takeRight(
  { space, key, policy }: Question,
  seen: Seen,
  token: string,
  over: Version | undefined,
): Promise<Right | 'held' | undefined> {
  const { shelf } = space;
  const { sight } = seen;
  const scope = seen.scope ?? (await space.scope());
  const at = await instant(space, policy.tags, seen);
  if (at === 'held') return 'held';
  const isEntry = sight.kind === 'hit' || sight.kind === 'stale';
  const site = { scope, token, tags: policy.tags, at };
  const lease = isEntry
    ? await Lease.take(shelf, { ...site, key: sideKeyOf(key), target: { key, version: sight.version } }, over)
    : await Lease.take(shelf, { ...site, key }, over);
  return lease && { lease, scope, at, tags: seen.tags, earlier: isEntry ? sight.entry : undefined };
}

/** Where loaders name tags of their own, the clock is read anew: a load at an old instant could not be stored under them. */
function instant(space: Question['space'], tags: readonly string[], seen: Seen): Promise<Tick | 'held'> {
  const known = space.loadersNameTags ? undefined : seen.known;
  // What the last entry of the key had, this one will have too: nobody need wait for a load that could not be stored.
  const held = [...seen.tags.keys()].filter((tag) => seen.tags.get(tag) === 'held' && !tags.includes(tag));
  return space.shelf.tags.ready(held.length === 0 ? tags : [...tags, ...held], seen.tags, known);
}
