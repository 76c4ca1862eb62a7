/** Reads which window of a board is meant. */

import { checkWhole, listed, wrong } from '../naming.ts';
import type { Calendar, CalendarRules, Slot } from './calendar.ts';
import type { WindowKind } from './windows.ts';

/** Which window: the current one of the first kind that the board has, unless it is said. */
export interface Where<Kind extends WindowKind = WindowKind> {
  /** @default the first of the board's `windows` */
  readonly window?: Kind;
  /** The window in which this lies; a Date or epoch ms. */
  readonly at?: Date | number;
  /** So many windows before the current one: 1 for yesterday, 0 to `keep`. */
  readonly ago?: number;
}

/** Dates that four digits write, and that no zone moves out of them. */
const [earliest, latest] = [Date.UTC(1970, 0, 2), Date.UTC(9998, 0)];

export const whereNames: readonly (keyof Where)[] = ['window', 'at', 'ago'];

/**
 * Returns the window that `where` names.
 *
 * @throws {HotshelfError} `OPTION_INVALID` for a window that the board does not have or keep.
 */
export function slotAt(rules: CalendarRules, calendar: Calendar, where: Where, now: number): Slot {
  const { window: kind = rules.windows[0] ?? 'all', at, ago } = where;
  checkKind(rules, kind);
  if (at === undefined) {
    checkWhole('ago', ago ?? 0, 0, rules.keep[kind]);
    return calendar.past(kind, ago ?? 0, now);
  }
  if (ago !== undefined) throw wrong('ago', 'left out beside `at`', ago);
  const instant = at instanceof Date ? at.getTime() : at;
  if (typeof instant === 'number' && instant >= earliest && instant < latest) return calendar.slot(kind, instant);
  throw wrong('at', 'a Date or epoch ms from the years 1970 to 9997', at instanceof Date ? instant : at);
}

/** @throws {HotshelfError} `OPTION_INVALID` naming the windows that there are. */
export function checkKind({ windows }: CalendarRules, kind: unknown): void {
  if ((windows as readonly unknown[]).includes(kind)) return;
  throw wrong('window', `one of its windows, ${listed(windows)}`, kind);
}
