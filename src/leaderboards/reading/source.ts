/** What a reader asks: one board, wherever it stands. */

import type {
  RankingEntry,
  RankingFound,
  RankingPage,
  RankingQuery,
  RankingRules,
  Rankings,
} from '../../backend/rankings.ts';

/** The part of the facet that reads, of one board. */
export interface Source {
  readonly rules: RankingRules;
  page(query: RankingQuery): Promise<RankingPage>;
  find(members: readonly string[]): Promise<RankingFound>;
  scan(): AsyncIterable<readonly RankingEntry[]>;
}

/** The board under `key`. */
export function storedBoard(rankings: Rankings, rules: RankingRules, key: string): Source {
  return {
    rules,
    page: (query) => rankings.page(key, rules, query),
    find: (members) => rankings.find(key, rules, members),
    scan: () => rankings.scan(key, rules),
  };
}
