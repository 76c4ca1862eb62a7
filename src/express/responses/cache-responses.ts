/** The middleware that answers from the cache, and has what the handlers behind it answer kept. */

import { peekAt } from '../../cache/cache.ts';
import { isSafeMethod } from '../../http/invalidation.ts';
import { change } from './change.ts';
import { find } from './find.ts';
import { hit, kept } from './hit.ts';
import type { Bypass } from './key.ts';
import { checkOptions, type ResponseCacheOptions } from './options.ts';
import type { IncomingLike, Middleware, Next, ResponseLike } from '../request.ts';
import { markRoute, Route } from './route.ts';
import { addNotes } from './send.ts';
import { variantPlace } from './place.ts';
import type { Stored } from './stored.ts';
import { keyOf } from './under-way.ts';
import { Visit } from './visit.ts';

/** So often a request asks for the answer that another one is having made, before it has its own made. */
const mostAttempts = 3;

/**
 * Returns a middleware that answers GET and HEAD from the cache, and has what the handlers behind it answer kept, by RFC 9111.
 *
 * Nothing is kept unless `ttl` or the handler's Cache-Control says for how long; and never an answer for which the handler read
 * who is asking (session, user, cookies, credentials), unless `per` or `public` says whose it is. Requests with other methods
 * end what is kept for their URI before their own answer begins. Where the backend fails, the handler answers.
 *
 * Works in Express 5 and 4, and around a listener of `node:http`.
 *
 * @throws {HotshelfError} `OPTION_INVALID`
 * @example
 * app.get('/cities/near', cacheResponses({ cache, ttl: '1h', query: ['lat', 'lon'] }), near);
 */
export function cacheResponses<Request extends IncomingLike = IncomingLike>(
  options: ResponseCacheOptions<Request>,
): Middleware<Request> {
  const route = new Route(checkOptions(options));
  const middleware: Middleware<Request> = (req, res, next) => handle(route, req, res, next);
  markRoute(middleware, route);
  return middleware;
}

function handle<Request extends IncomingLike>(
  route: Route<Request>,
  req: Request,
  res: ResponseLike,
  next: Next,
): void | Promise<void> {
  const at = keyOf(route, req);
  // The first of the two hears the answer, and says what there is to say.
  if (at === 'under way') return next();
  if (typeof at === 'string') {
    return at === 'method' && !isSafeMethod(req.method ?? '')
      ? change(route, req, res, next)
      : pass({ route, res, next, passed: false }, at);
  }
  if (hit(route, req, res, kept(route, req, at))) {
    for (const listener of route.listeners) listener(req, at);
    return undefined;
  }
  return answer(new Visit(route, req, res, next, at));
}

async function answer<Request extends IncomingLike>(visit: Visit<Request>): Promise<void> {
  try {
    await tryToAnswer(visit);
  } catch (error) {
    const { captured } = visit;
    // What a listener of `node:http` throws goes where it went without a cache.
    if (visit.failure !== undefined || visit.passed) throw error;
    // Other middleware has answered while this request waited.
    if (isTooLate(error)) return;
    // Nothing that goes wrong here keeps the handler from answering; it does so once.
    if (!visit.ran) return pass(visit, 'uncacheable');
    captured?.reset();
    captured?.release();
    visit.next(error);
  }
}

function isTooLate(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_HTTP_HEADERS_SENT';
}

async function tryToAnswer<Request extends IncomingLike>(visit: Visit<Request>): Promise<void> {
  const { route, req, at } = visit;
  if (req.method === 'HEAD' || req.headers.range !== undefined) return look(visit);
  // Whoever cannot have the answer of another need not wait for it.
  if (route.making.has(at.key) && route.notForOthers.get(at.key) === true) return pass(visit, 'uncacheable');
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    const finding = await find(visit, { key: at.key, variants: undefined });
    if (finding === 'done') return undefined;
    if (finding === 'own') return pass(visit, 'uncacheable');
    if (finding === 'waited') break;
  }
  return pass(visit, 'waited');
}

/** Answers from what is kept, or leaves all to the handler: what it answers to HEAD, or for a part, is nothing to keep. */
async function look<Request extends IncomingLike>(visit: Visit<Request>): Promise<void> {
  const { route, req, res, next, at } = visit;
  const first = await peek(visit, at.key);
  const stored =
    first !== 'failed' && first?.kind === 'variants'
      ? await peek(visit, variantPlace(at.key, first, req.headers, route.rules).key)
      : first;
  if (stored === 'failed') return pass(visit, 'backend');
  if (stored?.kind === 'answer' && hit(route, req, res, stored)) return undefined;
  addNotes(res, { status: route.statusOf({ fwd: 'miss' }) });
  visit.passed = true;
  next();
}

async function peek<Request extends IncomingLike>(
  { route }: Visit<Request>,
  key: string,
): Promise<Stored | 'failed' | undefined> {
  const found = await peekAt(route.cache, key);
  return found === 'failed' ? found : (found?.value as Stored | undefined);
}

function pass<Request extends IncomingLike>(
  visit: Pick<Visit<Request>, 'route' | 'res' | 'next' | 'passed'>,
  why: Bypass | 'uncacheable' | 'waited' | 'backend',
): void {
  const status = why === 'method' ? ({ fwd: 'method' } as const) : ({ fwd: 'bypass', detail: why } as const);
  addNotes(visit.res, { status: visit.route.statusOf(status) });
  visit.passed = true;
  visit.next();
}
