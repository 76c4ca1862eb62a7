/** Says what a submission makes of a score, and which ranks the rows of a page have. */

import type { RankingEntry, RankingRow, RankingRules } from '../rankings.ts';
import { decayed } from './decay.ts';
import { isBetter } from './order.ts';

/**
 * The score of a member after a submission.
 *
 * @param previous its score before; with mode `decay` and a full board, for a newcomer, that of the member that it displaces
 * @param now the time of the store, in epoch ms
 */
export function scoreAfter(rules: RankingRules, previous: number | null, submitted: number, now: number): number {
  // -0 becomes 0.
  if (rules.mode === 'decay') return decayed(previous, submitted, now, rules.halfLifeMs ?? Infinity);
  if (previous === null || rules.mode === 'last') return submitted + 0;
  if (rules.mode === 'sum') return saturated(previous + submitted);
  return isBetter(rules, submitted, previous) ? submitted + 0 : previous;
}

/**
 * Gives the rows of a page their ranks.
 *
 * @param from how many members stand before the first row
 * @param rank that of the first row
 */
export function rankRows(
  ties: RankingRules['ties'],
  entries: readonly Pick<RankingEntry, 'member' | 'score'>[],
  from: number,
  rank: number,
): RankingRow[] {
  let last = entries[0]?.score;
  return entries.map(({ member, score }, place) => {
    if (ties === 'earliest') rank = from + place + 1;
    else if (score !== last) rank = ties === 'dense' ? rank + 1 : from + place + 1;
    last = score;
    return { member, score, rank };
  });
}

function saturated(sum: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, sum)) + 0;
}
