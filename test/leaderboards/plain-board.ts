/** A leaderboard as anybody would write it in five minutes: a plain array, sorted anew for every question. */

import type { BoardFriend, BoardRow, LeaderboardOptions } from 'hotshelf/leaderboards';

export type PlainRules = Required<Pick<LeaderboardOptions, 'order' | 'ties' | 'mode'>>;

interface PlainEntry {
  readonly member: string;
  readonly score: number;
  /** The number of the submission with which the score was reached. */
  readonly reached: number;
}

export class PlainBoard {
  readonly #rules: PlainRules;
  #entries: PlainEntry[] = [];
  #submissions = 0;

  constructor(rules: PlainRules) {
    this.#rules = rules;
  }

  submit(member: string, submitted: number): void {
    this.#submissions += 1;
    const old = this.#entries.find((entry) => entry.member === member);
    const score = this.#scoreAfter(old?.score, submitted);
    if (old?.score === score) return;
    this.remove(member);
    this.#entries.push({ member, score, reached: this.#submissions });
  }

  remove(member: string): void {
    this.#entries = this.#entries.filter((entry) => entry.member !== member);
  }

  rows(of: readonly PlainEntry[] = this.#entries): BoardRow[] {
    const sorted = [...of].sort((a, b) => this.#compare(a, b));
    return sorted.map(({ member, score }, place) => ({ member, score, rank: this.#rank(sorted, place) }));
  }

  /** How many members are ahead of one. */
  ahead(member: string): number {
    const rows = this.rows();
    const place = rows.findIndex((row) => row.member === member);
    if (this.#rules.ties === 'earliest') return place;
    return rows.filter(({ score }) => score !== rows[place]?.score && this.#isBetter(score, rows[place]?.score ?? 0))
      .length;
  }

  among(members: readonly string[]): BoardFriend[] {
    const rows = this.rows();
    const local = this.rows(this.#entries.filter(({ member }) => members.includes(member)));
    return local.map(({ member, score, rank }) => ({
      member,
      score,
      rank: rows.find((row) => row.member === member)?.rank ?? 0,
      localRank: rank,
    }));
  }

  between(least: number, most: number): BoardRow[] {
    return this.rows().filter(({ score }) => score >= least && score <= most);
  }

  #scoreAfter(old: number | undefined, submitted: number): number {
    if (old === undefined || this.#rules.mode === 'last') return submitted;
    if (this.#rules.mode === 'sum') return old + submitted;
    return this.#isBetter(submitted, old) ? submitted : old;
  }

  #isBetter(a: number, b: number): boolean {
    return this.#rules.order === 'desc' ? a > b : a < b;
  }

  #compare(a: PlainEntry, b: PlainEntry): number {
    if (a.score !== b.score) return this.#isBetter(a.score, b.score) ? -1 : 1;
    if (this.#rules.ties === 'earliest') return a.reached - b.reached;
    const upwards = Buffer.compare(Buffer.from(a.member), Buffer.from(b.member));
    return this.#rules.order === 'desc' ? -upwards : upwards;
  }

  #rank(sorted: readonly PlainEntry[], place: number): number {
    const score = sorted[place]?.score;
    if (this.#rules.ties === 'earliest') return place + 1;
    if (this.#rules.ties === 'competition') return 1 + sorted.findIndex((entry) => entry.score === score);
    return new Set(sorted.slice(0, place + 1).map((entry) => entry.score)).size;
  }
}
