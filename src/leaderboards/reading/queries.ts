/** Reads which rows are asked for, and refuses what is not allowed. */

import { checkScores, mostRows } from '../../backend/rankings/check.ts';
import type { RankingQuery, RankingRules } from '../../backend/rankings.ts';
import { checkOptionNames } from '../../support/options.ts';
import { checkWhole, wrong } from '../naming.ts';
import type { PageQuery, RangeQuery } from '../rows.ts';

export const pageNames = ['page', 'from', 'count'];
export const rangeNames = ['ranks', 'scores', 'skip', 'after', 'count'];

const defaultCount = 50;
const mostPages = 1e12;

/** What the store is asked, and the last score of the range, if it has one. */
export interface Asked {
  readonly query: RankingQuery;
  readonly until: number | undefined;
}

/** @throws {HotshelfError} `OPTION_INVALID` */
export function readPageQuery(asked: PageQuery): Asked {
  checkOptionNames(asked, pageNames, 'page()');
  const { page, from, count = defaultCount }: { page?: number; from?: number; count?: number } = asked;
  checkWhole('count', count, 1, mostRows);
  if (from !== undefined && page !== undefined) throw wrong('page', 'left out beside `from`', page);
  checkWhole('from', from ?? 0, 0, Number.MAX_SAFE_INTEGER);
  checkWhole('page', page ?? 1, 1, mostPages);
  return { query: { from: from ?? ((page ?? 1) - 1) * count, count }, until: undefined };
}

/**
 * Reads a range, but for one that goes on `after` another.
 *
 * @throws {HotshelfError} `OPTION_INVALID`
 */
export function readRange(asked: Exclude<RangeQuery, { after: string }>, { order }: RankingRules): Asked {
  if ('ranks' in asked) {
    const [first, last] = pairOf('ranks', asked.ranks);
    checkWhole('ranks', first, 1, Number.MAX_SAFE_INTEGER);
    checkWhole('ranks', last, first, first + mostRows - 1);
    return { query: { from: first - 1, count: last - first + 1 }, until: undefined };
  }
  const { skip = 0, count = defaultCount } = asked;
  const [least, most] = pairOf('scores', asked.scores);
  checkScores(least, most);
  checkWhole('skip', skip, 0, Number.MAX_SAFE_INTEGER);
  checkWhole('count', count, 1, mostRows);
  return { query: { least, most, skip, count }, until: order === 'desc' ? least : most };
}

/** @throws {HotshelfError} `OPTION_INVALID` unless `asked` says with one name which range is meant. */
export function checkRange(asked: RangeQuery): void {
  checkOptionNames(asked, rangeNames, 'range()');
  const said = ['ranks', 'scores', 'after'].filter((name) => name in (asked ?? {}));
  if (said.length !== 1) throw wrong('range', 'one of `ranks`, `scores` and `after`', said.join(' and ') || undefined);
}

/** @throws {HotshelfError} `OPTION_INVALID` unless it is the number of rows of a page. */
export function countOf(count: number | undefined): number {
  checkWhole('count', count ?? defaultCount, 1, mostRows);
  return count ?? defaultCount;
}

function pairOf(what: string, pair: readonly [number, number]): readonly [number, number] {
  if (Array.isArray(pair) && pair.length === 2) return pair;
  throw wrong(what, 'a pair of numbers, the first and the last', pair);
}
