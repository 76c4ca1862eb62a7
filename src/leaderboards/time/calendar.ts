/** Knows which windows a board has now, which it had before, and where each of them stands. */

import type { RankingBoard } from '../../backend/rankings.ts';
import { type BoardKeys, placeWindow, windowPlace } from '../keys.ts';
import { type TimeWindow, type WeekStart, window, type WindowKind } from './windows.ts';

/** Which windows there are. */
export interface CalendarRules {
  readonly windows: readonly WindowKind[];
  readonly timeZone: string;
  readonly weekStart: WeekStart;
  /** How many windows of each kind are kept after the current one. */
  readonly keep: Readonly<Record<WindowKind, number>>;
}

/** A window, and where its board stands. */
export interface Slot extends TimeWindow {
  readonly kind: WindowKind;
  readonly key: string;
  /** Below the scope of the board. */
  readonly place: string;
}

/** The window of now, with the lifetime of its board. */
export interface CurrentSlot extends Slot, RankingBoard {}

interface Current {
  readonly slots: readonly CurrentSlot[];
  /** From the latest beginning on and before the first end, nothing changes. */
  readonly start: number;
  readonly end: number;
  /** Of each kind the slots before the current one, the latest first, as far as they were asked for. */
  readonly past: ReadonlyMap<WindowKind, Slot[]>;
}

export class Calendar {
  readonly #rules: CalendarRules;
  readonly #keys: BoardKeys;
  #current: Current | undefined;

  constructor(rules: CalendarRules, keys: BoardKeys) {
    this.#rules = rules;
    this.#keys = keys;
  }

  /** The windows in which `now` lies, in the order of the options: computed once until the first of them ends. */
  current(now: number): readonly CurrentSlot[] {
    return this.#at(now).slots;
  }

  /** The window of a kind in which an instant lies. */
  slot(kind: WindowKind, at: number): Slot {
    const { timeZone, weekStart } = this.#rules;
    const { start, end } = window(kind, at, timeZone, weekStart);
    const place = windowPlace(kind, start);
    return { kind, start, end, place, key: this.#keys.at(place) };
  }

  /** The window `ago` windows before that of `now`. */
  past(kind: WindowKind, ago: number, now: number): Slot {
    const { slots, past } = this.#at(now);
    let slot: Slot = slots.find((one) => one.kind === kind) ?? this.slot(kind, now);
    const known = past.get(kind) ?? [];
    for (let back = 0; back < ago; back += 1) slot = known[back] ??= this.slot(kind, slot.start - 1);
    return slot;
  }

  /** The windows whose boards may still be there: the current ones first, then those before them. */
  kept(kinds: readonly WindowKind[], now: number): readonly Slot[] {
    const current = this.current(now).filter(({ kind }) => kinds.includes(kind));
    const before = current.flatMap(({ kind }) =>
      Array.from({ length: this.#rules.keep[kind] }, (_, back) => this.past(kind, back + 1, now)),
    );
    return [...current, ...before];
  }

  /** The window of a place, `undefined` if the board has no such window. */
  slotOf(place: string): Slot | undefined {
    const found = placeWindow(place);
    if (found === undefined || !this.#rules.windows.includes(found.kind)) return undefined;
    const slot = this.slot(found.kind, found.at);
    return slot.place === place ? slot : undefined;
  }

  #at(now: number): Current {
    const known = this.#current;
    if (known !== undefined && now >= known.start && now < known.end) return known;
    const { windows } = this.#rules;
    const slots = windows.map((kind) => this.#withLifetime(this.slot(kind, now)));
    this.#current = {
      slots,
      start: Math.max(...slots.map(({ start }) => start)),
      end: Math.min(...slots.map(({ end }) => end)),
      past: new Map(windows.map((kind) => [kind, []])),
    };
    return this.#current;
  }

  #withLifetime(slot: Slot): CurrentSlot {
    const { keep, timeZone, weekStart } = this.#rules;
    let expiresAt = slot.end;
    for (let further = 0; further < keep[slot.kind]; further += 1)
      expiresAt = window(slot.kind, expiresAt, timeZone, weekStart).end;
    return { ...slot, expiresAt };
  }
}
