/** Says when the hour, the day, the week, the month and the year of an instant begin and end, where the people are. */

import { type Zone, zoneOf } from './zone.ts';

/** How long scores count: for ever, or until the clocks of the time zone say so. */
export type WindowKind = 'all' | TimedKind;
export type TimedKind = 'hour' | 'day' | 'week' | 'month' | 'year';
export type WeekStart = 'monday' | 'sunday' | 'saturday';

/** From `start` on and before `end`, both in epoch ms. */
export interface TimeWindow {
  readonly start: number;
  readonly end: number;
}

export const timedKinds: readonly TimedKind[] = ['hour', 'day', 'week', 'month', 'year'];
export const windowKinds: readonly WindowKind[] = ['all', ...timedKinds];
export const weekStarts: readonly WeekStart[] = ['monday', 'sunday', 'saturday'];

const always: TimeWindow = { start: -Infinity, end: Infinity };
const hourMs = 3_600_000;
const dayMs = 86_400_000;
/** More than any clock is ahead of UTC or behind it. */
const farMs = 15 * hourMs;
/** The weekday of the first day of the epoch, a Thursday, counted from the first one of the week. */
const epochWeekday: Readonly<Record<WeekStart, number>> = { monday: 3, sunday: 4, saturday: 5 };

/**
 * Returns the window of a kind in which an instant lies.
 *
 * The windows of a kind follow each other without a gap. A day is as long as the clocks make it: 23 or 25 hours where they are
 * changed, and it begins where they go on if there is no midnight. An hour begins with minute 0 on them, and where they are changed.
 *
 * @param at in epoch ms
 * @param timeZone an IANA name, such as `Europe/Paris`
 * @throws {HotshelfError} `OPTION_INVALID` if this Node does not know the time zone.
 * @example
 * window('day', Date.parse('2026-11-28T12:00:00Z'), 'Europe/Paris'); // from 2026-11-27T23:00:00Z on
 */
export function window(kind: WindowKind, at: number, timeZone: string, weekStart: WeekStart = 'monday'): TimeWindow {
  if (kind === 'all') return always;
  const zone = zoneOf(timeZone);
  if (kind === 'hour') return hourAt(zone, at);
  let first = firstDay(kind, Math.floor((at + zone.offset(at)) / dayMs), weekStart);
  for (;;) {
    const next = dayAfter(kind, first);
    const end = startOfDay(zone, next);
    if (at < end) return { start: startOfDay(zone, first), end };
    // Clocks that are put back over midnight show the old date once more, in a day that has begun.
    first = next;
  }
}

function hourAt(zone: Zone, at: number): TimeWindow {
  const offset = zone.offset(at);
  const start = Math.floor((at + offset) / hourMs) * hourMs - offset;
  const end = start + hourMs;
  return {
    start: zone.offset(start) === offset ? start : zone.change(start, at),
    end: zone.offset(end - 1) === offset ? end : zone.change(at, end - 1),
  };
}

/** The first instant of a day of the calendar, or of the next one that there is: days are counted from 1970-01-01. */
function startOfDay(zone: Zone, day: number): number {
  const midnight = day * dayMs;
  const [before, after] = [zone.offset(midnight - farMs), zone.offset(midnight + farMs)];
  const [early, late] = [midnight - before, midnight - after];
  if (before === after || zone.offset(early) === before) return early;
  return zone.offset(late) === after ? late : zone.change(late, early);
}

function firstDay(kind: Exclude<TimedKind, 'hour'>, day: number, weekStart: WeekStart): number {
  if (kind === 'day') return day;
  if (kind === 'week') return day - ((((day + epochWeekday[weekStart]) % 7) + 7) % 7);
  const date = new Date(day * dayMs);
  return Date.UTC(date.getUTCFullYear(), kind === 'month' ? date.getUTCMonth() : 0, 1) / dayMs;
}

/** The first day of the next window, after the first day of one. */
function dayAfter(kind: Exclude<TimedKind, 'hour'>, first: number): number {
  if (kind === 'day') return first + 1;
  if (kind === 'week') return first + 7;
  const date = new Date(first * dayMs);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  return (kind === 'month' ? Date.UTC(year, month + 1, 1) : Date.UTC(year + 1, 0, 1)) / dayMs;
}
