/** Middleware for Express 5, Express 4 and `node:http`: `hotshelf/express`. */

export { cacheResponses } from './responses/cache-responses.ts';
export { rateLimit } from './limits/rate-limit.ts';
export type { RateLimitOptions } from './limits/rate-limit-options.ts';
export { concurrency } from './limits/concurrency.ts';
export type { BusyReason, ConcurrencyOptions } from './limits/concurrency-options.ts';
export { responseFront, type ResponseFrontOptions } from './responses/front.ts';
export { invalidateAfter, type InvalidateAfterOptions } from './responses/invalidate-after.ts';
export type { AnswerHead, ResponseCacheOptions } from './responses/options.ts';
export type { IncomingLike, Middleware, Next, ResponseLike } from './request.ts';
