/** Answers the calls of one function through a cache. */

import { describe, HotshelfError } from '../../support/errors.ts';
import { checkOptionNames } from '../../support/options.ts';
import type { Cache } from '../cache.ts';
import type { Key } from '../key.ts';
import { KnownTuples } from '../known-keys.ts';
import type { EntryOptions } from '../options.ts';
import { Skipped } from '../load/outcome.ts';
import { entryNames, type Policy } from '../policy.ts';
import type { Space } from '../space.ts';
import type { CachedRule } from './wrap.ts';

/** A cache and what lies behind it. */
export interface Place {
  readonly cache: Cache;
  readonly space: Space;
}

export interface CachedCallParts<Args extends readonly unknown[], Value, Self> {
  /** Returns the first part of the default key; not asked where the rule has a `key`. */
  readonly nameOf: (self: Self) => string;
  readonly fn: (this: Self, ...args: Args) => Promise<Value> | Value;
  readonly rule: CachedRule<Args, Value, Self>;
  /** How its user wrote it, for error messages. */
  readonly where: string;
}

/** The options of a `CachedRule`. */
export const ruleNames = ['key', 'when', 'unless', ...entryNames];

export class CachedCall<Args extends readonly unknown[], Value, Self> {
  readonly #place: Place;
  readonly #parts: CachedCallParts<Args, Value, Self>;
  /** The options that no argument changes. */
  readonly #options: EntryOptions<Value> | undefined;
  /** Whether a copy that is kept decoded in this process answers without asking anything else. */
  readonly #takesKept: boolean;
  /** What the values must fit. */
  readonly #schema: Policy['schema'];
  /** Full keys by the arguments; `undefined` where they do not say it all. */
  readonly #known: KnownTuples | undefined;

  /** @throws {HotshelfError} `OPTION_INVALID` */
  constructor(place: Place, parts: CachedCallParts<Args, Value, Self>) {
    const { rule, where } = parts;
    if (typeof rule !== 'object' || rule === null || Array.isArray(rule)) {
      throw new HotshelfError(
        'OPTION_INVALID',
        `Expected the options of ${where} to be an object, got ${describe(rule)}.`,
      );
    }
    checkOptionNames(rule, ruleNames, where);
    const { key, when, unless, ttl, tags, ...rest } = rule;
    for (const [name, value] of Object.entries({ key, when, unless })) {
      if (value === undefined || typeof value === 'function') continue;
      throw new HotshelfError(
        'OPTION_INVALID',
        `Expected \`${name}\` of ${where} to be a function, got ${describe(value)}.`,
      );
    }
    const options: EntryOptions<Value> = { ...rest };
    if (ttl !== undefined && typeof ttl !== 'function') options.ttl = ttl;
    if (tags !== undefined && typeof tags !== 'function') options.tags = tags;
    const policy = place.space.policyOf(options, where);
    this.#place = place;
    this.#parts = parts;
    this.#options = Object.keys(options).length === 0 ? undefined : options;
    this.#schema = policy.schema;
    this.#takesKept = !policy.fresh && policy.verify === 0 && policy.accept === undefined;
    this.#known = this.#takesKept && key === undefined && when === undefined ? new KnownTuples() : undefined;
  }

  /** Rejects, and never throws, also when a function of the rule does. */
  call(self: Self, args: Args): Promise<Value> {
    const full = this.#known?.find(args);
    const kept = full === undefined ? undefined : this.#place.space.keptAt(full, this.#schema);
    if (kept !== undefined) return kept.promise as Promise<Value>;
    try {
      return this.#read(self, args);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Returns the key of a call. */
  keyOf(self: Self, args: Args): Key {
    const { nameOf, rule } = this.#parts;
    if (rule.key !== undefined) return rule.key.call(self, ...args);
    const key: unknown[] = [nameOf(self), ...args];
    // To a function an argument that was left out and a last one that is `undefined` are the same.
    while (key.at(-1) === undefined) key.pop();
    // Whether they can be parts of a key is for `encodeKey` to say.
    return key as readonly unknown[] as Key;
  }

  invalidate(self: Self, args: Args): Promise<void> {
    try {
      return this.#place.cache.invalidate(this.keyOf(self, args));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #read(self: Self, args: Args): Promise<Value> {
    const { fn, rule } = this.#parts;
    if (rule.when !== undefined && !rule.when.call(self, ...args)) return Promise.resolve(fn.call(self, ...args));
    const key = this.keyOf(self, args);
    const kept = this.#takesKept ? this.#place.space.kept(key, this.#schema) : undefined;
    if (kept !== undefined) return kept.promise as Promise<Value>;
    this.#known?.remember(args, this.#place.space.fullKey(key));
    return this.#place.cache.get<Value>(key, this.#loader(self, args), this.#optionsOf(self, args));
  }

  #loader(self: Self, args: Args): () => Promise<Value | Skipped<Value>> | Value {
    const { fn, rule } = this.#parts;
    const { unless } = rule;
    if (unless === undefined) return () => fn.call(self, ...args);
    return async () => {
      const value = await fn.call(self, ...args);
      return unless.call(self, value, ...args) ? new Skipped(value) : value;
    };
  }

  #optionsOf(self: Self, args: Args): EntryOptions<Value> | undefined {
    const { ttl, tags } = this.#parts.rule;
    if (typeof ttl !== 'function' && typeof tags !== 'function') return this.#options;
    return {
      ...this.#options,
      ...(typeof ttl === 'function' && { ttl: (value: Value) => ttl.call(self, value, ...args) }),
      ...(typeof tags === 'function' && { tags: (value: Value) => tags.call(self, value, ...args) }),
    };
  }
}
