/** The options of what is counted in buckets of time: names, bounds and checks. */

import type { Backend, FacetName, Facets } from '../../backend/backend.ts';
import { systemClock, type Clock } from '../../support/clock.ts';
import { durationMs, type Duration } from '../../support/duration.ts';
import { checkOptionNames } from '../../support/options.ts';
import { type Bucket, Buckets } from './buckets.ts';
import { checkClock, checkLabel, checkName, checkWhole, facetOf, wrong } from './checks.ts';

export interface BucketOptions {
  /** How long a bucket is, at least 1 s. Buckets begin at whole multiples of it since the epoch: days begin at 00:00 UTC. */
  readonly bucket: Duration;
  /** How many buckets are kept, the current one among them. */
  readonly keep: number;
  /**
   * Time: the clock of this process says which bucket is the current one.
   * @default the machine's own
   */
  readonly clock?: Clock;
}

/** Where to count. */
export interface CountOptions {
  /** Counts apart for each label, such as a page or a member. It may be any text. */
  readonly of?: string;
}

/** What to read. */
export interface LastOptions extends CountOptions {
  /**
   * The last so many buckets, the current one among them.
   * @default all that are kept
   */
  readonly last?: number;
}

/** What was counted in a bucket. */
export interface BucketCount {
  /** When the bucket begins, in epoch ms. */
  readonly at: number;
  readonly count: number;
}

/** A feature that counts, as its options say it. */
export interface CountingRules<Name extends FacetName> {
  readonly facet: Facets[Name];
  readonly buckets: Buckets;
  readonly clock: Clock;
}

const knownNames = ['backend', 'bucket', 'keep', 'clock'];
const shortestBucketMs = 1000;

/**
 * @param user how its user wrote the call: `counter()`
 * @param mostKept how many buckets can be read at once
 * @throws {HotshelfError} `OPTION_INVALID` or `FACET_MISSING`.
 */
export function readBucketOptions<Name extends FacetName>(
  name: string,
  options: BucketOptions & { readonly backend: Backend },
  facetName: Name,
  user: string,
  mostKept: number,
): CountingRules<Name> {
  checkName(name, user);
  checkOptionNames(options, knownNames, user);
  const { backend, bucket, keep, clock = systemClock } = options ?? {};
  const bucketMs = durationMs(bucket, 'bucket');
  if (bucketMs < shortestBucketMs || !Number.isInteger(bucketMs))
    throw wrong('bucket', user, 'a duration of at least 1 s, in whole ms', bucket);
  checkWhole('keep', user, keep, 1, mostKept);
  durationMs(bucketMs * keep, 'bucket` times `keep');
  checkClock(clock, user);
  return { facet: facetOf(backend, facetName, user), buckets: new Buckets(bucketMs, keep), clock };
}

/** @throws {HotshelfError} `OPTION_INVALID` */
export function readCountOptions(options: CountOptions, user: string): string | undefined {
  checkOptionNames(options, ['of'], user);
  checkLabel(options.of, user);
  return options.of;
}

/**
 * Returns the buckets that are asked for.
 *
 * @throws {HotshelfError} `OPTION_INVALID`
 */
export function readLastOptions(
  options: LastOptions,
  { buckets, clock }: CountingRules<FacetName>,
  user: string,
): readonly Bucket[] {
  checkOptionNames(options, ['last', 'of'], user);
  checkLabel(options.of, user);
  const { last = buckets.keep } = options;
  checkWhole('last', user, last, 1, buckets.keep);
  return buckets.last(last, clock.now());
}
