/** What a leaderboard answers with. */

import type { RankingRow } from '../backend/rankings.ts';

/** A member in its place. */
export interface BoardRow<Meta = unknown> extends RankingRow {
  /** What `setMeta` keeps of the member, if it keeps something and the board has `meta`. */
  readonly meta?: Meta;
}

/** Some members that follow each other. */
export interface BoardPage<Meta = unknown> {
  readonly rows: readonly BoardRow<Meta>[];
  /** How many members stand before the first row. */
  readonly from: number;
  /** How many members the board has. */
  readonly size: number;
  /** To be given as `after` for the rows behind; `undefined` where the board ends, or a range of scores. */
  readonly next: string | undefined;
  /** When it was so, by the clock of the store, in epoch ms. */
  readonly at: number;
  /** True if the store did not answer, and this is what `cacheTop` had kept. */
  readonly stale: boolean;
}

/** Where a member stands. */
export interface BoardStanding<Meta = unknown> extends BoardRow<Meta> {
  /** How many members have a better score; with ties `earliest`, how many stand before it. */
  readonly ahead: number;
  /** How many members the board has. */
  readonly size: number;
  /** The share of the members that are not ahead, in per cent: 100 for the first. */
  readonly percentile: number;
}

/** Where a member stands among some. */
export interface BoardFriend<Meta = unknown> extends BoardRow<Meta> {
  /** Its rank among those that were asked for; `rank` is that on the whole board. */
  readonly localRank: number;
}

/** Which rows a page has: the pages are numbered from 1 on, positions from 0 on. */
export type PageQuery =
  | {
      readonly page?: number;
      readonly from?: undefined;
      /** 1 to 1000. @default 50 */
      readonly count?: number;
    }
  | { readonly from: number; readonly page?: undefined; readonly count?: number };

/** Which rows a range has, at most 1000. */
export type RangeQuery =
  /** From one place to another, both included, counted from 1: members that share a rank have a place each. */
  | { readonly ranks: readonly [first: number, last: number] }
  /** Those with scores between two, both included; the first `skip` of them are left out. */
  | {
      readonly scores: readonly [least: number, most: number];
      readonly skip?: number;
      /** 1 to 1000. @default 50 */
      readonly count?: number;
    }
  /** Behind the end of another page or range, which `next` of it says: nobody is missed or repeated who keeps the score. */
  | { readonly after: string; readonly count?: number };

/** What can be read of a board. */
export interface BoardReader<Meta = unknown> {
  /** The first members. @param count 1 to 1000, 10 unless it is said */
  top(count?: number): Promise<BoardPage<Meta>>;
  page(query?: PageQuery): Promise<BoardPage<Meta>>;
  range(query: RangeQuery): Promise<BoardPage<Meta>>;
  /** Where a member stands; `null` if it is not there. */
  get(member: string): Promise<BoardStanding<Meta> | null>;
  /**
   * A member between its neighbours: as many before as behind, `each` of them; where the board ends, more on the other side, so that
   * the page is full. `null` if the member is not there.
   *
   * @param each 0 to 499, 5 unless it is said
   */
  around(member: string, each?: number): Promise<BoardPage<Meta> | null>;
  /** Up to 1000 members in the order of their ranks; those that are not there are left out. */
  among(members: readonly string[]): Promise<readonly BoardFriend<Meta>[]>;
  /** How many members the board has. */
  size(): Promise<number>;
  /**
   * All members in their order. The board is read as a whole before the first row comes, and takes that much memory: so nobody is
   * missed or repeated who is there all the while, whatever is submitted meanwhile.
   */
  export(): AsyncIterable<BoardRow<Meta>>;
}
