/** One leaderboard in this process: its members in their order, and what a submission makes of it. */

import { scoreAfter } from '../../src/backend/rankings/arithmetic.ts';
import { compareEntries, isBetter } from '../../src/backend/rankings/order.ts';
import type { RankingEntry, RankingRules, RankingStanding, Submission, Submitted } from '../../src/backend/rankings.ts';
import { RankedList } from '../../src/support/ranked-list.ts';
import { DistinctScores } from './distinct-scores.ts';

/** What of the rules makes the order, and must not change. */
export type BoardOrder = Pick<RankingRules, 'order' | 'ties'>;

/** A member, and what it had before a change. */
type Change = readonly [member: string, before: RankingEntry | undefined];

export class Board {
  readonly order: BoardOrder;
  readonly list: RankedList<RankingEntry>;
  readonly #entries = new Map<string, RankingEntry>();
  readonly #scores: DistinctScores | undefined;
  #changes: Change[] | undefined;

  constructor({ order, ties }: BoardOrder) {
    this.order = { order, ties };
    this.list = new RankedList((a, b) => compareEntries(this.order, a, b));
    this.#scores = ties === 'dense' ? new DistinctScores(order) : undefined;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(member: string): RankingEntry | undefined {
    return this.#entries.get(member);
  }

  /** @param reached a number that grows from one submission to the next */
  submit({ member, score: submitted }: Submission, rules: RankingRules, now: number, reached: number): Submitted {
    const entry = this.#entries.get(member);
    const displaced = entry === undefined && rules.mode === 'decay' ? this.#displaced(rules.cap) : undefined;
    const score = scoreAfter(rules, (entry ?? displaced)?.score ?? null, submitted, now);
    if (displaced !== undefined) this.drop(displaced.member);
    if (entry?.score !== score)
      this.#put({ member, score, reached: this.order.ties === 'earliest' ? reached : 0 }, entry);
    this.#cut(rules.cap);
    const previous = entry?.score ?? null;
    const stands = this.#entries.get(member);
    return {
      score,
      previous,
      rank: stands === undefined ? null : this.rank(stands),
      improved: previous === null || isBetter(rules, score, previous),
    };
  }

  /** Returns false if `member` is not on the board. */
  drop(member: string): boolean {
    const entry = this.#entries.get(member);
    if (entry === undefined) return false;
    this.#entries.delete(member);
    this.list.delete(entry);
    this.#scores?.delete(entry.score);
    this.#changes?.push([member, entry]);
    return true;
  }

  /** Drops the members from a position on; returns how many there were. */
  dropFrom(position: number, count: number): number {
    const gone = this.list.deleteSlice(position, count);
    for (const entry of gone) {
      this.#entries.delete(entry.member);
      this.#scores?.delete(entry.score);
      this.#changes?.push([entry.member, entry]);
    }
    return gone.length;
  }

  rank(entry: RankingEntry): number {
    return 1 + (this.#scores?.better(entry.score) ?? this.#ahead(entry));
  }

  standing(member: string): RankingStanding | null {
    const entry = this.#entries.get(member);
    return entry === undefined ? null : { score: entry.score, rank: this.rank(entry), ahead: this.#ahead(entry) };
  }

  /** From here on `undo` takes back what was done. */
  record(): void {
    this.#changes = [];
  }

  keep(): void {
    this.#changes = undefined;
  }

  undo(): void {
    const changes = this.#changes ?? [];
    this.#changes = undefined;
    for (const [member, before] of changes.toReversed()) {
      if (before === undefined) this.drop(member);
      else this.#put(before, this.#entries.get(member));
    }
  }

  #put(entry: RankingEntry, before: RankingEntry | undefined): void {
    if (before !== undefined) {
      this.list.delete(before);
      this.#scores?.delete(before.score);
    }
    this.#entries.set(entry.member, entry);
    this.list.insert(entry);
    this.#scores?.add(entry.score);
    this.#changes?.push([entry.member, before]);
  }

  /** Whose place and score a newcomer takes. */
  #displaced(cap: number): RankingEntry | undefined {
    this.#cut(cap);
    return this.size < cap ? undefined : this.list.at(this.size - 1);
  }

  #cut(cap: number): void {
    if (this.size > cap) this.dropFrom(cap, Infinity);
  }

  #ahead(entry: RankingEntry): number {
    if (this.order.ties === 'earliest') return this.list.position(entry);
    return this.list.lowerBound(({ score }) => isBetter(this.order, score, entry.score));
  }
}
