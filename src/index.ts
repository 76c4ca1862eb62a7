/** The front door: `hotshelf`. */

export type { Backend, BackendEvent, BackendWith, FacetName, Facets, Health } from './backend/backend.ts';
export type { Bus, SubscribeOptions, Subscription } from './backend/bus.ts';
export type { Counters } from './backend/counters.ts';
export { facet } from './backend/facet.ts';
export type { Resident, ResidentState, Stored, Values, Version } from './backend/values.ts';
export { type Cache, createCache, type Wrapped } from './cache/cache.ts';
export type { Key, KeyPart } from './cache/key.ts';
export type { LoadContext, Loader } from './cache/load.ts';
export type { Lookup, LookupStatus } from './cache/lookup.ts';
export type { CacheOptions, EntryOptions, MutateOptions, NamespaceOptions, SetOptions } from './cache/options.ts';
export type { Codec, Encoded } from './codec/codec.ts';
export { jsonCodec } from './codec/json.ts';
export { connect, type ConnectedTo, type ConnectOptions } from './connect.ts';
export type { BypassReason, CacheEvent } from './observe/events.ts';
export type { CacheStats } from './observe/stats.ts';
export { type Clock, systemClock, type Timer } from './support/clock.ts';
export type { Duration, DurationUnit } from './support/duration.ts';
export { type ErrorCode, errorCodes, HotshelfError, UnconfirmedError } from './support/errors.ts';
