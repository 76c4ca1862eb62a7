/** Leaderboards, and what else is counted: how often, by how many, and what is trending. `hotshelf/leaderboards`. */

export { type Counter, counter, type CounterOptions } from './counting/counter.ts';
export type { BucketCount, BucketOptions, CountOptions, LastOptions } from './counting/options.ts';
export { type Trending, trending, type TrendingOptions, type TrendingRow } from './counting/trending.ts';
export { type UniqueCounts, uniques, type UniquesOptions } from './counting/uniques.ts';
export {
  type Leaderboard,
  leaderboard,
  type RotateOptions,
  type ScoreRange,
  type Submission,
  type Submitted,
  type SubscribeTopOptions,
} from './leaderboard.ts';
export type { TopChange } from './live/diff.ts';
export type { LeaderboardOptions, LiveOptions, TopCacheOptions } from './options.ts';
export { union, type UnionOptions } from './reading/union.ts';
export type { BoardFriend, BoardPage, BoardReader, BoardRow, BoardStanding, PageQuery, RangeQuery } from './rows.ts';
export { PartlySubmittedError, type SubmittedTo } from './submissions.ts';
export type { Where } from './time/where.ts';
export { type TimeWindow, type TimedKind, type WeekStart, window, type WindowKind } from './time/windows.ts';
