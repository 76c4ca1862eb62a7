/** Stores what was loaded, unless it was invalidated meanwhile. */

import type { Answer, Question } from './ask.ts';
import type { Encoded } from '../read/entry.ts';
import { open } from '../../codec/envelope.ts';
import type { Ticket } from '../local/tier.ts';
import { keepNear } from '../read/near.ts';
import type { Right } from './right.ts';
import { judge, type TagSights } from '../tags/stamp.ts';

/**
 * Returns whether it was stored; the lease is given up in any case. Rejects as the backend does.
 *
 * @param ticket of the local tier, taken before the load began
 */
export async function fill(
  right: Right,
  question: Question,
  answer: Answer,
  encoded: Encoded,
  ticket: Ticket | undefined,
): Promise<boolean> {
  const { shelf } = question.space;
  let sights: TagSights | undefined;
  try {
    sights = await sightsOf(right, question, answer);
  } finally {
    if (sights === undefined) await right.lease.release();
  }
  if (sights === undefined) return false;
  if (!(await right.lease.fill(encoded.bytes, encoded.lifetimeMs))) return false;
  if (ticket !== undefined) keepFilled(question, encoded, ticket);
  if (answer.tags.length > 0) await shelf.tags.keep(answer.tags, sights, encoded.lifetimeMs);
  return true;
}

/**
 * Returns what stands under all tags of the answer, or `undefined` if the loader named one that was invalidated since its load
 * began. Those that were known before need no look: readers will judge them, and the lease names them.
 */
async function sightsOf(
  right: Right,
  { space, key, policy }: Question,
  answer: Answer,
): Promise<TagSights | undefined> {
  const named = answer.tags.filter((tag) => !policy.tags.includes(tag));
  if (named.length === 0) return right.tags;
  const { tags, hints } = space.shelf;
  space.loadersNameTags = true;
  hints.remember(key, answer.tags);
  let sights = await tags.read(named);
  if (judge(named, right.at, sights) !== 'valid') {
    // Missing ones are made, for this load if the clock stood still, else for the next.
    if ((await tags.ready(named, sights, right.at)) === 'held') return undefined;
    sights = await tags.read(named);
  }
  return judge(named, right.at, sights) === 'valid' ? new Map([...right.tags, ...sights]) : undefined;
}

function keepFilled({ space, key, policy }: Question, { bytes }: Encoded, ticket: Ticket): void {
  const entry = open(key, bytes);
  if (typeof entry === 'object') keepNear(space, entry, policy, ticket);
}
