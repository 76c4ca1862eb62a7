/** Ends what is kept of what a request changes, before anybody hears that it was changed. */

import type { Cache } from '../../cache/cache.ts';
import type { Key } from '../../cache/key.ts';
import { invalidatedGroups } from '../../http/cache-groups.ts';
import { invalidatesTarget, relatedTargets } from '../../http/invalidation.ts';
import { HotshelfError, isUnconfirmed } from '../../support/errors.ts';
import type { Answered } from '../capture/answered.ts';
import { holdBack } from './held.ts';
import type { IncomingLike, Next, ResponseLike } from '../request.ts';
import type { Route } from './route.ts';
import { addNotes } from './send.ts';
import { groupTag } from './shelve.ts';
import { targetKeys, urlKeys } from './uri.ts';

/** Lets a request with an unsafe method through. RFC 9111 section 4.4, RFC 9875 section 3. */
export function change<Request extends IncomingLike>(
  route: Route<Request>,
  req: Request,
  res: ResponseLike,
  next: Next,
): void {
  const method = req.method ?? '';
  const target = targetKeys(req);
  addNotes(res, { status: route.statusOf({ fwd: 'method' }) });
  holdBack(req, res, next, (answered) => {
    if (target === undefined || !invalidatesTarget(method, answered.status)) return undefined;
    const related = relatedTargets(target.url, answered.fields).map(urlKeys);
    const all = [target, ...related].filter((keys) => keys !== undefined);
    const groups = invalidatedGroups(method, answered.fields).map((group) => groupTag(target.key, group));
    return invalidated(
      route.cache,
      all.map(({ key }) => key),
      [...all.map(({ tag }) => tag), ...groups],
    );
  });
}

/** Resolves when nothing that was kept before is served any more, or when the cache is trying behind: it says so in its events. */
export async function invalidated(cache: Cache, keys: readonly Key[], tags: readonly Key[]): Promise<void> {
  const results = await Promise.allSettled([cache.invalidate(...keys), cache.invalidateTags(tags)]);
  for (const result of results) {
    if (result.status === 'rejected' && !isForNobody(result.reason)) throw result.reason;
  }
}

/** What no handler could help: the backend does not confirm, or the cache was closed before the last answers of the site. */
function isForNobody(error: unknown): boolean {
  return isUnconfirmed(error) || (error instanceof HotshelfError && error.code === 'CLOSED');
}

/** True for an answer after which things may have changed. */
export function isDone({ status }: Answered): boolean {
  return status >= 200 && status < 400;
}
