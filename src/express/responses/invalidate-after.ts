/** The middleware for routes that write: what they change is ended before their answer begins. */

import { Cache } from '../../cache/cache.ts';
import type { Key } from '../../cache/key.ts';
import type { ResponseHead } from '../../http/fields.ts';
import { describe, HotshelfError } from '../../support/errors.ts';
import { checkOptionNames } from '../../support/options.ts';
import { invalidated, isDone } from './change.ts';
import { holdBack } from './held.ts';
import type { IncomingLike, Middleware } from '../request.ts';

export interface InvalidateAfterOptions<Request extends IncomingLike = IncomingLike> {
  /** What `createCache` returned, or a namespace of it: keys are those of this one, tags hold for the whole cache. */
  cache: Cache;
  /**
   * The tags of what the request changes, or a function that gives them.
   * @default none
   */
  tags?: readonly Key[] | ((req: Request, answer: ResponseHead) => readonly Key[]);
  /**
   * The keys of what the request changes, or a function that gives them.
   * @default none
   */
  keys?: readonly Key[] | ((req: Request, answer: ResponseHead) => readonly Key[]);
}

const where = 'invalidateAfter()';

/**
 * Returns a middleware that invalidates after each answer of the handlers behind it that is no error (2xx and 3xx), and lets the
 * answer begin when that is done: whoever reads the answer, and then asks again, gets what is true now.
 *
 * When the backend does not confirm, the answer begins all the same, and the cache goes on trying: it emits `unconfirmed`. What
 * the functions throw goes to the error handlers.
 *
 * @throws {HotshelfError} `OPTION_INVALID`
 * @example
 * app.patch('/cities/:id', invalidateAfter({ cache, tags: (req) => [['city', req.params.id]] }), change);
 */
export function invalidateAfter<Request extends IncomingLike = IncomingLike>(
  options: InvalidateAfterOptions<Request>,
): Middleware<Request> {
  checkOptionNames(options ?? null, ['cache', 'tags', 'keys'], where);
  const { cache } = options;
  if (!(cache instanceof Cache)) {
    throw new HotshelfError('OPTION_INVALID', `Expected \`cache\` of ${where} to be a cache, got ${describe(cache)}.`);
  }
  const tagsOf = listOf('tags', options.tags);
  const keysOf = listOf('keys', options.keys);
  return (req, res, next) => {
    holdBack(req, res, next, (answered) => {
      if (!isDone(answered)) return undefined;
      return invalidated(cache, keysOf(req, answered), tagsOf(req, answered));
    });
  };
}

type ListOf<Request> = (req: Request, answer: ResponseHead) => readonly Key[];

function listOf<Request>(name: string, given: readonly Key[] | ListOf<Request> | undefined): ListOf<Request> {
  if (given === undefined) return () => [];
  if (typeof given === 'function') return given;
  if (Array.isArray(given)) return () => given;
  throw new HotshelfError(
    'OPTION_INVALID',
    `Expected \`${name}\` of ${where} to be a list of keys, or a function that returns one, got ${describe(given)}.`,
  );
}
