/** What HTTP says about caches, without a framework: `hotshelf/http`. */

export { type CacheStatus, formatCacheStatus } from './cache-status.ts';
export { type CacheControl, parseCacheControl } from './cache-control.ts';
export {
  type Fields,
  type FieldValue,
  fieldValue,
  listMembers,
  type RequestHead,
  type ResponseHead,
} from './fields.ts';
export { type FreshnessRules, initialAgeMs, type Lifetime, lifetimeOf } from './freshness.ts';
export { formatHttpDate, parseHttpDate } from './http-date.ts';
export { currentAgeMs, decideReuse, helpsOnError, requestDirectives, type Reuse, type Stock } from './reuse.ts';
export { planStorage, type StoragePlan, type StoreRefusal, type StoreRules, type StoreTimes } from './storing.ts';
export {
  type BareItem,
  type InnerList,
  type Item,
  type Member,
  type Parameters,
  parseDictionary,
  parseItem,
  parseList,
  serializeInteger,
  serializeString,
  serializeTokenOrString,
} from './structured-fields.ts';
export { type Governing, governing } from './targeted.ts';
