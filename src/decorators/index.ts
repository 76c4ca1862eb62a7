/** The front door: `hotshelf/decorators`. */

export { cached } from './cached.ts';
export { invalidates } from './invalidates.ts';
export { keyOf } from './key-of.ts';
export type {
  CachedDecorator,
  CachedMethodRule,
  CacheSource,
  InvalidatesDecorator,
  InvalidatesMethodRule,
  MethodDecoratorFor,
} from './types.ts';
