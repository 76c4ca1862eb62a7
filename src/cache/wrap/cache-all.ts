/** Caches the methods of an object that somebody else wrote. */

import { describe, HotshelfError } from '../../support/errors.ts';
import { checkOptionNames } from '../../support/options.ts';
import type { Cache } from '../cache.ts';
import { CachedCall, type Place } from './cached-call.ts';
import type { Key } from '../key.ts';
import { type InvalidatesRule, MutatingCall } from './mutating-call.ts';
import { claimName } from './names.ts';
import { placeOf } from './place.ts';
import { type CachedRule, handle, keyOfCall, named, type WrappedHandle } from './wrap.ts';

/** A method that writes, and what it invalidates: its keys from the arguments, or more in an `InvalidatesRule`. */
export interface WritingRule<Args extends readonly unknown[], Self> {
  readonly invalidates: InvalidatesRule<Args, Self> | ((this: Self, ...args: Args) => readonly Key[]);
}

/** What may be said of the methods of a repository that return a promise. */
export type RulesFor<Repository> = {
  readonly [Name in keyof Repository]?: Repository[Name] extends (...args: infer Args) => Promise<infer Value>
    ? (CachedRule<Args, Value, Repository> & { readonly invalidates?: never }) | WritingRule<Args, Repository>
    : never;
};

/** Nothing in `Rules` that nobody knows: neither methods nor options. */
type KnownNames<Repository, Rules> = {
  readonly [Name in keyof Rules]: Name extends keyof Repository
    ? { readonly [Option in Exclude<keyof Rules[Name], keyof CachedRule | 'invalidates'>]: never }
    : never;
};

/** A repository whose cached methods also have `key` and `invalidate`. */
export type CachedRepository<Repository, Rules> = Repository & {
  readonly [
    Name in keyof Repository & keyof Rules as Rules[Name] extends { readonly invalidates: unknown } ? never : Name
  ]: Repository[Name] extends (...args: infer Args) => unknown ? WrappedHandle<Args> : never;
};

export interface CacheAllOptions {
  /**
   * The first part of the default keys, before the name of the method. Names that you give are yours to keep apart.
   * @default the name of the repository's class
   */
  name?: string;
}

/**
 * Caches the methods of `repository` that `rules` name, lets others invalidate, and leaves the rest alone. Returns
 * `repository` itself: its methods are replaced in place. So it keeps its type and its private fields, calls
 * from one of its methods to another are cached too, and nobody who has the object writes past the cache.
 *
 * **All instances of a class share their entries.** Where the result of a method depends on more than its arguments, on a
 * tenant for example, put that into its `key`; the object is `this` there.
 *
 * @throws {HotshelfError} `OPTION_INVALID`, and then nothing was replaced: no such method, cached already, a frozen object, or
 *   another class of this name has such a method on this cache.
 * @example
 * const cities = cacheAll(cache, new Cities(db), {
 *   byId: { ttl: '5m' },
 *   rename: { invalidates: (id) => [cities.byId.key(id)] },
 * });
 * await cities.byId(7);
 * await cities.byId.invalidate(7);
 */
export function cacheAll<
  Repository extends object,
  const Rules extends RulesFor<Repository> & KnownNames<Repository, Rules>,
