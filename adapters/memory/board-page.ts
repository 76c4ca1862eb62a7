/** Finds the members that a page has, and gives them their ranks. */

import { rankRows } from '../../src/backend/rankings/arithmetic.ts';
import { entryAt, markOf } from '../../src/backend/rankings/mark.ts';
import { compareEntries, isBetter } from '../../src/backend/rankings/order.ts';
import type { RankingPage, RankingQuery } from '../../src/backend/rankings.ts';
import type { Board } from './board.ts';

/** Some positions that follow each other. */
interface Stretch {
  readonly from: number;
  readonly count: number;
}

export function pageOf(board: Board, query: RankingQuery, now: number): RankingPage {
  const { from, count } = stretchOf(board, query);
  const entries = board.list.slice(from, count);
  const [first, last] = [entries[0], entries.at(-1)];
  return {
    rows: first === undefined ? [] : rankRows(board.order.ties, entries, from, board.rank(first)),
    from,
    size: board.size,
    end: last && markOf(last),
    now,
  };
}

/** Where the members with scores between two stand. */
export function scoresBetween({ order, list }: Board, least: number, most: number): Stretch {
  const [best, worst] = order.order === 'desc' ? [most, least] : [least, most];
  const from = list.lowerBound(({ score }) => isBetter(order, score, best));
  return { from, count: list.lowerBound(({ score }) => !isBetter(order, worst, score)) - from };
}

function stretchOf(board: Board, query: RankingQuery): Stretch {
  const { list, order, size } = board;
  const { count } = query;
  if ('from' in query) return { from: Math.min(query.from, size), count };
  if ('after' in query) {
    const mark = entryAt(query.after);
    return { from: list.lowerBound((entry) => compareEntries(order, entry, mark) <= 0), count };
  }
  if ('around' in query) {
    const entry = board.get(query.around);
    if (entry === undefined) return { from: 0, count: 0 };
    const before = list.position(entry) - Math.floor((count - 1) / 2);
    return { from: Math.max(0, Math.min(before, size - count)), count };
  }
  const between = scoresBetween(board, query.least, query.most);
  const skip = Math.min(query.skip, between.count);
  return { from: between.from + skip, count: Math.min(count, between.count - skip) };
}
