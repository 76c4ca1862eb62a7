/** Writes the keys of a leaderboard: injective, printable, and all of one board on one server. */

import { keyText, shortened } from '../support/key-text.ts';
import type { TimedKind, WindowKind } from './time/windows.ts';

/** Longer ones are kept by their digest. */
const longestName = 60;
const longestPart = 100;

export class BoardKeys {
  /** What all keys of the board begin with. */
  readonly scope: string;

  constructor(name: string) {
    this.scope = `hs:{board:${shortened(keyText(name), longestName)}}`;
  }

  /** The key of a place: of a window or a season. */
  at(place: string): string {
    return `${this.scope}:${place}`;
  }

  meta(member: string): string {
    return this.at(`meta:${shortened(keyText(member), longestPart)}`);
  }

  /** Where submitters tell that something has changed. */
  get topic(): string {
    return `${this.scope}!live`;
  }
}

/** The place of a window that begins at `start`, in epoch ms: `day:20261127T230000Z`. */
export function windowPlace(kind: WindowKind, start: number): string {
  return kind === 'all' ? kind : `${kind}:${new Date(start).toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;
}

export function seasonPlace(season: string): string {
  return `season:${shortened(keyText(season), longestPart)}`;
}

/** The window whose place this is, by its kind and an instant in it; `undefined` if it is that of something else. */
export function placeWindow(place: string): { readonly kind: WindowKind; readonly at: number } | undefined {
  if (place === 'all') return { kind: place, at: 0 };
  const [, kind, date, time] = /^(hour|day|week|month|year):(\d{8})T(\d{6})Z$/.exec(place) ?? [];
  if (kind === undefined || date === undefined || time === undefined) return undefined;
  const at = Date.parse(`${date.replace(/(....)(..)/, '$1-$2-')}T${time.replace(/(..)(..)/, '$1:$2:')}Z`);
  return { kind: kind as TimedKind, at };
}
