/** The whole way of a hit that this process has at hand: nothing is decided here that could be decided when it was stored. */

import type { CacheControl } from '../../http/cache-control.ts';
import { currentAgeMs, decideReuse, requestDirectives } from '../../http/reuse.ts';
import type { PrimaryKey } from './key.ts';
import { replyTo } from './reply.ts';
import type { IncomingLike, ResponseLike } from '../request.ts';
import type { Route } from './route.ts';
import { sendReply } from './send.ts';
import { variantPlace } from './place.ts';
import type { Stored, StoredAnswer } from './stored.ts';

/** Returns the answer that this process has at hand. */
export function kept<Request extends IncomingLike>(
  { space, rules }: Route<Request>,
  req: Request,
  at: PrimaryKey,
): StoredAnswer | undefined {
  const first = space.keptAt(space.fullKey(at.key), undefined)?.value as Stored | undefined;
  if (first?.kind !== 'variants') return first;
  const { key } = variantPlace(at.key, first, req.headers, rules);
  const second = space.keptAt(space.fullKey(key), undefined)?.value as Stored | undefined;
  return second?.kind === 'answer' ? second : undefined;
}

/** Answers with `stored`; `false` if it is not good enough for this request. */
export function hit<Request extends IncomingLike>(
  route: Route<Request>,
  req: Request,
  res: ResponseLike,
  stored: StoredAnswer | undefined,
): boolean {
  if (stored === undefined) return false;
  const now = route.clock.now();
  if (decideReuse(stored.stock, directivesOf(route, req), now) !== 'serve') return false;
  const ageMs = currentAgeMs(stored.stock, now);
  const status = `${route.name}; hit; ttl=${Math.trunc((stored.stock.lifetimeMs - ageMs) / 1000)}`;
  const timing = route.rules.serverTiming ? route.timingOf(route.clock.monotonic(), 'hit') : undefined;
  sendReply(res, replyTo(stored, req.headers), { status, ageMs, timing }, req.method !== 'HEAD');
  return true;
}

function directivesOf<Request extends IncomingLike>(
  { rules }: Route<Request>,
  { headers }: Request,
): CacheControl | undefined {
  return rules.requestDirectives ? requestDirectives(headers) : undefined;
}
