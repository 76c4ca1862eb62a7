/** One line for sessions: express-session set up as it should be, over a store that loses nothing, saved before the response. */

import session from 'express-session';
import { answerable, commitFirst, type Middleware } from './commit-first.ts';
import { checkStoreOptions, type SessionStoreOptions, storeNames } from './options.ts';
import { checkPreset, sessionsNames, type SessionsOptions } from './preset-options.ts';
import { type OwnedSession, type SessionId, SessionStore } from './store.ts';

/** The middleware that `sessions()` returns. */
export interface SessionsMiddleware extends Middleware {
  readonly store: SessionStore;
  /** As `store.listByOwner`. */
  listByOwner(owner: string): Promise<OwnedSession[]>;
  /** As `store.revokeOwner`: logs out everywhere. */
  revokeOwner(owner: string, except?: SessionId): Promise<number>;
}

/**
 * Returns a middleware that gives each request its session.
 *
 * Nothing is stored and no cookie is set until something is put into the session. The session is saved before the response
 * starts, and a failed save is an error of the request. While the backend does not answer, requests with a session get a 503
 * with `Retry-After`, and nobody is logged out by it.
 *
 * Behind a proxy that speaks TLS, `app.set('trust proxy', 1)` is needed: a `Secure` cookie is not set otherwise.
 *
 * @throws {HotshelfError} `OPTION_INVALID` or `FACET_MISSING`
 * @example
 * app.use(sessions({ backend, secret: process.env.SESSION_SECRET, ownerOf: (fields) => fields.userId }));
 */
export function sessions(options: SessionsOptions): SessionsMiddleware {
  const { clock } = checkStoreOptions(options, 'sessions()', sessionsNames);
  const { secret, name, cookie, rolling, proxy } = checkPreset(options, process.env['NODE_ENV']);
  const store = new SessionStore(ofStore(options));
  const load = session({
    store,
    secret,
    name,
    cookie,
    rolling,
    resave: false,
    saveUninitialized: false,
    ...(proxy !== undefined && { proxy }),
  }) as unknown as Middleware;
  const save = commitFirst({
    clock,
    ...(options.timeout !== undefined && { timeout: options.timeout }),
  });
  const middleware: Middleware = (req, res, next) => {
    load(req, res, (error) => {
      if (error === undefined || error === null) save(req, res, next);
      else next(answerable(error, res));
    });
  };
  return Object.assign(middleware, {
    store,
    listByOwner: (owner: string) => store.listByOwner(owner),
    revokeOwner: (owner: string, except?: SessionId) => store.revokeOwner(owner, except),
  });
}

/** The options of the store among those of `sessions()`. */
function ofStore(options: SessionsOptions): SessionStoreOptions {
  const entries = storeNames.map((name) => [name, options[name]] as const);
  return { ...Object.fromEntries(entries), backend: options.backend };
}
