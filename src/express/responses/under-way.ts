/** Knows for which answers a request is on its way to a handler: the same one, asked for once more there, must not wait for itself. */

import type { IdentityWatch } from './identity.ts';
import type { Bypass, PrimaryKey } from './key.ts';
import type { IncomingLike } from '../request.ts';
import type { Route } from './route.ts';

interface Asked {
  /** Of which cache. */
  readonly shelf: object;
  readonly key: string;
  readonly watch: IdentityWatch | undefined;
}

const underWay = new WeakMap<object, readonly Asked[]>();

/** Remembers that the handler is asked, by this request, for the answer with this key. */
export function setOut<Request extends IncomingLike>(
  { space }: Route<Request>,
  req: Request,
  at: PrimaryKey,
  watch: IdentityWatch | undefined,
): void {
  const asked: Asked = { shelf: space.shelf, key: space.fullKey(at.key), watch };
  underWay.set(req, [...(underWay.get(req) ?? []), asked]);
}

/**
 * Returns the key of the answer to a request, or why it passes the cache; `'under way'` where the handler is being asked for it by
 * this very request, because a cache stands twice before it.
 */
export function keyOf<Request extends IncomingLike>(
  route: Route<Request>,
  req: Request,
): PrimaryKey | Bypass | 'under way' {
  const asked = underWay.get(req);
  if (asked === undefined) return route.keyOf(req);
  const { space, rules } = route;
  // A key is no answer: what is read for it does not count, unless it says whose the answer is.
  const read = rules.per === undefined ? asked.reduce(quietly, () => route.keyOf(req)) : () => route.keyOf(req);
  const at = read();
  if (typeof at === 'string') return at;
  const key = space.fullKey(at.key);
  return asked.some((one) => one.shelf === space.shelf && one.key === key) ? 'under way' : at;
}

function quietly<Result>(run: () => Result, { watch }: Asked): () => Result {
  return watch === undefined ? run : () => watch.pause(run);
}
