/** Caches a method where it is written: `@cached`. */

import type { Cache } from '../cache/cache.ts';
import { CachedCall, ruleNames } from '../cache/wrap/cached-call.ts';
import { claimName } from '../cache/wrap/names.ts';
import { placeOf } from '../cache/wrap/place.ts';
import { keyOfCall } from '../cache/wrap/wrap.ts';
import { describe, HotshelfError } from '../support/errors.ts';
import { checkOptionNames } from '../support/options.ts';
import { type AnyArgs, type AnyMethod, decorate, type DecoratedMethod } from './method.ts';
import { Owner } from './owner.ts';
import type { CachedDecorator, CachedMethodRule, CacheSource, Known } from './types.ts';

type Call = CachedCall<AnyArgs, unknown, unknown>;

/**
 * Caches the results of an async method: a standard decorator, and one for `experimentalDecorators`, as in NestJS.
 *
 * The default key is the class, the method and all arguments, in full: `Cities.byId`, `7`. Calls inside the class
 * are cached too. The rest of the promises is that of `cache.get`.
 *
 * **All instances of a class share their entries.** Where the result depends on more than the arguments, on a tenant for
 * example, put that into `key`: the object is its `this`. A build tool that renames classes, as minifiers do, renames the
 * keys with them; then give a `name`.
 *
 * @param cache a cache, or a function that finds it from the object
 * @throws {HotshelfError} `OPTION_INVALID` where the class is defined for a wrong rule; where the cache is found from the object,
 *   values in the rule are looked at when the method is called. A call rejects with it when two classes of one name, or two
 *   classes that inherit one method, would share their entries.
 * @example
 * ```ts
 * class Cities {
 *   constructor(readonly tenant: string) {}
 *
 *   @cached(cache, { ttl: '5m' })
 *   async byId(id: number) {
 *     return db.city(id);
 *   }
 *
 *   @cached(cache, { key(this: Cities, name: string) { return ['cities', this.tenant, name]; } })
 *   async find(name: string) {
 *     return db.cities(this.tenant, name);
 *   }
 * }
 * ```
 */
export function cached<Self = unknown, const Rule extends CachedMethodRule = CachedMethodRule>(
  cache: CacheSource<Self>,
  rule?: Rule & Known<Rule, keyof CachedMethodRule>,
): CachedDecorator<Self, Rule>;
export function cached(cache: CacheSource<never>, rule: CachedMethodRule = {}): (...applied: AnyArgs) => unknown {
  return (...applied) => decorate(applied, '@cached', (method) => cachedMethod(cache, rule, method));
}

function cachedMethod(source: CacheSource<never>, rule: CachedMethodRule, method: DecoratedMethod): AnyMethod {
  checkOptionNames(rule, ['name', ...ruleNames], '@cached');
  const callFor = calls(source, rule, method, () => replacement);
  function replacement(this: unknown, ...args: AnyArgs): Promise<unknown> {
    try {
      return callFor(this).call(this, args);
    } catch (error) {
      return Promise.reject(error);
    }
  }
  return Object.assign(replacement, { [keyOfCall]: (self: unknown, args: AnyArgs) => callFor(self).keyOf(self, args) });
}

/** Returns what finds the cached call for an object. */
function calls(
  source: CacheSource<never>,
  { name, ...rule }: CachedMethodRule,
  method: DecoratedMethod,
  replacement: () => object,
): (self: unknown) => Call {
  if (name !== undefined && (typeof name !== 'string' || name === '')) {
    throw new HotshelfError('OPTION_INVALID', `Expected \`name\` of @cached to be some text, got ${describe(name)}.`);
  }
  const owner = rule.key === undefined && name === undefined ? new Owner(method, replacement) : undefined;
  const make = (cache: unknown): Call => {
    const place = placeOf(cache, '@cached');
    const take = (self: unknown): string => {
      const fullName = owner?.nameFor(self) ?? name ?? '';
      claimName(place.space, fullName, method.fn);
      return fullName;
    };
    let taken: string | undefined;
    const nameOf = (self: unknown) => (taken ??= take(self));
    return new CachedCall(place, { nameOf, fn: method.fn, rule, where: '@cached' });
  };
  const callIn =
    typeof source === 'function' ? perCache(source as (self: unknown) => Cache, make) : always(make(source));
  if (owner === undefined) return callIn;
  return (self) => {
    owner.check(self);
    return callIn(self);
  };
}

function always(call: Call): () => Call {
  return () => call;
}

/** Instances may bring caches of their own. */
function perCache(cacheOf: (self: unknown) => Cache, make: (cache: unknown) => Call): (self: unknown) => Call {
  const known = new WeakMap<Cache, Call>();
  return (self) => {
    const cache = cacheOf(self);
    const found = known.get(cache);
    if (found !== undefined) return found;
    const call = make(cache);
    known.set(cache, call);
    return call;
  };
}
