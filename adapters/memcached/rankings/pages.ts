/** Finds the members that a page has, and where members stand. */

import { rankRows } from '../../../src/backend/rankings/arithmetic.ts';
import { entryAt, markOf } from '../../../src/backend/rankings/mark.ts';
import type { RankingFound, RankingPage, RankingQuery } from '../../../src/backend/rankings.ts';
import type { Board } from './board.ts';
import type { Names } from './names.ts';

/** For more members than these it is worth it to go over the whole board first. */
const fewMembers = 8;

/** Some places that follow each other. */
interface Stretch {
  readonly from: number;
  readonly count: number;
}

/** @param board `undefined` if there is none */
export function pageOf(board: Board | undefined, names: Names, query: RankingQuery, now: number): RankingPage {
  if (board === undefined) return { rows: [], from: 0, size: 0, end: undefined, now };
  const { from, count } = stretchOf(board, names, query);
  const entries = board.entries(from, count);
  const last = entries.at(-1);
  return {
    rows: last === undefined ? [] : rankRows(board.kind.ties, entries, from, board.standingAt(from).rank),
    from,
    size: board.size,
    end: last && markOf(last),
    now,
  };
}

export function standingsOf(
  board: Board | undefined,
  names: Names,
  members: readonly string[],
  now: number,
): RankingFound {
  if (members.length > fewMembers) board?.countLevels();
  const standings = members.map((member) => {
    const place = board?.placeOf(names.find(member)) ?? -1;
    return board === undefined || place === -1 ? null : board.standingAt(place);
  });
  return { standings, size: board?.size ?? 0, now };
}

function stretchOf(board: Board, names: Names, query: RankingQuery): Stretch {
  const { count } = query;
  if ('from' in query) return { from: Math.min(query.from, board.size), count };
  if ('after' in query) return { from: board.placeBehind(entryAt(query.after)), count };
  if ('around' in query) {
    const place = board.placeOf(names.find(query.around));
    if (place === -1) return { from: 0, count: 0 };
    const before = place - Math.floor((count - 1) / 2);
    return { from: Math.max(0, Math.min(before, board.size - count)), count };
  }
  const between = board.between(query.least, query.most);
  const skip = Math.min(query.skip, between.count);
  return { from: between.from + skip, count: Math.min(count, between.count - skip) };
}
