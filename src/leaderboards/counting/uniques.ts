/** Counts how many different members there were, in buckets of time: the visitors of a day, and of a month. */

import type { BackendWith } from '../../backend/backend.ts';
import { heedless } from './heedless.ts';
import { startOf } from './key.ts';
import { countedMember } from './member.ts';
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

export interface UniquesOptions extends BucketOptions {
  /** Where it is counted: memory or Redis. Uniques with the same name and bucket on the same server count together. */
  readonly backend: BackendWith<'uniques'>;
}

export interface UniqueCounts {
  readonly name: string;
  /**
   * Notes a member or several, in the current bucket. A member is any text that is not empty. What nobody waits for fails in silence.
   *
   * @throws {HotshelfError} `OPTION_INVALID`, `BACKEND_DOWN`, `BACKEND_REFUSED`, `OUTCOME_UNKNOWN`: to note a member again does
   *   no harm.
   */
  add(members: string | readonly string[], options?: CountOptions): Promise<void>;
  /**
   * How many different members the last buckets have together: exact for few, within about 2 % for any number.
   *
   * @throws {HotshelfError} as `add`
   */
  count(options?: LastOptions): Promise<number>;
  /**
   * How many each of the last buckets has, the oldest first. Who came in two of them is counted in both.
   *
   * @throws {HotshelfError} as `add`
   */
  series(options?: LastOptions): Promise<readonly BucketCount[]>;
}

/** What the facet takes at once, of members and of buckets. */
const mostAtOnce = 1000;

/**
 * Returns a count of different members. A bucket takes at most 12 kB on Redis and 40 kB in memory, however many members it has.
 *
 * @param name what is counted, in 1 to 100 characters
 * @throws {HotshelfError} `OPTION_INVALID`, or `FACET_MISSING` on Memcached
 * @example
 * const visitors = uniques('visitors', { backend, bucket: 'day', keep: 30 });
 * await visitors.add(user.id, { of: '/home' });
 * await visitors.count({ last: 7, of: '/home' }); // different people in these seven days
 */
export function uniques(name: string, options: UniquesOptions): UniqueCounts {
  return new BucketUniques(name, readBucketOptions(name, options, 'uniques', 'uniques()', mostAtOnce));
}

class BucketUniques implements UniqueCounts {
  readonly name: string;
  readonly #rules: CountingRules<'uniques'>;

  constructor(name: string, rules: CountingRules<'uniques'>) {
    this.name = name;
    this.#rules = rules;
  }

  add(members: string | readonly string[], options: CountOptions = {}): Promise<void> {
    return heedless(this.#add(members, options));
  }

  async #add(members: string | readonly string[], options: CountOptions): Promise<void> {
    const of = readCountOptions(options, 'add()');
    const noted = [members].flat().map((member) => countedMember(member, 'add()'));
    const { facet, buckets, clock } = this.#rules;
    const key = `${startOf('uniques', this.name, of)}:${buckets.current(clock.now()).suffix}`;
    const parts = Array.from({ length: Math.ceil(noted.length / mostAtOnce) }, (_, part) =>
      noted.slice(part * mostAtOnce, (part + 1) * mostAtOnce),
    );
    await Promise.all(parts.map((part) => facet.add(key, part, buckets.lifetimeMs)));
  }

  async count(options: LastOptions = {}): Promise<number> {
    const buckets = readLastOptions(options, this.#rules, 'count()');
    const start = startOf('uniques', this.name, options.of);
    return this.#rules.facet.count(buckets.map(({ suffix }) => `${start}:${suffix}`));
  }

  async series(options: LastOptions = {}): Promise<readonly BucketCount[]> {
    const buckets = readLastOptions(options, this.#rules, 'series()');
    const start = startOf('uniques', this.name, options.of);
    const counts = await Promise.all(buckets.map(({ suffix }) => this.#rules.facet.count([`${start}:${suffix}`])));
    return buckets.map(({ at }, place) => ({ at, count: counts[place] ?? 0 }));
  }
}
