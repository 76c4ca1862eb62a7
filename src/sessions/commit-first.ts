/** Middleware that saves the session before the response starts: whoever is told of a change finds it made. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, systemClock } from '../support/clock.ts';
import { type Duration, durationMs } from '../support/duration.ts';
import { checkOptionNames } from '../support/options.ts';
import { SessionError, sessionError } from './errors.ts';
import { holdResponse } from './held-response.ts';
import { sessionsOf, SessionStore } from './store.ts';

export interface CommitFirstOptions {
  /** How long a save may take before it counts as failed: for stores that have no deadline of their own. @default '5s' */
  timeout?: Duration;
  /** Time and timers. @default the machine's own */
  clock?: Clock;
}

export const commitFirstDefaults = { timeout: '5s' } as const;

/** A middleware of Express 4 and 5, and of whatever calls its middleware in the same way. */
export type Middleware = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;

/** What express-session puts on a request. */
interface SessionRequest extends IncomingMessage {
  readonly session?: LiveSession;
  readonly sessionStore?: unknown;
  sessionID?: string | undefined;
}

interface LiveSession {
  readonly id?: string;
  readonly cookie?: unknown;
  save?(callback: (error?: unknown) => void): unknown;
}

/**
 * Returns a middleware, to be used right after `session(…)`, with any store: a response whose request changed its session waits
 * until the session is saved. If that fails, what the response said is dropped and the error goes to Express's error handlers.
 *
 * A response whose session was not changed is not held up, and neither is one without a session. What is changed after the
 * response started is saved at its end, as express-session does.
 *
 * @throws {HotshelfError} `OPTION_INVALID`
 * @example
 * app.use(session({ store, secret, resave: false, saveUninitialized: false }));
 * app.use(commitFirst());
 */
export function commitFirst(options: CommitFirstOptions = {}): Middleware {
  checkOptionNames(options, ['timeout', 'clock'], 'commitFirst()');
  const { clock = systemClock } = options;
  const withinMs = durationMs(options.timeout ?? commitFirstDefaults.timeout, 'timeout');
  return (req: SessionRequest, res, next) => {
    const changes = changesOf(req);
    const commit = () => {
      const { session } = req;
      return session?.save === undefined ? undefined : changes(session, () => saved(session, clock, withinMs));
    };
    holdResponse(res, commit, (error) => {
      // So express-session neither tries it again when the error is answered, nor sets a cookie for what is not stored.
      req.sessionID = undefined;
      next(answerable(error, res));
    });
    next();
  };
}

/** Sets `Retry-After` where it helps, also for error handlers that do not look at `error.headers`. */
export function answerable(error: unknown, res: ServerResponse): Error {
  const failure = sessionError(error);
  if (failure instanceof SessionError && !res.headersSent) {
    for (const [name, value] of Object.entries(failure.headers)) res.setHeader(name, value);
  }
  return failure;
}

/** Calls `save` if the session was changed since then, and returns what that returns. */
type Changes = (session: LiveSession, save: () => Promise<void>) => Promise<void> | undefined;

function changesOf({ session: before, sessionStore }: SessionRequest): Changes {
  const sessions = sessionStore instanceof SessionStore ? sessionsOf(sessionStore) : undefined;
  const knows = (session: LiveSession | undefined | null) =>
    session !== undefined && session !== null && sessions?.baseOf(session, session.id ?? '') !== undefined;
  // What is stored already is compared with that, which costs nothing before it is over.
  const atStart = knows(before) ? undefined : printOf(before);
  return (session, save) => {
    if (sessions !== undefined && knows(session)) return sessions.saveChanges(session, session.id ?? '', save);
    return printOf(session) === atStart ? undefined : save();
  };
}

/** What tells a session from another, or from itself after a change; as express-session, it does not look at the cookie. */
function printOf(session: LiveSession | undefined | null): string {
  if (session === undefined || session === null) return '';
  // A copy, for a function that leaves the cookie out would be asked about every value inside.
  const { cookie: _cookie, ...fields } = session;
  return `${session.id ?? ''} ${JSON.stringify(fields)}`;
}

function saved(session: LiveSession, clock: Clock, withinMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = () =>
      reject(new SessionError('OUTCOME_UNKNOWN', `The session was not saved within ${withinMs} ms.`, 503));
    const timer = clock.after(withinMs, late, { background: true });
    session.save?.((error) => {
      timer.cancel();
      if (error === undefined || error === null) resolve();
      else reject(sessionError(error));
    });
  });
}
