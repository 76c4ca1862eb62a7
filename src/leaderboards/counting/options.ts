/** The options of what is counted in buckets of time: names, bounds and checks. */

import type { Backend, FacetName, Facets } from '../../backend/backend.ts';
import { systemClock, type Clock } from '../../support/clock.ts';
import { durationMs, type Duration } from '../../support/duration.ts';
import { checkOptionNames } from '../../support/options.ts';
import { type TimedKind, timedKinds } from '../time/windows.ts';
import { type Bucket, type Buckets, calendarBuckets, evenBuckets } from './buckets.ts';
import { checkClock, checkLabel, checkName, checkWhole, facetOf, wrong } from './checks.ts';

export interface BucketOptions {
  /**
   * How long a bucket is: at least 1 s, beginning at whole multiples since the epoch; or an hour, a day, a week (from Monday on), a
   * month or a year by the calendar of `timeZone`.
   */
  readonly bucket: Duration | TimedKind;
  /** How many buckets are kept, the current one among them. */
  readonly keep: number;
  /**
   * Where a bucket of the calendar begins and ends, as an IANA name such as `Europe/Paris`.
   * @default 'UTC'
   */
  readonly timeZone?: string;
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

export const bucketDefaults = { timeZone: 'UTC' } as const;

const knownNames = ['backend', 'bucket', 'keep', 'timeZone', 'clock'];
const calendarNames = '"hour", "day", "week", "month" or "year"';
const shortestBucketMs = 1000;
/** It takes a while to ask the calendar for more. */
const mostOfCalendar = 1000;

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
  const { backend, clock = systemClock } = options ?? {};
  const buckets = readBuckets(options ?? {}, user, mostKept);
  checkClock(clock, user);
  return { facet: facetOf(backend, facetName, user), buckets, clock };
}

function readBuckets({ bucket, keep, timeZone }: Partial<BucketOptions>, user: string, mostKept: number): Buckets {
  const kind = timedKinds.find((known) => known === bucket);
  const buckets = (most: number, make: (kept: number) => Buckets): Buckets => {
    checkWhole('keep', user, keep, 1, most);
    const made = make(keep);
    durationMs(made.lifetimeMs, 'bucket` times `keep');
    return made;
  };
  if (kind !== undefined) {
    const zone = timeZone ?? bucketDefaults.timeZone;
    return buckets(Math.min(mostKept, mostOfCalendar), (kept) => calendarBuckets(kind, zone, kept));
  }
  const lengthMs = readLength(bucket, user);
  if (timeZone !== undefined)
    throw wrong('timeZone', user, `left out with a \`bucket\` that is not ${calendarNames}`, timeZone);
  return buckets(mostKept, (kept) => evenBuckets(lengthMs, kept));
}

function readLength(bucket: unknown, user: string): number {
  const isDuration = typeof bucket === 'number' || (typeof bucket === 'string' && /^\d/.test(bucket));
  const lengthMs = isDuration ? durationMs(bucket, 'bucket') : Number.NaN;
  if (lengthMs >= shortestBucketMs && Number.isInteger(lengthMs)) return lengthMs;
  throw wrong('bucket', user, `a duration of at least 1 s in whole ms, or ${calendarNames}`, bucket);
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
