/** Limits: how often may who do what, whoever counts. `hotshelf/limits`. */

export { addressBucket } from './address.ts';
export {
  type ExpressRateLimitStore,
  type ExpressRateLimitStoreOptions,
  forExpressRateLimit,
} from './express-rate-limit.ts';
export { nameBucket } from './name.ts';
export { limiter, type WatchedLimiter } from './limiter.ts';
export type { LimiterOptions } from './options.ts';
export type { LimiterEvent } from './store.ts';
export { LimitExceededError } from './exceeded.ts';
export type {
  Degraded,
  Limiter,
  LimitKey,
  LimitPlan,
  PlanVerdict,
  TakeOptions,
  Verdict,
  WaitOptions,
  WrapRule,
} from './verdict.ts';
