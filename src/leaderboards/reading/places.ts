/** Finds the reader of the window or the season that is meant. */

import { BoundedMap } from '../../support/bounded-map.ts';
import { checkOptionNames } from '../../support/options.ts';
import { type BoardKeys, seasonPlace } from '../keys.ts';
import type { Metas } from '../meta.ts';
import type { LeaderboardRules } from '../options.ts';
import type { PageQuery, RangeQuery } from '../rows.ts';
import type { Calendar, Slot } from '../time/calendar.ts';
import { slotAt, type Where, whereNames } from '../time/where.ts';
import { foreignCursor, readCursor } from './cursor.ts';
import { pageNames, rangeNames } from './queries.ts';
import { Reader } from './reader.ts';
import { type Source, storedBoard } from './source.ts';

/** So many places keep what their readers have in memory. */
const knownPlaces = 100;

export class Places<Meta> {
  readonly #rules: LeaderboardRules;
  readonly #keys: BoardKeys;
  readonly #calendar: Calendar;
  readonly #metas: Metas<Meta> | undefined;
  readonly #readers = new BoundedMap<string, Reader<Meta>>(knownPlaces);

  constructor(rules: LeaderboardRules, keys: BoardKeys, calendar: Calendar, metas: Metas<Meta> | undefined) {
    this.#rules = rules;
    this.#keys = keys;
    this.#calendar = calendar;
    this.#metas = metas;
  }

  /** @throws {HotshelfError} `OPTION_INVALID` */
  slot(where: Where = {}): Slot {
    checkOptionNames(where, whereNames, 'a window');
    return this.#slot(where);
  }

  at(where?: Where): Reader<Meta> {
    if (where !== undefined) return this.#reader(this.slot(where).place);
    const [first] = this.#calendar.current(this.#rules.clock.now());
    return this.#reader(first?.place ?? 'all');
  }

  /** Returns the reader of a page, and what is left of the query. */
  ofPage(asked: PageQuery & Where): readonly [Reader<Meta>, PageQuery] {
    checkOptionNames(asked, [...pageNames, ...whereNames], 'page()');
    const { window, at, ago, ...query } = asked;
    return [this.#reader(this.#slot({ window, at, ago }).place), query];
  }

  /** The same of a range. A cursor knows its window. */
  ofRange(asked: RangeQuery & Where): readonly [Reader<Meta>, RangeQuery] {
    checkOptionNames(asked, [...rangeNames, ...whereNames], 'range()');
    const { window, at, ago, ...query } = asked;
    const isSaid = window !== undefined || at !== undefined || ago !== undefined;
    const place =
      'after' in query && typeof query.after === 'string' && !isSaid
        ? this.#placeOf(query.after)
        : this.#slot({ window, at, ago }).place;
    return [this.#reader(place), query];
  }

  source(where: Where): Source {
    return this.#source(this.#slot(where).place);
  }

  season(season: string): Reader<Meta> {
    return this.#reader(seasonPlace(season));
  }

  #slot(where: Where): Slot {
    return slotAt(this.#rules, this.#calendar, where, this.#rules.clock.now());
  }

  #placeOf(written: string): string {
    const cursor = readCursor(this.#keys.scope, written);
    const slot = cursor === undefined ? undefined : this.#calendar.slotOf(cursor.place);
    if (slot === undefined) throw foreignCursor();
    return slot.place;
  }

  #reader(place: string): Reader<Meta> {
    const known = this.#readers.get(place);
    if (known !== undefined) return known;
    const { name, clock, cacheTop } = this.#rules;
    const { scope } = this.#keys;
    const source = this.#source(place);
    const reader = new Reader<Meta>({ name, scope, place, source, metas: this.#metas, cacheTop, clock });
    this.#readers.set(place, reader);
    return reader;
  }

  #source(place: string): Source {
    const { rankings, rules } = this.#rules;
    return storedBoard(rankings, rules, this.#keys.at(place));
  }
}
