/** Says in which bucket of time an instant lies, and which ones came before it. */

import { keyText } from '../../support/key-text.ts';
import { type TimedKind, type TimeWindow, window } from '../time/windows.ts';

export interface Bucket {
  /** When it begins, in epoch ms. */
  readonly at: number;
  /** The end of its key: buckets of another kind are other buckets. */
  readonly suffix: string;
}

/** Buckets that follow each other without a gap, of which so many are kept. */
export interface Buckets {
  readonly keep: number;
  /** How long a key lives: until its bucket is certainly no longer one of those that are kept. */
  readonly lifetimeMs: number;
  /** The bucket of `now`, in epoch ms. */
  current(now: number): Bucket;
  /** The last `count` buckets, the oldest first; that of `now` is the last one. */
  last(count: number, now: number): readonly Bucket[];
}

/** Buckets of one length, which begin at whole multiples of it since the epoch. */
export function evenBuckets(lengthMs: number, keep: number): Buckets {
  const bucket = (index: number): Bucket => ({ at: index * lengthMs, suffix: `${lengthMs}:${index}` });
  const indexAt = (now: number): number => Math.floor(now / lengthMs);
  return {
    keep,
    lifetimeMs: lengthMs * keep,
    current: (now) => bucket(indexAt(now)),
    last: (count, now) => Array.from({ length: count }, (_, place) => bucket(indexAt(now) - count + 1 + place)),
  };
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** How long a window can be, with an hour for clocks that are put back in it. */
const longestMs: Readonly<Record<TimedKind, number>> = {
  hour: hourMs,
  day: dayMs + hourMs,
  week: 7 * dayMs + hourMs,
  month: 31 * dayMs + hourMs,
  year: 366 * dayMs + hourMs,
};

/** Buckets by the calendar and the clocks of a time zone. */
export function calendarBuckets(kind: TimedKind, timeZone: string, keep: number): Buckets {
  const bucket = ({ start }: TimeWindow): Bucket => ({ at: start, suffix: `${kind}:${keyText(timeZone)}:${start}` });
  let latest = window(kind, 0, timeZone);
  const windowAt = (now: number): TimeWindow => {
    if (now < latest.start || now >= latest.end) latest = window(kind, now, timeZone);
    return latest;
  };
  return {
    keep,
    lifetimeMs: longestMs[kind] * keep,
    current: (now) => bucket(windowAt(now)),
    last: (count, now) => {
      const windows = [windowAt(now)];
      for (let [first] = windows; first !== undefined && windows.length < count; [first] = windows)
        windows.unshift(window(kind, first.start - 1, timeZone));
      return windows.map(bucket);
    },
  };
}
