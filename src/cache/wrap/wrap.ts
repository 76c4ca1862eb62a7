/** Makes a function that answers through a cache of one that does not. */

import type { Duration } from '../../support/duration.ts';
import { describe, HotshelfError } from '../../support/errors.ts';
import { CachedCall, type Place } from './cached-call.ts';
import type { Key } from '../key.ts';
import type { EntryOptions } from '../options.ts';

/**
 * How the calls of a function are cached: the options of `get`, and what depends on the arguments. Where the function is a
 * method its object is `this` of every function here; arrow functions do not see it.
 */
export interface CachedRule<
  Args extends readonly unknown[] = readonly unknown[],
  Value = unknown,
  Self = unknown,
> extends Omit<EntryOptions<Value>, 'ttl' | 'tags'> {
  /**
   * How long an entry is fresh, or a function of the value and the arguments that says so.
   * @default that of the cache
   */
  ttl?: Duration | ((this: Self, value: Value, ...args: Args) => Duration);
  /**
   * Labels of the entry, or a function of the value and the arguments that gives them.
   * @default none
   */
  tags?: readonly Key[] | ((this: Self, value: Value, ...args: Args) => readonly Key[]);
  /**
   * The key of a call. It must tell apart all that the result depends on.
   * @default the name of the function and all arguments; those at the end that are `undefined` count as left out
   */
  key?: (this: Self, ...args: Args) => Key;
  /**
   * Whether the cache has a part in this call; if not, the function is called as if there was no cache.
   * @default always
   */
  when?: (this: Self, ...args: Args) => boolean;
  /**
   * Whether this value is handed out without being stored.
   * @default never
   */
  unless?: (this: Self, value: Value, ...args: Args) => boolean;
}

/** What a cached function can besides being called. */
export interface WrappedHandle<Args extends readonly unknown[]> {
  /** Returns the key of a call with these arguments: for `cache.mutate`, `cache.peek` and the like. */
  key(...args: Args): Key;
  /** Invalidates the result for these arguments; see `cache.invalidate`. */
  invalidate(...args: Args): Promise<void>;
}

/** A cached function. */
export interface Wrapped<Args extends readonly unknown[], Value> extends WrappedHandle<Args> {
  (...args: Args): Promise<Value>;
}

/** As `cache.wrap`. @throws {HotshelfError} `OPTION_INVALID` */
export function wrapFunction<Args extends readonly unknown[], Value>(
  place: Place,
  name: string,
  fn: (...args: Args) => Promise<Value> | Value,
  rule: CachedRule<Args, Value> = {},
): Wrapped<Args, Value> {
  if (typeof name !== 'string' || name === '') {
    throw new HotshelfError('OPTION_INVALID', `Expected the name of wrap() to be some text, got ${describe(name)}.`);
  }
  if (typeof fn !== 'function') {
    throw new HotshelfError('OPTION_INVALID', `The function of wrap() must be a function, got ${describe(fn)}.`);
  }
  const inner = new CachedCall<Args, Value, unknown>(place, { nameOf: () => name, fn, rule, where: 'wrap()' });
  function wrapped(this: unknown, ...args: Args): Promise<Value> {
    return inner.call(this, args);
  }
  return Object.assign(named(wrapped, fn), handle(inner, undefined));
}

/** Under this name a cached method has a function of its object and the arguments that returns the key of that call. */
export const keyOfCall: unique symbol = Symbol('hotshelf.keyOfCall');

/** Returns what a cached function can besides being called, for calls with this object. */
export function handle<Args extends readonly unknown[], Value, Self>(
  inner: CachedCall<Args, Value, Self>,
  self: Self,
): WrappedHandle<Args> {
  return {
    key: (...args) => inner.keyOf(self, args),
    invalidate: (...args) => inner.invalidate(self, args),
  };
}

/** Gives `fn` the name and the number of parameters of the function that it stands for. */
export function named<Fn extends (...args: never[]) => unknown>(
  fn: Fn,
  original: { name: string; length: number },
): Fn {
  return Object.defineProperties(fn, {
    name: { value: original.name, configurable: true },
    length: { value: original.length, configurable: true },
  });
}
