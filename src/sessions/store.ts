/** The session store that express-session gets: its callbacks around sessions that lose nothing. */

import session, { type SessionData } from 'express-session';
import { HotshelfError, isUnconfirmed } from '../support/errors.ts';
import { Sessions } from './core.ts';
import { sessionError } from './errors.ts';
import type { SessionEvent } from './events.ts';
import { allIds, allSessions, countSessions } from './listing.ts';
import { checkStoreOptions, type SessionStoreOptions, storeNames } from './options.ts';

/** One session of an owner, for a page that lists them. */
export interface OwnedSession {
  /** Names the session, as `store.idOf(req.sessionID)` does; it is no cookie, and may be shown. */
  readonly id: string;
  /** Epoch ms. */
  readonly createdAt: number;
  /** When it was last written or renewed, in epoch ms. */
  readonly seenAt: number;
  /** Epoch ms. */
  readonly expiresAt: number;
  /** Its fields, without the cookie. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A session by its `sessionID`, or the request that has it. */
export type SessionId = string | { readonly sessionID?: string };

/** A session among all: as express-session has it, and how to call it. */
export interface ListedSessionData extends SessionData {
  id: string;
}

/** What lies behind a store, for the files of this room. */
export let sessionsOf: (store: SessionStore) => Sessions;

/** What a callback of express-session gets. */
type Done<Value = void> = (error?: unknown, value?: Value) => void;

/** `createSession` as it is typed. */
type RequestOf = Parameters<session.Store['createSession']>[0];

/**
 * An ordinary store of express-session over any backend of hotshelf.
 *
 * Two requests of one session never lose each other's fields: only what a request changed is written, by compare-and-set.
 * A session that was destroyed or regenerated never comes back. A backend that does not answer is an error with status 503.
 *
 * @example
 * app.use(session({ store: new SessionStore({ backend }), secret, resave: false, saveUninitialized: false }));
 */
export class SessionStore extends session.Store {
  readonly #sessions: Sessions;

  static {
    sessionsOf = (store) => store.#sessions;
  }

  /** @throws {HotshelfError} `OPTION_INVALID` or `FACET_MISSING` */
  constructor(options: SessionStoreOptions) {
    super();
    this.#sessions = new Sessions(checkStoreOptions(options, 'new SessionStore()', storeNames));
  }

