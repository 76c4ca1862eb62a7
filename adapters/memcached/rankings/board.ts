/** One board of a group: its members in their order, as numbers in arrays, which cost little to copy, to read and to write. */

import { compareEntries, isBetter } from '../../../src/backend/rankings/order.ts';
import type { RankingEntry, RankingRules, RankingStanding } from '../../../src/backend/rankings.ts';
import type { Names } from './names.ts';

/** What of the rules says what the stored numbers mean; the rest may change from call to call. */
export interface BoardKind {
  readonly order: RankingRules['order'];
  readonly ties: RankingRules['ties'];
  /** Of mode `decay`; 0 of the others, whose scores are plain. */
  readonly halfLifeMs: number;
}

export function kindOf({ order, ties, mode, halfLifeMs = 0 }: RankingRules): BoardKind {
  return { order, ties, halfLifeMs: mode === 'decay' ? halfLifeMs : 0 };
}

/** Three columns of which the first `size` rows count. */
export interface Columns {
  /** The number of each member among the names. */
  readonly numbers: Uint32Array;
  readonly scores: Float64Array;
  /** With ties `earliest` only; empty otherwise. */
  readonly reached: Float64Array;
}

/** Room for newcomers when a board is copied to be changed. */
const spareRows = 64;

export class Board {
  readonly kind: BoardKind;
  /** When it goes, in epoch ms. */
  expiresAt: number;
  readonly #names: Names;
  #columns: Columns;
  #size: number;
  /** How many different scores the first members have, for each number of them. */
  #levels: Uint32Array | undefined;

  constructor(kind: BoardKind, expiresAt: number, names: Names, columns: Columns, size: number) {
    this.kind = kind;
    this.expiresAt = expiresAt;
    this.#names = names;
    this.#columns = columns;
    this.#size = size;
  }

  static empty(kind: BoardKind, expiresAt: number, names: Names): Board {
    return new Board(kind, expiresAt, names, columnsFor(kind, spareRows), 0);
  }

  get size(): number {
    return this.#size;
  }

  get columns(): Columns {
    return this.#columns;
  }

  /** Returns another board with the same members, which can be changed. `names` has their numbers. */
  copy(names: Names): Board {
    const columns = grown(this.kind, this.#columns, this.#size, this.#size + spareRows);
    return new Board(this.kind, this.expiresAt, names, columns, this.#size);
  }

  /** Where a member stands, by its number; -1 if it does not. */
  placeOf(number: number): number {
    const place = number === -1 ? -1 : this.#columns.numbers.indexOf(number);
    return place < this.#size ? place : -1;
  }

  scoreAt(place: number): number {
    return this.#columns.scores[place] ?? 0;
  }

  entryAt(place: number): RankingEntry {
    return {
      member: this.#names.textOf(this.#columns.numbers[place] ?? 0),
      score: this.scoreAt(place),
      reached: this.#columns.reached[place] ?? 0,
    };
  }

  entries(from: number, count: number): RankingEntry[] {
    const length = Math.max(0, Math.min(count, this.#size - from));
    return Array.from({ length }, (_, index) => this.entryAt(from + index));
  }

  /** How many stand before an entry, or would if it were here. */
  placeFor(entry: RankingEntry): number {
    return this.#lowerBound((place) => this.#compare(place, entry) < 0);
  }

  /** How many stand before an entry or are it. */
  placeBehind(entry: RankingEntry): number {
    return this.#lowerBound((place) => this.#compare(place, entry) <= 0);
  }

  /** How many have a better score. */
  betterThan(score: number): number {
    return this.#lowerBound((place) => isBetter(this.kind, this.scoreAt(place), score));
  }

  /** Where those with scores between two stand. */
  between(least: number, most: number): { from: number; count: number } {
    const [best, worst] = this.kind.order === 'desc' ? [most, least] : [least, most];
    const from = this.betterThan(best);
    return { from, count: this.#lowerBound((place) => !isBetter(this.kind, worst, this.scoreAt(place))) - from };
  }

  standingAt(place: number): RankingStanding {
    const score = this.scoreAt(place);
    const ahead = this.kind.ties === 'earliest' ? place : this.betterThan(score);
    return { score, rank: this.kind.ties === 'dense' ? this.#levelsOf(ahead) + 1 : ahead + 1, ahead };
  }

  /** Returns where the member stands now. It must not be on the board, and its number must be among the names. */
  insert(number: number, score: number, reached: number): number {
    const place = this.placeFor({ member: this.#names.textOf(number), score, reached });
    if (this.#size === this.#columns.numbers.length)
      this.#columns = grown(this.kind, this.#columns, this.#size, this.#size * 2);
    for (const column of Object.values(this.#columns)) column.copyWithin(place + 1, place, this.#size);
    this.#columns.numbers[place] = number;
    this.#columns.scores[place] = score;
    // Where there is no such column, this does nothing.
    this.#columns.reached[place] = reached;
    this.#size += 1;
    this.#levels = undefined;
    return place;
  }

  /** Takes members off, from a place on. */
  cut(place: number, count: number): void {
    if (place >= this.#size || count <= 0) return;
    const end = Math.min(this.#size, place + count);
    for (const column of Object.values(this.#columns)) column.copyWithin(place, end, this.#size);
    this.#size -= end - place;
    this.#levels = undefined;
  }

  /** Notes whose numbers are in use. */
  markUsed(used: Uint8Array): void {
    const { numbers } = this.#columns;
    for (let place = 0; place < this.#size; place += 1) used[numbers[place] ?? 0] = 1;
  }

  /** To be called before many are asked where they stand. */
  countLevels(): void {
    if (this.kind.ties === 'dense') this.#levels ??= levelsIn(this.#columns.scores, this.#size);
  }

  /** How many different scores the first members have. */
  #levelsOf(count: number): number {
    if (this.#levels !== undefined) return this.#levels[count] ?? 0;
    const { scores } = this.#columns;
    let levels = count === 0 ? 0 : 1;
    for (let place = 1; place < count; place += 1) if (scores[place] !== scores[place - 1]) levels += 1;
    return levels;
  }

  #compare(place: number, entry: RankingEntry): number {
    const score = this.scoreAt(place);
    // The text is made only where it decides.
    if (score !== entry.score) return isBetter(this.kind, score, entry.score) ? -1 : 1;
    return compareEntries(this.kind, this.entryAt(place), entry);
  }

  #lowerBound(isBefore: (place: number) => boolean): number {
    let [low, high] = [0, this.#size];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(middle)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function levelsIn(scores: Float64Array, size: number): Uint32Array {
  const levels = new Uint32Array(size + 1);
  let count = 0;
  for (let place = 0; place < size; place += 1) {
    if (place === 0 || scores[place] !== scores[place - 1]) count += 1;
    levels[place + 1] = count;
  }
  return levels;
}

export function columnsFor({ ties }: BoardKind, rows: number): Columns {
  return {
    numbers: new Uint32Array(rows),
    scores: new Float64Array(rows),
    reached: new Float64Array(ties === 'earliest' ? rows : 0),
  };
}

function grown(kind: BoardKind, { numbers, scores, reached }: Columns, size: number, rows: number): Columns {
  const larger = columnsFor(kind, Math.max(rows, spareRows));
  larger.numbers.set(numbers.subarray(0, size));
  larger.scores.set(scores.subarray(0, size));
  larger.reached.set(reached.subarray(0, size));
  return larger;
}
