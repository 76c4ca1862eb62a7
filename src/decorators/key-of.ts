/** Tells which key a call of a cached method has. */

import type { Key } from '../cache/key.ts';
import { keyOfCall } from '../cache/wrap/wrap.ts';
import { HotshelfError } from '../support/errors.ts';

/**
 * Returns the key of a call of a cached method, for `cache.invalidate`, `cache.mutate` and `@invalidates`. A static method
 * belongs to the class: `keyOf(Cities, 'all')`.
 *
 * @throws {HotshelfError} `OPTION_INVALID` if the method is not cached, or a decorator above `@cached` hides that it is.
 * @example
 * await cache.invalidate(keyOf(cities, 'byId', 7));
 */
export function keyOf<Name extends string | symbol, Args extends readonly unknown[]>(
  self: { readonly [_ in Name]: (...args: Args) => Promise<unknown> },
  method: Name,
  ...args: Args
): Key {
  const fn: object | undefined = self[method];
  if (isCached(fn)) return fn[keyOfCall](self, args);
  throw new HotshelfError(
    'OPTION_INVALID',
    `${String(method).slice(0, 40)}() is not cached, or another decorator hides it: let @cached stand first.`,
  );
}

function isCached(
  fn: object | undefined,
): fn is { readonly [keyOfCall]: (self: unknown, args: readonly unknown[]) => Key } {
  return fn !== undefined && keyOfCall in fn;
}
