/** Says which methods a decorator fits, from the functions in its rule. */

import type { Duration } from '../support/duration.ts';
import type { Cache } from '../cache/cache.ts';
import type { CachedRule } from '../cache/wrap/wrap.ts';
import type { InvalidatesRule } from '../cache/wrap/mutating-call.ts';
import type { Key } from '../cache/key.ts';

/** A cache, or how to find it from the object whose method is called. */
export type CacheSource<Self> = Cache | ((self: Self) => Cache);

/** A function with any parameters: what they are is compared where the decorator stands. */
type OfCall<Result> = { of(...args: readonly unknown[]): Result }['of'];
type OfValue<Result> = { of(value: unknown, ...args: readonly unknown[]): Result }['of'];

/** How a decorated method is cached: a `CachedRule` and a name. */
export interface CachedMethodRule extends Omit<CachedRule, 'key' | 'when' | 'unless' | 'ttl' | 'tags'> {
  /**
   * The first part of the default key, in place of the names of the class and the method.
   * @default 'Cities.byId', or 'Cities.static.byId' for a static method
   */
  name?: string;
  key?: OfCall<Key>;
  when?: OfCall<boolean>;
  unless?: OfValue<boolean>;
  ttl?: Duration | OfValue<Duration>;
  tags?: readonly Key[] | OfValue<readonly Key[]>;
}

/** What a decorated method invalidates. */
export interface InvalidatesMethodRule extends Omit<InvalidatesRule, 'keys' | 'tags'> {
  keys?: readonly Key[] | OfCall<readonly Key[]>;
  tags?: readonly Key[] | OfCall<readonly Key[]>;
}

/** No name in a rule that nobody knows. */
export type Known<Rule, Names> = { readonly [Name in Exclude<keyof Rule, Names>]: never };

type In<Rule, Name extends string> = Rule extends { readonly [_ in Name]: infer Value } ? Value : undefined;

/** A method may have more parameters than a function of the rule, never less. */
type Longer<Args extends readonly unknown[]> = number extends Args['length'] ? Args : readonly [...Args, ...unknown[]];
type ArgsFor<Fn> = Fn extends (...args: infer Args) => unknown ? Longer<Args> : readonly unknown[];
type ArgsAfterValue<Fn> = Fn extends (value: never, ...args: infer Args) => unknown ? Longer<Args> : readonly unknown[];
type ValueFor<Fn> = Fn extends (value: infer Value, ...args: never[]) => unknown ? Value : unknown;
type SelfFor<Fn> = Fn extends (this: infer Self, ...args: never[]) => unknown ? Self : unknown;

/**
 * Decorates methods that take `Args`, promise a `Value` and belong to a `Self`: as a standard decorator, and as TypeScript's
 * `experimentalDecorators` call it.
 */
export interface MethodDecoratorFor<Self, Args extends readonly unknown[], Value> {
  <This extends Self, Given extends Args, Promised extends Value>(
    method: (...args: Given) => Promise<Promised>,
    context: ClassMethodDecoratorContext<This, (...args: Given) => Promise<Promised>>,
  ): void;
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- what is given is compared with its bound
  <Given extends Args, Promised extends Value>(
    target: Self,
    name: string | symbol,
    descriptor: { readonly value?: (...args: Given) => Promise<Promised> },
  ): void;
}

/** Whose limit a call counts against. */
type LimitKey = string | readonly string[];

/** How calls of a decorated method are limited. */
export interface LimitedMethodRule {
  /** Whose limit a call counts against; in a function the object is its `this`. */
  key: LimitKey | OfCall<LimitKey>;
  /**
   * How much a call takes.
   * @default 1
   */
  cost?: number | OfCall<number>;
  /**
   * Wait until there is room, at most so long, instead of throwing at once.
   * @default no waiting
   */
  within?: Duration;
}

/** What may stand for a rule of `@limited`: its key alone. */
export type LimitedMethodKey = LimitKey | OfCall<LimitKey>;

/** What `@limited` needs of a limiter: what `limiter()` of `hotshelf/limits` returns. */
export interface WrappingLimiter {
  wrap<Result>(
    fn: () => Promise<Result>,
    rule: { readonly key: LimitKey; readonly cost?: number; readonly within?: Duration },
  ): () => Promise<Result>;
}

/** A limiter, or how to find it from the object whose method is called. */
export type LimiterSource<Self> = WrappingLimiter | ((self: Self) => WrappingLimiter);

/** The decorator for methods that a rule of `@cached` fits. */
export type CachedDecorator<Self, Rule> = MethodDecoratorFor<
  NoInfer<Self> &
    SelfFor<In<Rule, 'key'>> &
    SelfFor<In<Rule, 'when'>> &
    SelfFor<In<Rule, 'unless'>> &
    SelfFor<In<Rule, 'ttl'>> &
    SelfFor<In<Rule, 'tags'>>,
  ArgsFor<In<Rule, 'key'>> &
    ArgsFor<In<Rule, 'when'>> &
    ArgsAfterValue<In<Rule, 'unless'>> &
    ArgsAfterValue<In<Rule, 'ttl'>> &
    ArgsAfterValue<In<Rule, 'tags'>>,
  ValueFor<In<Rule, 'unless'>> & ValueFor<In<Rule, 'ttl'>> & ValueFor<In<Rule, 'tags'>>
>;

/** The decorator for methods that a rule of `@invalidates` fits. */
export type InvalidatesDecorator<Self, Rule> = MethodDecoratorFor<
  NoInfer<Self> & SelfFor<Rule> & SelfFor<In<Rule, 'keys'>> & SelfFor<In<Rule, 'tags'>>,
  ArgsFor<Rule> & ArgsFor<In<Rule, 'keys'>> & ArgsFor<In<Rule, 'tags'>>,
  unknown
>;

/** The decorator for methods that a rule of `@limited` fits. */
export type LimitedDecorator<Self, Rule> = MethodDecoratorFor<
  NoInfer<Self> & SelfFor<Rule> & SelfFor<In<Rule, 'key'>> & SelfFor<In<Rule, 'cost'>>,
  ArgsFor<Rule> & ArgsFor<In<Rule, 'key'>> & ArgsFor<In<Rule, 'cost'>>,
  unknown
>;
