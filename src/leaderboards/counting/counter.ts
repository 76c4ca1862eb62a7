/** Counts what happens, in buckets of time: views a minute, answers a day. */

import type { BackendWith } from '../../backend/backend.ts';
import { checkWhole } from './checks.ts';
import { heedless } from './heedless.ts';
import { startOf } from './key.ts';
import {
  type BucketCount,
  type BucketOptions,
  type CountingRules,
  type CountOptions,
  type LastOptions,
  readBucketOptions,
  readCountOptions,
  readLastOptions,
} from './options.ts';

export interface CounterOptions extends BucketOptions {
  /** Where it is counted. Counters with the same name and bucket on the same server count together. */
  readonly backend: BackendWith<'counters'>;
}

export interface Counter {
  readonly name: string;
  /**
   * Adds `by`, a whole number from 0, and resolves with the count of the current bucket. What nobody waits for fails in silence.
   *
   * @throws {HotshelfError} `OPTION_INVALID`; `BACKEND_DOWN` or `BACKEND_REFUSED` if nothing was added; `OUTCOME_UNKNOWN` if
   *   it was added once or not at all.
   */
  add(by?: number, options?: CountOptions): Promise<number>;
  /**
   * The sum of the last buckets.
   *
   * @throws {HotshelfError} as `add`
   */
  total(options?: LastOptions): Promise<number>;
  /**
   * The last buckets, the oldest first; one in which nobody counted is 0.
   *
   * @throws {HotshelfError} as `add`
   */
  series(options?: LastOptions): Promise<readonly BucketCount[]>;
}

/** More buckets than there are minutes in a week. */
const mostKept = 10_080;

/**
 * Returns a counter.
 *
 * An addition is one command, and what is read is read in one trip, however many buckets it has. Every key goes by itself,
 * when its bucket is no longer one of those that are kept.
 *
 * @param name what is counted, in 1 to 100 characters
 * @throws {HotshelfError} `OPTION_INVALID` or `FACET_MISSING`
 * @example
 * const views = counter('views', { backend, bucket: '1m', keep: 60 });
 * await views.add(1, { of: '/home' });
 * await views.total({ last: 5, of: '/home' }); // of this minute and the four before it
 */
export function counter(name: string, options: CounterOptions): Counter {
  return new BucketCounter(name, readBucketOptions(name, options, 'counters', 'counter()', mostKept));
}

class BucketCounter implements Counter {
  readonly name: string;
  readonly #rules: CountingRules<'counters'>;

  constructor(name: string, rules: CountingRules<'counters'>) {
    this.name = name;
    this.#rules = rules;
  }

  add(by = 1, options: CountOptions = {}): Promise<number> {
    return heedless(this.#add(by, options));
  }

  async #add(by: number, options: CountOptions): Promise<number> {
    checkWhole('by', 'add()', by, 0, Number.MAX_SAFE_INTEGER);
    const of = readCountOptions(options, 'add()');
    const { facet, buckets, clock } = this.#rules;
    const { suffix } = buckets.current(clock.now());
    return facet.add(`${startOf('counters', this.name, of)}:${suffix}`, by, buckets.lifetimeMs);
  }

  async total(options: LastOptions = {}): Promise<number> {
    const counts = await this.#read(options, 'total()');
    return counts.reduce((sum, { count }) => sum + count, 0);
  }

  async series(options: LastOptions = {}): Promise<readonly BucketCount[]> {
    return this.#read(options, 'series()');
  }

  async #read(options: LastOptions, user: string): Promise<readonly BucketCount[]> {
    const buckets = readLastOptions(options, this.#rules, user);
    const start = startOf('counters', this.name, options.of);
    const counts = await this.#rules.facet.read(buckets.map(({ suffix }) => `${start}:${suffix}`));
    return buckets.map(({ at }, place) => ({ at, count: counts[place] ?? 0 }));
  }
}
