/** Middleware for Express 5, Express 4 and `node:http`: `hotshelf/express`. */

export { cacheResponses } from './cache-responses.ts';
export { rateLimit } from './rate-limit.ts';
export type { RateLimitOptions } from './rate-limit-options.ts';
export { concurrency } from './concurrency.ts';
export type { BusyReason, ConcurrencyOptions } from './concurrency-options.ts';
export { responseFront, type ResponseFrontOptions } from './front.ts';
export { invalidateAfter, type InvalidateAfterOptions } from './invalidate-after.ts';
export type { AnswerHead, ResponseCacheOptions } from './options.ts';
export type { IncomingLike, Middleware, Next, ResponseLike } from './request.ts';
