/** The front door: `hotshelf`. */

export type { Backend, BackendEvent, BackendWith, FacetName, Facets, Health } from './backend/backend.ts';
export type { Bus, SubscribeOptions, Subscription } from './backend/bus.ts';
export type { Counters } from './backend/counters.ts';
export { facet } from './backend/facet.ts';
export type {
  FixedWindowPlan,
  Limits,
  Plan,
  SlidingWindowPlan,
  Standing,
  Taken,
  TokenBucketPlan,
} from './backend/limits.ts';
export type {
  RankingBoard,
  RankingEntry,
  RankingFound,
  RankingPage,
  RankingQuery,
  RankingRow,
  RankingRules,
  Rankings,
  RankingStanding,
  Submission,
  Submitted,
} from './backend/rankings.ts';
export type { Uniques } from './backend/uniques.ts';
export type { Resident, ResidentState, Stored, Values, Version } from './backend/values.ts';
export type { LoadContext, Loader, LoadResult, StaleValue } from './cache/load/ask.ts';
export type { BatchContext, BatchLoader, BatchResult } from './cache/read/batch.ts';
export { type Cache, createCache, type Mutation } from './cache/cache.ts';
export {
  cacheAll,
  type CacheAllOptions,
  type CachedRepository,
  type RulesFor,
  type WritingRule,
} from './cache/wrap/cache-all.ts';
export type { Key, KeyPart } from './cache/key.ts';
export type { LocalOptions } from './cache/local/options.ts';
export type { Lookup, LookupStatus } from './cache/lookup.ts';
export type {
  Acceptance,
  CacheOptions,
  EntryOptions,
  InvalidateOptions,
  MutateOptions,
  NamespaceOptions,
  SetOptions,
} from './cache/options.ts';
export type { Skipped, Unchanged } from './cache/load/outcome.ts';
export type { InvalidatesRule } from './cache/wrap/mutating-call.ts';
export type { CachedRule, Wrapped, WrappedHandle } from './cache/wrap/wrap.ts';
export type { Codec, Encoded } from './codec/codec.ts';
export type { StandardSchema } from './codec/standard-schema.ts';
export { compressed, type CompressedOptions, type CompressionFormat } from './codec/compressed.ts';
export { encrypted, type EncryptedOptions, type EncryptionKey, type KeyMaterial } from './codec/encrypted.ts';
export { jsonCodec } from './codec/json.ts';
export { connect, type ConnectedTo, type ConnectOptions } from './connect.ts';
export type { BypassReason, CacheEvent, RefreshReason, StaleReason, Tier } from './observe/events.ts';
export type { CacheStats } from './observe/stats.ts';
export { type Clock, systemClock, type Timer } from './support/clock.ts';
export type { Duration, DurationUnit } from './support/duration.ts';
export { type ErrorCode, errorCodes, HotshelfError, UnconfirmedError } from './support/errors.ts';
