/** What HTTP says about caches, without a framework: `hotshelf/http`. */

export { type CacheGroupsField, groupsOf, invalidatedGroups } from './cache-groups.ts';
export {
  appendCacheStatus,
  type CacheOutcome,
  type CacheStatus,
  cacheStatusOf,
  formatCacheStatus,
} from './cache-status.ts';
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
export { type EntityTag, entityTags, parseEtag, strongEtagOf, strongMatch, variantEtag, weakMatch } from './etag.ts';
export { invalidatesTarget, isSafeMethod, relatedTargets } from './invalidation.ts';
export { acceptsCoding, chooseCoding, type Coding, preferredLanguage } from './negotiation.ts';
export { conditionalFields, evaluate, type Precondition, type Selected } from './preconditions.ts';
export { contentRange, type RangeAnswer, selectRange } from './ranges.ts';
export {
  type FieldLine,
  type FieldRules,
  type KeepOptions,
  mayFreshen,
  notModifiedFields,
  storableFields,
  updatedFields,
} from './stored-fields.ts';
export { variantKey, type VariantOptions } from './vary.ts';
