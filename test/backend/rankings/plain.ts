/** Boards as plain lists that are sorted and counted through for every question: slow, short, and without the arithmetic of the house. */

import type { RankingRules } from 'hotshelf';

/** What was added to a weight, and when. */
interface Part {
  readonly weight: number;
  readonly at: number;
}

/** A member, and how it came to its score. */
export interface PlainRow {
  readonly member: string;
  /** Without decay. */
  readonly score: number;
  /** With decay. */
  readonly parts: readonly Part[];
  /** Grows with every score that is reached. */
  readonly when: number;
}

/** What a submission should answer; the scores of decay as weights. */
export interface PlainAnswer {
  readonly value: number;
  readonly previous: number | null;
  readonly rank: number | null;
  readonly improved: boolean;
}

export class PlainBoards {
  readonly rules: RankingRules;
  readonly #now: () => number;
  readonly #boards = new Map<string, readonly PlainRow[]>();
  /** True once it was the work of a rounding error which of two weights is the larger one. */
  isDoubtful = false;
  #submissions = 0;

  constructor(rules: RankingRules, now: () => number) {
    this.rules = rules;
    this.#now = now;
  }

  /** The members of a board in their order. */
  rows(key: string): readonly PlainRow[] {
    return this.#boards.get(key) ?? [];
  }

  /** The score, or with decay the weight at `now`. */
  value(row: PlainRow, now = this.#now()): number {
    if (this.rules.mode !== 'decay') return row.score;
    return row.parts.reduce((sum, { weight, at }) => sum + weight * 0.5 ** ((now - at) / this.#halfLife), 0);
  }

  /** Above 0 if `a` is the better one of two scores or weights. */
  better(a: number, b: number): number {
    return this.rules.order === 'desc' ? a - b : b - a;
  }

  /** Below 0 if `a` stands before `b`. */
  compare(a: PlainRow, b: PlainRow): number {
    const byValue = this.better(this.value(b), this.value(a));
    if (byValue !== 0) return byValue;
    if (this.rules.ties === 'earliest' && a.when !== b.when) return a.when - b.when;
    const byBytes = Buffer.compare(Buffer.from(a.member), Buffer.from(b.member));
    return this.rules.order === 'desc' ? -byBytes : byBytes;
  }

  rank(key: string, row: PlainRow): number {
    const better = this.#betterThan(key, row);
    if (this.rules.ties === 'earliest') return 1 + this.#before(key, row);
    return 1 + (this.rules.ties === 'dense' ? new Set(better).size : better.length);
  }

  ahead(key: string, row: PlainRow): number {
    return this.rules.ties === 'earliest' ? this.#before(key, row) : this.#betterThan(key, row).length;
  }

  submit(key: string, member: string, submitted: number, cap: number): PlainAnswer {
    this.#submissions += 1;
    let rows = this.rows(key);
    const old = rows.find((row) => row.member === member);
    let base = old;
    if (this.rules.mode === 'decay' && old === undefined) {
      rows = rows.slice(0, cap);
      if (rows.length === cap) base = rows.at(-1);
    }
    const row = this.#after(member, base, submitted);
    const previous = old === undefined ? null : this.value(old);
    const others = rows.filter((other) => other !== base && other !== old);
    this.#set(key, [...others, row], cap);
    const value = this.value(row);
    return {
      value,
      previous,
      rank: this.rows(key).includes(row) ? this.rank(key, row) : null,
      improved: previous === null || this.better(value, previous) > 0,
    };
  }

  /** Takes off all that fit; returns how many. */
  remove(key: string, fits: (row: PlainRow) => boolean): number {
    const rows = this.rows(key);
    this.#set(
      key,
      rows.filter((row) => !fits(row)),
    );
    return rows.length - this.rows(key).length;
  }

  move(key: string, to: string): 'moved' | 'missing' | 'taken' {
    if (this.rows(key).length === 0) return 'missing';
    if (this.rows(to).length > 0) return 'taken';
    this.#set(to, this.rows(key));
    this.#boards.delete(key);
    return 'moved';
  }

  /** Remembers how everything is; the function that is returned brings it back. */
  save(): () => void {
    const before = new Map(this.#boards);
    return () => {
      this.#boards.clear();
      for (const [key, rows] of before) this.#boards.set(key, rows);
    };
  }

  /** False if two weights are so close that a rounding error may change their order. */
  isClear(rows: readonly PlainRow[]): boolean {
    if (this.rules.mode !== 'decay') return true;
    const now = this.#now();
    const weights = rows.map((row) => this.value(row, now)).toSorted((a, b) => a - b);
    return weights.every((weight, place) => place === 0 || weight > (weights[place - 1] ?? 0) * (1 + 1e-4));
  }

  get #halfLife(): number {
    return this.rules.halfLifeMs ?? Number.NaN;
  }

  #set(key: string, rows: readonly PlainRow[], cap = Infinity): void {
    if (!this.isClear(rows)) this.isDoubtful = true;
    this.#boards.set(key, rows.toSorted((a, b) => this.compare(a, b)).slice(0, cap));
  }

  #after(member: string, base: PlainRow | undefined, submitted: number): PlainRow {
    const when = this.#submissions;
    if (this.rules.mode === 'decay')
      return { member, score: 0, parts: [...(base?.parts ?? []), { weight: submitted, at: this.#now() }], when };
    const before = base?.score;
    let score = submitted + 0;
    if (before !== undefined && this.rules.mode === 'best' && this.better(before, submitted) >= 0) score = before;
    if (before !== undefined && this.rules.mode === 'sum') {
      const sum = before + submitted;
      score = sum === Infinity ? Number.MAX_VALUE : sum === -Infinity ? -Number.MAX_VALUE : sum + 0;
    }
    return { member, score, parts: [], when: base !== undefined && base.score === score ? base.when : when };
  }

  #betterThan(key: string, row: PlainRow): readonly number[] {
    const [now, values] = [this.#now(), this.rows(key)];
    const value = this.value(row, now);
    return values.map((other) => this.value(other, now)).filter((other) => this.better(other, value) > 0);
  }

  #before(key: string, row: PlainRow): number {
    return this.rows(key).filter((other) => this.compare(other, row) < 0).length;
  }
}
