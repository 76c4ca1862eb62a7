/** Counts how many different scores are better than one, for ranks without gaps. */

import { isBetter } from '../../src/backend/rankings/order.ts';
import type { RankingRules } from '../../src/backend/rankings.ts';
import { RankedList } from '../../src/support/ranked-list.ts';

export class DistinctScores {
  readonly #members = new Map<number, number>();
  readonly #list: RankedList<number>;

  constructor(order: RankingRules['order']) {
    this.#list = new RankedList((a, b) => (a === b ? 0 : isBetter({ order }, a, b) ? -1 : 1));
  }

  /** One more member has `score`. */
  add(score: number): void {
    const members = this.#members.get(score) ?? 0;
    this.#members.set(score, members + 1);
    if (members === 0) this.#list.insert(score);
  }

  /** One member less has `score`. */
  delete(score: number): void {
    const members = this.#members.get(score) ?? 0;
    if (members > 1) this.#members.set(score, members - 1);
    else if (this.#members.delete(score)) this.#list.delete(score);
  }

  better(score: number): number {
    return this.#list.position(score);
  }
}
