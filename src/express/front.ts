/** Answers hits before the application is entered: what every request costs in Express is most of what a hit costs there. */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Fields } from '../http/fields.ts';
import { describe, HotshelfError } from '../support/errors.ts';
import { checkOptionNames } from '../support/options.ts';
import { BoundedMap } from './bounded-map.ts';
import { hit, kept } from './hit.ts';
import { type PrimaryKey, routingFields, unfit } from './key.ts';
import type { IncomingLike, Middleware } from './request.ts';
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
  const ends = checkRoutes(options.routes).map((route) => {
    const learn = (req: IncomingLike, at: PrimaryKey) => known.set(fingerprint(req), { route, at });
    route.listeners.add(learn);
    return () => route.listeners.delete(learn);
  });
  const inner = server.emit.bind(server);
  const emit = (event: string, ...values: unknown[]): boolean => {
    if (event !== 'request') return inner(event, ...values);
    const [req, res] = values as [IncomingMessage, ServerResponse];
    return answer(known, req, res, before, () => inner(event, req, res));
  };
  Reflect.set(server, 'emit', emit);
  return () => {
    for (const end of ends) end();
    if (Reflect.get(server, 'emit') === emit) Reflect.deleteProperty(server, 'emit');
    known.clear();
  };
}

function answer(
  known: BoundedMap<string, Known>,
  req: IncomingMessage,
  res: ServerResponse,
  before: NonNullable<ResponseFrontOptions['before']>,
  goOn: () => boolean,
): boolean {
  const found = unfit(req) === undefined ? known.get(fingerprint(req)) : undefined;
  const stored = found && kept(found.route, req, found.at);
  if (found === undefined || stored === undefined) return goOn();
  const step = (index: number): void => {
    const middleware = before[index];
    if (middleware === undefined) {
      if (!hit(found.route, req, res, stored)) goOn();
    } else {
      middleware(req, res, (error) => (error === undefined ? step(index + 1) : void goOn()));
    }
  };
  step(0);
  return true;
}

/** Says all that decides which answer a request gets; what a proxy says counts by which proxy it is. */
function fingerprint({ headers, originalUrl, url = '', socket }: IncomingLike): string {
  let text = `${headers.host ?? ''} ${originalUrl ?? url}`;
  const fields: Fields = headers;
  let isForwarded = headers.forwarded !== undefined;
  if (isForwarded) text += ` forwarded=${String(headers.forwarded)}`;
  for (const name of routingFields) {
    const value = fields[name];
    if (value === undefined) continue;
    isForwarded = true;
    text += ` ${name}=${JSON.stringify(value)}`;
  }
  return isForwarded ? `${text} ${socket.remoteAddress ?? ''}` : text;
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
