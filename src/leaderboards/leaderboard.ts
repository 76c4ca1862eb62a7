/** Leaderboards: who is ahead, for ever and in this hour, day, week, month and year, where the people are. */

import type { Submission, Submitted } from '../backend/rankings.ts';
import type { Duration } from '../support/duration.ts';
import { Board } from './board.ts';
import { warnIfEndangered } from './endangered.ts';
import type { TopChange } from './live/diff.ts';
import { type LeaderboardOptions, readOptions } from './options.ts';
import type { BoardFriend, BoardPage, BoardReader, BoardRow, BoardStanding, PageQuery, RangeQuery } from './rows.ts';
import type { SubmittedTo } from './submissions.ts';
import type { Where } from './time/where.ts';
import type { TimeWindow, WindowKind } from './time/windows.ts';

export interface SubscribeTopOptions<Kind extends WindowKind = WindowKind> {
  /** @default the first of the board's `windows` */
  readonly window?: Kind;
  /** How many members are watched, 1 to 1000. @default 10 */
  readonly size?: number;
  /** Called with what failed; the subscription goes on. */
  readonly onProblem?: (error: unknown) => void;
}

export interface RotateOptions {
  /** How long the season is kept, or `Infinity`. @default '365d' */
  readonly keep?: Duration;
}

/**
 * A leaderboard. Errors name it and what to do; members do not appear in them.
 *
 * What is read and not said otherwise is the current one of the first of its windows.
 *
 * @throws {HotshelfError} of every verb: `OPTION_INVALID` before anything is sent; `BACKEND_DOWN`, `BACKEND_REFUSED` and `BOARD_FULL` if
 *   nothing was changed; `OUTCOME_UNKNOWN` if it may have been; `CLOSED` after `close()`.
 */
export interface Leaderboard<Kind extends WindowKind = 'all', Meta = unknown> extends BoardReader<Meta> {
  readonly name: string;
  /** Submits a score to the current windows, in one atomic step; says what it did in each. */
  submit(member: string, score: number): Promise<SubmittedTo<Kind>>;
  /**
   * Submits any number of scores, 128 in one atomic step.
   *
   * @throws {PartlySubmittedError} which says how many were acknowledged
   */
  submitMany(submissions: readonly Submission[]): Promise<readonly SubmittedTo<Kind>[]>;
  /**
   * Takes a member off all windows that are kept, the current ones first, and forgets its meta; or off one window. Seasons stay as
   * they are. Returns false if it was nowhere. After an error, repeat it.
   */
  remove(member: string, where?: Where<Kind>): Promise<boolean>;
  /** Takes those with such scores off all windows that are kept, or off one; returns how many there were. */
  removeScores(range: ScoreRange & Where<Kind>): Promise<number>;
  /** Keeps something of a member, which its rows show; `undefined` forgets it. */
  setMeta(member: string, value: Meta | undefined): Promise<void>;
  top(count?: number, where?: Where<Kind>): Promise<BoardPage<Meta>>;
  page(query?: PageQuery & Where<Kind>): Promise<BoardPage<Meta>>;
  /** With `after` and without a window, that of the cursor: pages of a day go on after its end. */
  range(query: RangeQuery & Where<Kind>): Promise<BoardPage<Meta>>;
  get(member: string, where?: Where<Kind>): Promise<BoardStanding<Meta> | null>;
  around(member: string, each?: number, where?: Where<Kind>): Promise<BoardPage<Meta> | null>;
  among(members: readonly string[], where?: Where<Kind>): Promise<readonly BoardFriend<Meta>[]>;
  size(where?: Where<Kind>): Promise<number>;
  export(where?: Where<Kind>): AsyncIterable<BoardRow<Meta>>;
  /** When a window begins and ends. */
  window(where?: Where<Kind>): TimeWindow;
  /**
   * Makes the members of the window `all` those of a season, and begins anew: in one step, so that every score is in one of both.
   * Returns false, and does nothing, if there are none.
   *
   * @throws {HotshelfError} `SEASON_TAKEN` if there is such a season
   */
  rotate(season: string, options?: RotateOptions): Promise<boolean>;
  /** A season of `rotate`; one that is not there, or no longer, has no members. */
  archive(season: string): BoardReader<Meta>;
  /**
   * Calls `listener` with the top of a window as it is, and then with what changes, some of it at a time; the returned function ends
   * that. Errors of the store do not: who cannot look now looks later.
   */
  subscribe(listener: (change: TopChange<Meta>) => void, options?: SubscribeTopOptions<Kind>): () => void;
  /** Ends subscriptions and timers. The backend stays open. */
  close(): void;
}

/** Scores between two, both included. */
export interface ScoreRange {
  /** @default -Infinity */
  readonly least?: number;
  /** @default Infinity */
  readonly most?: number;
}

export type { Submission, Submitted };

/**
 * Returns a leaderboard.
 *
 * A submit is one command, whatever the number of windows, and atomic in all of them. What is read is one command too, two with `meta`.
 *
 * @param name what the board is for, in 1 to 100 characters: part of every key. Boards with the same name on the same server are
 *   one, and must have the same options.
 * @throws {HotshelfError} `OPTION_INVALID` or `FACET_MISSING`
 * @example
 * const quiz = leaderboard('quiz', { backend, windows: ['all', 'day'], timeZone: 'Europe/Paris' });
 * const { day } = await quiz.submit('anna', 120); // { score: 120, rank: 3, previous: 80, improved: true }
 * const { rows } = await quiz.top(10, { window: 'day' });
 */
export function leaderboard<Kind extends WindowKind = 'all', Meta = unknown>(
  name: string,
  options: LeaderboardOptions<Kind>,
): Leaderboard<Kind, Meta> {
  const rules = readOptions(name, options);
  warnIfEndangered(rules.backend, rules.rankings);
  return new Board<Kind, Meta>(rules);
}
