/** Lets a method that changes the truth invalidate what it makes untrue: `@invalidates`. */

import type { Cache } from '../cache/cache.ts';
import type { Key } from '../cache/key.ts';
import { MutatingCall } from '../cache/wrap/mutating-call.ts';
import { placeOf } from '../cache/wrap/place.ts';
import { type AnyArgs, type AnyMethod, decorate, type DecoratedMethod } from './method.ts';
import type { CacheSource, InvalidatesDecorator, InvalidatesMethodRule, Known } from './types.ts';

type Keys = (...args: never[]) => readonly Key[];

/**
 * Runs an async method as the write of `cache.mutate`: while it runs nothing is cached under its keys, and when it resolves
 * what was cached before is gone. A standard decorator, and one for `experimentalDecorators`.
 *
 * @param cache a cache, or a function that finds it from the object
 * @param rule the keys from the arguments of the call, or `{ keys, tags, settle, strict }`
 * @throws {HotshelfError} `OPTION_INVALID` where the class is defined for a wrong rule.
 * @example
 * ```ts
 * class Cities {
 *   @invalidates(cache, function (this: Cities, id: number) { return [keyOf(this, 'byId', id)]; })
 *   async rename(id: number, name: string) {
 *     await db.rename(id, name);
 *   }
 * }
 * ```
 */
export function invalidates<Self = unknown, const Rule extends InvalidatesMethodRule | Keys = InvalidatesMethodRule>(
  cache: CacheSource<Self>,
  rule: Rule & (Rule extends Keys ? unknown : Known<Rule, keyof InvalidatesMethodRule>),
): InvalidatesDecorator<Self, Rule>;
export function invalidates(
  cache: CacheSource<never>,
  rule: InvalidatesMethodRule | OfCall,
): (...applied: AnyArgs) => unknown {
  const whole = typeof rule === 'function' ? { keys: rule } : rule;
  return (...applied) => decorate(applied, '@invalidates', (method) => invalidatingMethod(cache, whole, method));
}

type OfCall = NonNullable<Extract<InvalidatesMethodRule['keys'], (...args: never[]) => unknown>>;

function invalidatingMethod(
  source: CacheSource<never>,
  rule: InvalidatesMethodRule,
  { fn }: DecoratedMethod,
): AnyMethod {
  const inner = new MutatingCall(fn, rule, '@invalidates');
  if (typeof source !== 'function') placeOf(source, '@invalidates');
  const cacheOf = typeof source === 'function' ? (source as (self: unknown) => Cache) : () => source;
  return async function replacement(this: unknown, ...args: AnyArgs) {
    return inner.call(placeOf(cacheOf(this), '@invalidates').cache, this, args);
  };
}
