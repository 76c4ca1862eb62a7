/** Carries out the calls of one function as writes that invalidate. */

import { describe, HotshelfError } from '../../support/errors.ts';
import { checkOptionNames } from '../../support/options.ts';
import type { Cache } from '../cache.ts';
import type { Key } from '../key.ts';
import type { MutateOptions } from '../options.ts';
import { checkMutateOptions } from '../policy.ts';

/** What a write invalidates, and how: see `cache.mutate`. It needs `keys` or `tags`. */
export interface InvalidatesRule<Args extends readonly unknown[] = readonly unknown[], Self = unknown> extends Omit<
  MutateOptions,
  'tags'
> {
  /**
   * The keys that the write makes untrue, from the arguments of the call.
   * @default none
   */
  keys?: readonly Key[] | ((this: Self, ...args: Args) => readonly Key[]);
  /**
   * The tags that the write invalidates.
   * @default none
   */
  tags?: readonly Key[] | ((this: Self, ...args: Args) => readonly Key[]);
}

export class MutatingCall<Args extends readonly unknown[], Result, Self> {
  readonly #fn: (this: Self, ...args: Args) => Promise<Result> | Result;
  readonly #keys: InvalidatesRule<Args, Self>['keys'];
  readonly #tags: InvalidatesRule<Args, Self>['tags'];
  readonly #options: Omit<MutateOptions, 'tags'>;

  /** @throws {HotshelfError} `OPTION_INVALID` */
  constructor(
    fn: (this: Self, ...args: Args) => Promise<Result> | Result,
    rule: InvalidatesRule<Args, Self>,
    /** How its user wrote it, for error messages. */
    where: string,
  ) {
    checkOptionNames(rule ?? null, ['keys', 'tags', 'settle', 'strict', 'ack'], where);
    const { keys, tags, ...options } = rule;
    checkMutateOptions(options);
    const given = Object.entries({ keys, tags }).filter(([, value]) => value !== undefined);
    const wrong = given.find(([, value]) => typeof value !== 'function' && !Array.isArray(value));
    if (wrong !== undefined || given.length === 0) {
      const [name, value] = wrong ?? ['keys', keys];
      throw new HotshelfError(
        'OPTION_INVALID',
        `Expected \`${name}\` of ${where} to be a list of keys, or a function that returns one, got ${describe(value)}.`,
      );
    }
    this.#fn = fn;
    this.#keys = keys;
    this.#tags = tags;
    this.#options = options;
  }

  /** Rejects before anything is written when a function of the rule throws. */
  async call(cache: Cache, self: Self, args: Args): Promise<Result> {
    const keys = listOf(this.#keys, self, args);
    const tags = listOf(this.#tags, self, args);
    const options = tags === undefined ? this.#options : { ...this.#options, tags };
    return cache.mutate(keys ?? [], () => this.#fn.call(self, ...args), options);
  }
}

function listOf<Args extends readonly unknown[], Self>(
  keys: InvalidatesRule<Args, Self>['keys'],
  self: Self,
  args: Args,
): readonly Key[] | undefined {
  return typeof keys === 'function' ? keys.call(self, ...args) : keys;
}
