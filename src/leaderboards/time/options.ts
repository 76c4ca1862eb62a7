/** The options that say which windows a board has. */

import { checkOptionNames } from '../../support/options.ts';
import { checkWhole, listed, wrong } from '../naming.ts';
import type { CalendarRules } from './calendar.ts';
import { type TimedKind, timedKinds, type WeekStart, weekStarts, type WindowKind, windowKinds } from './windows.ts';
import { zoneOf } from './zone.ts';

export interface WindowOptions<Kind extends WindowKind = WindowKind> {
  /**
   * For how long scores count: one submit counts in all of these.
   * @default ['all']
   */
  readonly windows?: readonly Kind[];
  /**
   * Whose midnight it is: an IANA name, such as `Europe/Paris`.
   * @default 'UTC'
   */
  readonly timeZone?: string;
  /** @default 'monday' */
  readonly weekStart?: WeekStart;
  /**
   * How many windows are kept after the current one, of each kind or by kind.
   * @default { hour: 48, day: 14, week: 8, month: 12, year: 2 }
   */
  readonly keep?: number | Partial<Readonly<Record<TimedKind, number>>>;
}

export const keepDefaults = { hour: 48, day: 14, week: 8, month: 12, year: 2 } as const;

/** Whoever removes a member looks into each of them. */
const mostKept = 1000;

/** @throws {HotshelfError} `OPTION_INVALID` */
export function readWindows(options: WindowOptions): CalendarRules {
  const { windows = ['all'], timeZone = 'UTC', weekStart = 'monday' } = options;
  if (!Array.isArray(windows) || windows.length === 0 || new Set(windows).size < windows.length)
    throw wrong('windows', 'a list of different windows', windows);
  for (const kind of windows)
    if (!windowKinds.includes(kind)) throw wrong('windows', `a list of ${listed(windowKinds)}`, kind);
  zoneOf(timeZone);
  if (!weekStarts.includes(weekStart)) throw wrong('weekStart', `one of ${listed(weekStarts)}`, weekStart);
  return { windows: [...windows], timeZone, weekStart, keep: readKeep(options) };
}

function readKeep({ keep = {} }: WindowOptions): Readonly<Record<WindowKind, number>> {
  if (typeof keep === 'number') {
    checkWhole('keep', keep, 0, mostKept);
    return { all: 0, hour: keep, day: keep, week: keep, month: keep, year: keep };
  }
  checkOptionNames(keep, timedKinds, '`keep`');
  for (const [kind, count] of Object.entries(keep)) checkWhole(`keep.${kind}`, count, 0, mostKept);
  return { all: 0, ...keepDefaults, ...keep };
}
