/** The facet for leaderboards: members in the order of their scores, and the ranks that this gives them. */

/** What a board makes of scores; every call for one board must name the same. */
export interface RankingRules {
  /** Which score is the best: the highest (`desc`) or the lowest (`asc`). */
  readonly order: 'desc' | 'asc';
  /**
   * What members with the same score share: their rank, with a gap after them (`competition`: 1 2 2 4) or without one (`dense`:
   * 1 2 2 3); or nothing, because who reached it first is ahead (`earliest`).
   */
  readonly ties: 'competition' | 'dense' | 'earliest';
  /**
   * What becomes of an older score: the better one stays (`best`), the newer one stays (`last`), they are added up (`sum`), or the
   * older one has lost half of its weight in every `halfLifeMs` and is added to then (`decay`, with order `desc` and ties
   * `competition` only).
   *
   * Scores of `decay` are logarithms, because those need no upkeep: `weightAt` says what they weigh.
   */
  readonly mode: 'best' | 'last' | 'sum' | 'decay';
  /** Of mode `decay`, in ms from 1 on. */
  readonly halfLifeMs?: number;
  /**
   * The most members, a whole number above 0 or `Infinity`; those behind are dropped by the submit that makes them too many, and
   * with a lower cap than before they are dropped after the submission: it still finds the score of its member.
   * With `decay`, who comes onto a full board takes the place and the score of the last one, and adds to that (space-saving:
   * Metwally, Agrawal, El Abbadi 2005); if more than `cap` are there, of the last one that the cap leaves.
   */
  readonly cap: number;
}

export interface RankingBoard {
  readonly key: string;
  /** When the board goes, in epoch ms, at once if that has passed; `Infinity` if it stays. Every submit sets it anew. */
  readonly expiresAt: number;
}

export interface Submission {
  /** 1 to 256 bytes of UTF-8, any text. */
  readonly member: string;
  /** Finite. With `sum` it is added, with `decay` too and above 0. */
  readonly score: number;
}

/** What one submission did to one board. */
export interface Submitted {
  /** The member's score now, or the one with which the cap dropped it. */
  readonly score: number;
  /** The score before, or `null` if the member was not on the board. */
  readonly previous: number | null;
  /** `null` if the cap dropped the member. */
  readonly rank: number | null;
  /** True if the score is better than before, or the member was not on the board. */
  readonly improved: boolean;
}

/** A member in its place. */
export interface RankingRow {
  readonly member: string;
  readonly score: number;
  readonly rank: number;
}

/** Where a member stands. */
export interface RankingStanding {
  readonly score: number;
  readonly rank: number;
  /** How many members have a better score; with ties `earliest`, how many stand before it. */
  readonly ahead: number;
}

/** Some members that follow each other. */
export interface RankingPage {
  readonly rows: readonly RankingRow[];
  /**
   * How many members stand before the first row; on a page without rows, before the place where they would be: at most `size`, and 0
   * for a page around a member that is not there.
   */
  readonly from: number;
  /** How many members the board has. */
  readonly size: number;
  /** Where the page ends, to be given as `after`; `undefined` if it has no rows. */
  readonly end: string | undefined;
  /** The time of the store, in epoch ms. */
  readonly now: number;
}

/** Which members a page has; `count` is 1 to 1000, and fewer are found where the board ends. */
export type RankingQuery =
  /** From a position on, 0 for the first. */
  | { readonly from: number; readonly count: number }
  /** As many before a member as behind it, and one more behind if `count` is even; shifted at both ends, so that the page is full. */
  | { readonly around: string; readonly count: number }
  /** Those with scores between two, both included; `-Infinity` and `Infinity` are allowed. The first `skip` of them are left out. */
  | { readonly least: number; readonly most: number; readonly skip: number; readonly count: number }
  /** Behind the end of another page, whether or not the member that stood there is still there. */
  | { readonly after: string; readonly count: number };

export interface RankingEntry {
  readonly member: string;
  readonly score: number;
  /** With ties `earliest`, a number that grows with the time at which the score was reached; 0 otherwise. */
  readonly reached: number;
}

/**
 * Leaderboards. Members with the same score follow each other by the bytes of their UTF-8, upwards with `asc` and downwards
 * with `desc` (as ZRANGE and ZREVRANGE have it), or with ties `earliest` by when they reached it. That time is the store's.
 *
 * Scores are exact doubles; -0 is 0, and a sum that would leave the range of doubles ends at its border. Keys are those of
 * `Values` with a text in braces, as `quiz:{eu}:day`; up to its closing brace all keys of a call are the same, so that they are
 * kept together. Rankings and other facets must not share keys, nor boards of different rules. Every call is one atomic step
 * over all its boards.
 *
 * Rejects as `Values` does, with `OPTION_INVALID` and `KEY_INVALID` before anything is written. After `OUTCOME_UNKNOWN` all
 * submissions of the call were applied once, or none was; never twice. A key that holds something of another kind is
 * refused with `BACKEND_REFUSED` and stays as it is.
 */
export interface Rankings {
  /** The most members that a board can have here; `Infinity` if only memory bounds them. */
  readonly maxMembers: number;
  /**
   * Submits 1 to 128 scores to 1 to 16 boards, one after the other, with what that many calls would give: every submission is ranked
   * and capped before the next one. Returns for each submission what it did to each board.
   *
   * Rejects with `BOARD_FULL` if the store would have more members than it can keep; nothing is written then.
   */
  submit(
    boards: readonly RankingBoard[],
    rules: RankingRules,
    submissions: readonly Submission[],
  ): Promise<readonly (readonly Submitted[])[]>;
  page(key: string, rules: RankingRules, query: RankingQuery): Promise<RankingPage>;
  /** Where 1 to 1000 members stand, in their order; `null` for those that are not on the board. */
  find(key: string, rules: RankingRules, members: readonly string[]): Promise<RankingFound>;
  /** Takes 1 to 1000 members off; returns how many were on each board. */
  remove(keys: readonly string[], rules: RankingRules, members: readonly string[]): Promise<readonly number[]>;
  /** Takes off those with scores between two, both included; returns how many were on each board. */
  removeScores(keys: readonly string[], rules: RankingRules, least: number, most: number): Promise<readonly number[]>;
  /**
   * Gives a board another key and lifetime: `moved`; or finds that it has no members, `missing`, or else that the other key is `taken`,
   * and does nothing.
   */
  move(key: string, to: RankingBoard, rules: RankingRules): Promise<'moved' | 'missing' | 'taken'>;
  /**
   * Reads all members, in no order, some at a time. Who is on the board all the while is found at least once, with a score that it
   * had meanwhile.
   */
  scan(key: string, rules: RankingRules): AsyncIterable<readonly RankingEntry[]>;
  /** Says why the store might drop boards before their time, in a sentence; `undefined` if it would not. Never rejects. */
  endangered?(): Promise<string | undefined>;
}

export interface RankingFound {
  readonly standings: readonly (RankingStanding | null)[];
  readonly size: number;
  /** The time of the store, in epoch ms. */
  readonly now: number;
}
