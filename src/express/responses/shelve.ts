/** Puts answers under the keys where others find them: one for a URI, or one for each way in which they differ. */

import { createHash, randomUUID } from 'node:crypto';
import type { Key } from '../../cache/key.ts';
import type { LoadContext } from '../../cache/load/ask.ts';
import { groupsOf } from '../../http/cache-groups.ts';
import type { StoragePlan } from '../../http/storing.ts';
import { fieldsOf } from './answer.ts';
import type { Loaded } from './hearing.ts';
import { rememberLanguage } from './languages.ts';
import { type Place, variantPlace } from './place.ts';
import type { IncomingLike } from '../request.ts';
import type { StoredAnswer, Stored, Variants } from './stored.ts';
import { NotForOthers, type Visit } from './visit.ts';

/** What the answers for a URI differ by is remembered for so long after it was seen, in ms. */
const variantsTtlMs = 86_400_000;

/** Entries live for ten years at the most; Cache-Control can say 68. */
const longestMs = 3650 * 86_400_000;

/** Keeps `answer`, for as long as its plan says. */
export async function shelve<Request extends IncomingLike>(
  visit: Visit<Request>,
  place: Place,
  context: LoadContext<Stored>,
  answer: StoredAnswer,
  plan: StoragePlan,
): Promise<Loaded> {
  const { route, at, client } = visit;
  const { variants } = place;
  // It may have been for nobody else once; from now on others wait for it again.
  route.notForOthers.delete(at.key);
  const tags = tagsFor(visit, answer);
  const ttl = Math.min(longestMs, Math.max(1, Math.ceil(plan.lifetimeMs - plan.ageMs)));
  const grace = Math.min(longestMs, Math.ceil(plan.keepMs));
  const names = plan.vary.filter((name) => !route.rules.vary.includes(name));
  if (variants !== undefined && names.every((name) => variants.names.includes(name))) {
    rememberLanguage(route, place, answer, client);
    context.tag(...tags);
    context.ttl(ttl);
    context.grace(grace);
    return answer;
  }
  const all = [...new Set([...names, ...(variants?.names ?? []), ...(route.seenNames.get(at.key) ?? [])])].sort();
  if (all.length > 0) route.seenNames.set(at.key, all);
  if (variants !== undefined) {
    // It differs in one more way than those before it: they must be found in another way from now on. That is for a load that
    // begins after this, for it might be older than an invalidation of the others.
    await route.cache.invalidate(at.key);
    return context.skip(new NotForOthers('again'));
  }
  context.tag(...tags);
  if (all.length === 0) {
    context.ttl(ttl);
    context.grace(grace);
    return answer;
  }
  // Before the variants are there nobody finds the answer: if they cannot be stored, because of an invalidation, it is gone.
  const found: Variants = { kind: 'variants', names: all, generation: randomUUID() };
  const first = variantPlace(at.key, found, client, route.rules);
  await route.cache.set(first.key, answer, { ttl, grace, tags: [...knownTags(visit), ...tags] });
  rememberLanguage(route, first, answer, client);
  context.ttl(variantsTtlMs);
  return found;
}

/** The tags that are known before there is an answer. */
export function knownTags<Request extends IncomingLike>({ route, at }: Visit<Request>): Key[] {
  return at.tag === undefined ? [...route.rules.tags] : [...route.rules.tags, at.tag];
}

function tagsFor<Request extends IncomingLike>({ route, req, at }: Visit<Request>, answer: StoredAnswer): Key[] {
  const fields = fieldsOf(answer.lines);
  const own = route.rules.tagsOf?.(req, { status: answer.status, fields }) ?? [];
  return [...own, ...groupsOf(fields, 'cache-groups').map((group) => groupTag(at.uri, group))];
}

/** RFC 9875 section 2.1: groups of two origins have nothing in common. Short, so that an answer can be in many of them. */
export function groupTag(uri: string, group: string): Key {
  const text = JSON.stringify([uri.split('/', 3).join('/'), group]);
  return ['group', createHash('sha256').update(text).digest('base64url')];
}