  override get(sid: string, callback: Done<SessionData | undefined>): void {
    // Whether the fields are what the application declared is for the application to know.
    const loading = this.#sessions.load(sid) as Promise<SessionData | undefined>;
    answer(
      callback,
      this.#sessions.settings.onStoreError === 'error'
        ? loading
        : loading.catch((error: unknown) => this.#stranger(sid, error)),
    );
  }

  override set(sid: string, data: SessionData, callback?: Done): void {
    answer(callback, this.#save(sid, data));
  }

  /** Never fails: a session that could not be renewed lives as long as it did before. */
  override touch(sid: string, data: SessionData, callback?: () => void): void {
    const renewing = this.#renew(sid, data);
    if (renewing !== undefined) answer(callback, renewing);
    else if (callback !== undefined) process.nextTick(callback);
  }

  /** Ends a session at once, everywhere; `sid` may also be its `id` in lists and events, which is no cookie. */
  override destroy(sid: string, callback?: Done): void {
    answer(callback, this.#sessions.endCalled(sid));
  }

  /** Ends all sessions, in 1,024 small writes however many there are. */
  override clear(callback?: Done): void {
    answer(callback, this.#sessions.records.endAll(this.#sessions.keys.epochs));
  }

  /**
   * Returns all sessions that are alive, each with an `id`: hand it to `destroy` to end the session. As long as `hashIds` is on it
   * is the name that `listByOwner` and events use, and no cookie.
   *
   * Reads all there is, on Redis and in memory; Memcached cannot list its keys, which is an error of code `FACET_MISSING`.
   */
  override all(callback: Done<ListedSessionData[]>): void {
    // As with `get`, what the fields are is for the application to know.
    answer(callback, allSessions(this.#sessions) as Promise<unknown[]> as Promise<ListedSessionData[]>);
  }

  /** Returns the `id` of each session that is alive, as `all` does. */
  ids(callback: Done<string[]>): void {
    answer(callback, allIds(this.#sessions));
  }

  /** Counts the sessions that are alive; it costs as much as `all`. */
  override length(callback: Done<number>): void {
    answer(callback, countSessions(this.#sessions));
  }

  override createSession(req: RequestOf, data: SessionData): session.Session & SessionData {
    const isAnonymous = this.#sessions.anonymous.has(data);
    const made = super.createSession(req, isAnonymous ? { ...data, cookie: this.#cookieFor(req) } : data);
    this.#sessions.inherit(made, data);
    if (isAnonymous) this.#sessions.anonymous.add(made);
    return made;
  }

  /** Calls `listener` for each event; the returned function ends that. */
  watch(listener: (event: SessionEvent) => void): () => void {
    return this.#sessions.events.on(listener);
  }

  /** Names a session as `listByOwner` and events do. */
  idOf(sessionId: SessionId): string {
    return this.#sessions.keys.of(sidOf(sessionId)).id;
  }

  /**
   * Returns the sessions of `owner` that are alive, the newest first.
   *
   * @throws {HotshelfError} `OPTION_INVALID` without `ownerOf`; and as the backend does, with status 503.
   */
  async listByOwner(owner: string): Promise<OwnedSession[]> {
    this.#checkOwners('listByOwner()');
    const sessions = await this.#sessions.owners.list(owner).catch(rethrow);
    return sessions.map(({ keys, found: { record, writtenAt, expiresAt } }) => ({
      id: keys.id,
      createdAt: record.createdAt,
      seenAt: writtenAt,
      expiresAt,
      fields: record.fields.values(),
    }));
  }

  /**
   * Ends all sessions of `owner`, everywhere and at once, but `except`; returns how many there were.
   *
   * @throws {HotshelfError} as `listByOwner`; call it again then.
   */
  async revokeOwner(owner: string, except?: SessionId): Promise<number> {
    this.#checkOwners('revokeOwner()');
    const spared = except === undefined ? undefined : this.#sessions.keys.of(sidOf(except));
    return this.#sessions.owners.revoke(owner, spared).catch(rethrow);
  }

  /** Returns a session for a request whose own could not be loaded, if that is wanted. */
  #stranger(sid: string, error: unknown): SessionData {
    if (!this.#goesOn(error)) throw error;
    this.#sessions.emit({ type: 'anonymous', id: this.idOf(sid), error });
    const data = { cookie: { originalMaxAge: null } } as SessionData;
    this.#sessions.anonymous.add(data);
    return data;
  }

  async #save(sid: string, data: SessionData): Promise<void> {
    if (!this.#sessions.anonymous.has(data)) {
      try {
        if ((await this.#sessions.save(sid, data)) === 'gone') this.#discarded(sid, 'gone');
        return;
      } catch (error) {
        // A session that is stored is no stranger's: what it was told must not be lost in silence.
        const isNew = this.#sessions.baseOf(data, sid) === undefined;
        if (!isNew || !this.#goesOn(error)) throw error;
        this.#sessions.anonymous.add(data);
      }
    }
    this.#discarded(sid, 'anonymous');
  }

  #renew(sid: string, data: SessionData): Promise<void> | undefined {
    const failed = (error: unknown) => {
      if (!(error instanceof HotshelfError)) throw error;
      this.#sessions.emit({ type: 'failed', id: this.idOf(sid), error });
    };
    if (this.#sessions.anonymous.has(data)) return undefined;
    try {
      return this.#sessions.renew(sid, data)?.catch(failed);
    } catch (error) {
      failed(error);
      return undefined;
    }
  }

  #goesOn(error: unknown): error is HotshelfError {
    return this.#sessions.settings.onStoreError === 'anonymous' && isUnconfirmed(error);
  }

  #discarded(sid: string, reason: 'gone' | 'anonymous'): void {
    this.#sessions.emit({ type: 'discarded', id: this.idOf(sid), reason });
  }

  /** The cookie that express-session would make for a new session of this request, under the id that the request has. */
  #cookieFor(req: RequestOf): SessionData['cookie'] {
    const { sessionID } = req;
    const { generate } = this as { generate?: (req: RequestOf) => void };
    if (generate === undefined) return { originalMaxAge: null };
    generate(req);
    req.sessionID = sessionID;
    const { originalMaxAge, path, httpOnly, secure, domain, sameSite } = req.session.cookie;
    return { originalMaxAge, path, httpOnly, secure, domain, sameSite };
  }

  #checkOwners(where: string): void {
    if (this.#sessions.settings.ownerOf !== undefined) return;
    throw new HotshelfError(
      'OPTION_INVALID',
      `${where} needs \`ownerOf\`: who owns a session is not known without it.`,
    );
  }
}

/** Calls `callback` once, with the outcome of `promise`. What it throws is its own, as everywhere in Node. */
function answer<Value>(callback: Done<Value> | undefined, promise: Promise<Value>): void {
  promise.then(
    (value) => callback && process.nextTick(callback, null, value),
    (error: unknown) => callback && process.nextTick(callback, sessionError(error)),
  );
}

function rethrow(error: unknown): never {
  throw sessionError(error);
}

function sidOf(sessionId: SessionId): string {
  const sid = typeof sessionId === 'string' ? sessionId : sessionId?.sessionID;
  if (typeof sid === 'string') return sid;
  throw new HotshelfError('OPTION_INVALID', 'Expected the id of a session, or a request that has one.');
}
