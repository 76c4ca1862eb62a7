/** Answers hits before the application is entered: what every request costs in Express is most of what a hit costs there. */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Fields } from '../../http/fields.ts';
import { describe, HotshelfError } from '../../support/errors.ts';
import { checkOptionNames } from '../../support/options.ts';
import { variantKey } from '../../http/vary.ts';
import { BoundedMap } from '../../support/bounded-map.ts';
import { hit, kept } from './hit.ts';
import { hasRoutingField, isRewritten, type PrimaryKey, routingFields, unfit } from './key.ts';
import type { IncomingLike, Middleware } from '../request.ts';
import { type Route, routeOf } from './route.ts';

export interface ResponseFrontOptions {
  /** What `cacheResponses()` returned, with `public: true`: nothing that decides who may see an answer runs before a hit here. */
  routes: readonly Middleware<never>[];
  /**
   * What must run for these answers too, such as `cors()` or `helmet()`: middleware that sets header fields and goes on.
   * @default none
   */
  before?: readonly ((req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void)[];
}

/** So many different requests are known at a time; others are answered by the application. */
const knownRequests = 10_000;
const where = 'responseFront()';

/** A request as it came to this server. */
interface Arrival {
  readonly url: string;
  readonly fingerprint: string;
}

/** Which answer a request as it comes from the network gets, learnt from requests that the application has passed on. */
interface Known {
  readonly route: Route<IncomingLike>;
  readonly at: PrimaryKey;
}

/**
 * Answers, from now on, what this process has at hand for the given routes before any listener of `server` hears of the request.
 * The returned function ends that.
 *
 * Only requests that look like one which the application itself has answered from the cache: so no route is guessed. Everything
 * else of the application is left out for them: logs, limits, header fields of other middleware (see `before`).
 *
 * @throws {HotshelfError} `OPTION_INVALID`
 * @example
 * const near = cacheResponses({ cache, ttl: '1h', query: ['lat', 'lon'], public: true });
 * app.get('/cities/near', near, handler);
 * responseFront(server, { routes: [near], before: [helmet()] });
 */
export function responseFront(server: Server, options: ResponseFrontOptions): () => void {
  checkOptionNames(options ?? null, ['routes', 'before'], where);
  const { before = [] } = options;
  if (!Array.isArray(before) || before.some((each) => typeof each !== 'function')) {
    throw invalid('before', 'a list of middleware', before);
  }
  const known = new BoundedMap<string, Known>(knownRequests);
  const routes = checkRoutes(options.routes);
  // Which route it is shows only when the request was found: so the fields of all of them tell requests apart.
  const vary = [...new Set(routes.flatMap(({ rules }) => rules.vary))];
  const arrivals = new WeakMap<object, Arrival>();
  const ends = routes.map((route) => {
    const learn = (req: IncomingLike, at: PrimaryKey) => {
      const arrival = arrivals.get(req);
      // One that came to another server, whose scheme may be another one; or one that the application takes for another, by what
      // nobody here knows.
      if (arrival === undefined || isAltered(req, arrival)) return;
      known.set(arrival.fingerprint, { route, at });
    };
    route.listeners.add(learn);
    return () => route.listeners.delete(learn);
  });
  const inner = server.emit.bind(server);
  const emit = (event: string, ...values: unknown[]): boolean => {
    if (event !== 'request') return inner(event, ...values);
    const [req, res] = values as [IncomingMessage, ServerResponse];
    const goOn = () => inner(event, req, res);
    const arrival = unfit(req) === undefined ? { url: req.url ?? '', fingerprint: fingerprint(req, vary) } : undefined;
    const found = arrival && known.get(arrival.fingerprint);
    const stored = found && kept(found.route, req, found.at);
    if (found === undefined || stored === undefined) {
      if (arrival !== undefined) arrivals.set(req, arrival);
      return goOn();
    }
    runAll(before, req, res, (isDone) => {
      if (!isDone || !hit(found.route, req, res, stored)) goOn();
    });
    return true;
  };
  Reflect.set(server, 'emit', emit);
  return () => {
    for (const end of ends) end();
    if (Reflect.get(server, 'emit') === emit) Reflect.deleteProperty(server, 'emit');
    known.clear();
  };
}

/** Calls `then` with true when all middleware has gone on, and with false where one of them fails. */
function runAll(
  [first, ...others]: NonNullable<ResponseFrontOptions['before']>,
  req: IncomingMessage,
  res: ServerResponse,
  then: (isDone: boolean) => void,
): void {
  if (first === undefined) return then(true);
  let hasGoneOn = false;
  const goOn = (error?: unknown) => {
    if (hasGoneOn) return;
    hasGoneOn = true;
    if (error === undefined || error === null) runAll(others, req, res, then);
    else then(false);
  };
  try {
    const result: unknown = first(req, res, goOn);
    if (result instanceof Promise) result.catch((error: unknown) => goOn(error ?? true));
  } catch (error) {
    // After it went on, this is an error of what comes after it.
    if (hasGoneOn) throw error;
    goOn(error ?? true);
  }
}

/** Tells whether a middleware has put another URL in the place of the one that was asked for. */
function isAltered({ originalUrl, baseUrl = '', url = '' }: IncomingLike, arrival: Arrival): boolean {
  return (originalUrl ?? arrival.url) !== arrival.url || isRewritten(baseUrl, url, arrival.url);
}

/** Says all that decides which answer a request gets; what a proxy says counts by which proxy it is. */
function fingerprint({ headers, url = '', socket }: IncomingMessage, vary: readonly string[]): string {
  let text = `${headers.host ?? ''} ${url}`;
  const fields: Fields = headers;
  if (vary.length > 0) text += ` ${variantKey(vary, fields)}`;
  if (!hasRoutingField(fields)) return text;
  for (const name of [...routingFields, 'forwarded']) {
    const value = fields[name];
    if (value !== undefined) text += ` ${name}=${JSON.stringify(value)}`;
  }
  return `${text} ${socket.remoteAddress ?? ''}`;
}

function checkRoutes(routes: unknown): Route<IncomingLike>[] {
  if (!Array.isArray(routes) || routes.length === 0) throw invalid('routes', 'a list of cacheResponses()', routes);
  return (routes as readonly unknown[]).map((middleware) => {
    const route = typeof middleware === 'function' ? routeOf(middleware) : undefined;
    if (route === undefined) throw invalid('routes', 'what cacheResponses() returned', middleware);
    if (route.rules.public) return route;
    throw new HotshelfError(
      'OPTION_INVALID',
      `A route of ${where} is not \`public: true\`: nothing that decides who may see its answers would run before them.`,
    );
  });
}

function invalid(name: string, expected: string, value: unknown): HotshelfError {
  return new HotshelfError(
    'OPTION_INVALID',
    `Expected \`${name}\` of ${where} to be ${expected}, got ${describe(value)}.`,
  );
}
