/** Leaderboards, and what else is counted: how often, by how many, and what is trending. `hotshelf/leaderboards`. */

export { type Counter, counter, type CounterOptions } from './counting/counter.ts';
export type { BucketCount, BucketOptions, CountOptions, LastOptions } from './counting/options.ts';
export { type Trending, trending, type TrendingOptions, type TrendingRow } from './counting/trending.ts';
export { type UniqueCounts, uniques, type UniquesOptions } from './counting/uniques.ts';
