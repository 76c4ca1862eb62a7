/** The front door: `hotshelf/decorators`. */

export { cached } from './cached.ts';
export { invalidates } from './invalidates.ts';
export { keyOf } from './key-of.ts';
export { limited } from './limited.ts';
export type {
  CachedDecorator,
  CachedMethodRule,
  CacheSource,
  InvalidatesDecorator,
  InvalidatesMethodRule,
  LimitedDecorator,
  LimitedMethodKey,
  LimitedMethodRule,
  LimiterSource,
  MethodDecoratorFor,
  WrappingLimiter,
} from './types.ts';