>(cache: Cache, repository: Repository, rules: Rules, options?: CacheAllOptions): CachedRepository<Repository, Rules>;
export function cacheAll(
  cache: Cache,
  repository: object,
  rules: Readonly<Record<string, AnyRule>>,
  options: CacheAllOptions = {},
): object {
  const place = placeOf(cache, 'cacheAll()');
  checkOptionNames(options, ['name'], 'cacheAll()');
  checkObject(repository, 'the repository');
  checkObject(rules, 'the rules');
  const replacements = Object.entries(rules).map(([name, rule]) => {
    const where = `cacheAll() for ${name.slice(0, 40)}()`;
    const fn = methodOf(repository, name);
    if (typeof rule !== 'object' || rule === null) {
      throw new HotshelfError(
        'OPTION_INVALID',
        `Expected the rule of ${where} to be an object, got ${describe(rule)}.`,
      );
    }
    if ('invalidates' in rule) return { name, replacement: writing(place, repository, { fn, rule, where }) };
    const fullName = rule.key === undefined ? nameFor(place, repository, { name, fn, given: options.name }) : name;
    const inner = new CachedCall(place, { nameOf: () => fullName, fn, rule, where });
    return { name, replacement: reading(inner, repository, fn) };
  });
  for (const { name, replacement } of replacements) replace(repository, name, replacement);
  return repository;
}

function checkObject(value: unknown, what: string): void {
  if (typeof value === 'object' && value !== null) return;
  throw new HotshelfError('OPTION_INVALID', `Expected ${what} of cacheAll() to be an object, got ${describe(value)}.`);
}

type AnyArgs = readonly unknown[];
type AnyMethod = (this: unknown, ...args: AnyArgs) => unknown;
type AnyRule = CachedRule | WritingRule<AnyArgs, unknown>;

function reading(inner: CachedCall<AnyArgs, unknown, unknown>, repository: object, fn: AnyMethod): AnyMethod {
  const method = (...args: AnyArgs) => inner.call(repository, args);
  return Object.assign(named(method, fn), handle(inner, repository), {
    [keyOfCall]: (_: unknown, args: AnyArgs) => inner.keyOf(repository, args),
  });
}

function writing(
  { cache }: Place,
  repository: object,
  { fn, rule, where }: { fn: AnyMethod; rule: WritingRule<AnyArgs, unknown>; where: string },
): AnyMethod {
  checkOptionNames(rule, ['invalidates'], where);
  const { invalidates } = rule;
  const inner = new MutatingCall(fn, typeof invalidates === 'function' ? { keys: invalidates } : invalidates, where);
  return named((...args: AnyArgs) => inner.call(cache, repository, args), fn);
}

/** Returns the first part of a method's default keys. */
function nameFor(
  { space }: Place,
  repository: object,
  method: { name: string; fn: AnyMethod; given: string | undefined },
): string {
  if (method.given !== undefined) return `${method.given}.${method.name}`;
  const className: unknown = repository.constructor?.name;
  if (typeof className !== 'string' || className === '' || className === 'Object') {
    throw new HotshelfError(
      'OPTION_INVALID',
      `${method.name.slice(0, 40)}() belongs to no class with a name. Give cacheAll() a \`name\`, or the rule a \`key\`.`,
    );
  }
  const fullName = `${className}.${method.name}`;
  claimName(space, fullName, method.fn);
  return fullName;
}

function methodOf(repository: object, name: string): AnyMethod {
  const fn: unknown = Reflect.get(repository, name);
  const problem =
    typeof fn !== 'function'
      ? `cacheAll() needs a method, and ${name.slice(0, 40)} is ${describe(fn)}.`
      : keyOfCall in fn
        ? `${name.slice(0, 40)}() is cached already.`
        : isReplaceable(repository, name)
          ? undefined
          : `cacheAll() cannot replace ${name.slice(0, 40)}() of a frozen object or a module. Hand in a copy: { ...it }.`;
  if (problem !== undefined) throw new HotshelfError('OPTION_INVALID', problem);
  return fn as AnyMethod;
}

function isReplaceable(repository: object, name: string): boolean {
  const own = Object.getOwnPropertyDescriptor(repository, name);
  return own === undefined ? Object.isExtensible(repository) : own.configurable === true;
}

function replace(repository: object, name: string, value: AnyMethod): void {
  const enumerable = Object.getOwnPropertyDescriptor(repository, name)?.enumerable === true;
  Object.defineProperty(repository, name, { value, enumerable, writable: true, configurable: true });
}
