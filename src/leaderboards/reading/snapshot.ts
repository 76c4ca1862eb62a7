/** Answers as a store would, from members that are all at hand. */

import { rankRows } from '../../backend/rankings/arithmetic.ts';
import { entryAt, markOf } from '../../backend/rankings/mark.ts';
import { compareEntries, isBetter } from '../../backend/rankings/order.ts';
import type {
  RankingEntry,
  RankingFound,
  RankingPage,
  RankingQuery,
  RankingRow,
  RankingRules,
} from '../../backend/rankings.ts';

export class Snapshot {
  readonly #rules: RankingRules;
  readonly #entries: readonly RankingEntry[];
  readonly #rows: readonly RankingRow[];
  readonly #positions: ReadonlyMap<string, number>;
  readonly #now: number;

  /** @param entries in any order, each member once */
  constructor(rules: RankingRules, entries: Iterable<RankingEntry>, now: number) {
    this.#rules = rules;
    this.#entries = [...entries].sort((a, b) => compareEntries(rules, a, b));
    this.#rows = rankRows(rules.ties, this.#entries, 0, 1);
    this.#positions = new Map(this.#entries.map(({ member }, position) => [member, position]));
    this.#now = now;
  }

  get entries(): readonly RankingEntry[] {
    return this.#entries;
  }

  page(query: RankingQuery): RankingPage {
    const { from, count } = this.#stretch(query);
    const rows = this.#rows.slice(from, from + count);
    const last = this.#entries[from + rows.length - 1];
    const end = last === undefined || rows.length === 0 ? undefined : markOf(last);
    return { rows, from, size: this.#rows.length, end, now: this.#now };
  }

  find(members: readonly string[]): RankingFound {
    const standings = members.map((member) => {
      const row = this.#rows[this.#positions.get(member) ?? -1];
      if (row === undefined) return null;
      const { score, rank } = row;
      return { score, rank, ahead: this.#bound((entry) => isBetter(this.#rules, entry.score, score)) };
    });
    return { standings, size: this.#rows.length, now: this.#now };
  }

  /** Where a page begins, and how many rows it may have. */
  #stretch(query: RankingQuery): { readonly from: number; readonly count: number } {
    const { count } = query;
    const size = this.#rows.length;
    if ('from' in query) return { from: Math.min(query.from, size), count };
    if ('after' in query) {
      const mark = entryAt(query.after);
      return { from: this.#bound((entry) => compareEntries(this.#rules, entry, mark) <= 0), count };
    }
    if ('around' in query) {
      const position = this.#positions.get(query.around);
      if (position === undefined) return { from: 0, count: 0 };
      return { from: Math.max(0, Math.min(position - Math.floor((count - 1) / 2), size - count)), count };
    }
    const { least, most, skip } = query;
    const [best, worst] = this.#rules.order === 'desc' ? [most, least] : [least, most];
    const from = this.#bound(({ score }) => isBetter(this.#rules, score, best));
    const found = this.#bound(({ score }) => !isBetter(this.#rules, worst, score)) - from;
    return { from: from + Math.min(skip, found), count: Math.max(0, Math.min(count, found - skip)) };
  }

  /** How many of the first entries are before something. */
  #bound(isBefore: (entry: RankingEntry) => boolean): number {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(this.#entries[middle] as RankingEntry)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
