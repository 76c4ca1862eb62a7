/** What a request does with its session besides reading and writing fields: log in, log out, and change it safely. */

import type { Session, SessionData } from 'express-session';
import { HotshelfError } from '../support/errors.ts';
import { SessionError, sessionError } from './errors.ts';
import type { SessionFields } from './options.ts';
import { sessionsOf, SessionStore } from './store.ts';
import { type Mutate, update } from './update.ts';

/** A request behind express-session with a `SessionStore`: any request of Express will do. */
export interface SessionRequest {
  session?: (Session & Partial<SessionData>) | undefined;
  sessionID?: string;
  sessionStore?: unknown;
}

/** What express-session puts on a store. */
interface Generating extends SessionStore {
  generate(req: SessionRequest): void;
}

interface Live {
  readonly store: Generating;
  readonly sid: string;
  readonly session: Session & Partial<SessionData>;
}

/**
 * Gives the request a new session with `fields`, under a new id. When it resolves the new session is stored, and the old one
 * is dead everywhere. Nothing of the old session is taken over: put into `fields` what shall be.
 *
 * @throws {HotshelfError} `SESSION_LIMIT`, with status 409, if the owner has as many sessions as allowed; and with status 503 when the
 *   backend does not answer. The request then has the session that it had before.
 * @example
 * await login(req, { userId: user.id });
 */
export async function login(req: SessionRequest, fields: SessionFields): Promise<void> {
  const before = liveSession(req, 'login()');
  const sessions = sessionsOf(before.store);
  before.store.generate(req);
  const { session, sid } = liveSession(req, 'login()');
  const taken = Object.keys(fields).find((name) => name in session);
  if (taken !== undefined) {
    back(req, before);
    throw new HotshelfError('OPTION_INVALID', `A session has something of its own called "${taken.slice(0, 40)}".`);
  }
  Object.assign(session, fields);
  try {
    await sessions.save(sid, session);
    await sessions.end(before.sid);
  } catch (error) {
    back(req, before);
    // Nobody was told the id of the new one.
    await sessions.end(sid).catch(() => undefined);
    throw sessionError(error);
  }
}

/**
 * Ends the session of the request, everywhere and at once. The request goes on with a new, empty session, which is not stored
 * unless something is put into it.
 *
 * @throws {HotshelfError} with status 503 when the backend does not answer: nobody is told that they are logged out.
 * @example
 * await logout(req);
 */
export async function logout(req: SessionRequest): Promise<void> {
  const { store, sid } = liveSession(req, 'logout()');
  try {
    await sessionsOf(store).end(sid);
  } catch (error) {
    throw sessionError(error);
  }
  store.generate(req);
}

/**
 * Changes the stored session by `mutate`, which sees it as it is now and changes it in place. It is called again when somebody
 * else changed the session meanwhile, so it must do nothing else. `req.session` shows the result. Changes of `req.session` that are
 * not saved yet stay, and are saved when the request ends.
 *
 * Resolves with `false` when the session is gone: it was destroyed, regenerated, or has expired.
 *
 * @throws {HotshelfError} `SESSION_CONTENDED`, `VALUE_TOO_LARGE`, or with status 503 when the backend does not answer; what `mutate`
 *   throws is thrown, and the session stays as it was.
 * @example
 * await updateSession(req, (fields) => { fields.credits = (fields.credits ?? 0) - 1; });
 */
export async function updateSession(req: SessionRequest, mutate: (fields: SessionFields) => unknown): Promise<boolean> {
  const { store, sid, session } = liveSession(req, 'updateSession()');
  const sessions = sessionsOf(store);
  try {
    if (sessions.anonymous.has(session)) throw unavailable();
    // A new session has nothing stored yet that others could change.
    if (sessions.baseOf(session, sid) === undefined) await sessions.save(sid, session);
    const base = sessions.baseOf(session, sid);
    // What the application declared of its sessions is a promise of the application.
    return base !== undefined && (await update(sessions, session, base, mutate as Mutate));
  } catch (error) {
    throw sessionError(error);
  }
}

function unavailable(): SessionError {
  const message = 'The session of this request could not be loaded, so it cannot be changed either.';
  return new SessionError('BACKEND_DOWN', message, 503);
}

function back(req: SessionRequest, { sid, session }: Live): void {
  req.sessionID = sid;
  req.session = session;
}

function liveSession({ session, sessionID, sessionStore }: SessionRequest, where: string): Live {
  if (session === undefined || session === null || typeof sessionID !== 'string') {
    throw new HotshelfError('OPTION_INVALID', `${where} needs a request with a session: use sessions() before it.`);
  }
  if (!(sessionStore instanceof SessionStore) || !('generate' in sessionStore)) {
    throw new HotshelfError('OPTION_INVALID', `${where} needs the SessionStore of hotshelf behind express-session.`);
  }
  return { store: sessionStore as Generating, sid: sessionID, session };
}
