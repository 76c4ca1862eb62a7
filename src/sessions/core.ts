/** Sessions as promises, without express-session: loads, saves, renews and ends them, and knows what each request started from. */

import { isUnconfirmed } from '../support/errors.ts';
import { Emitter } from '../support/emitter.ts';
import { untilWritten } from './attempts.ts';
import { type Base, baseIn, keepBase } from './bases.ts';
import { cookieOf, cookieSettings, type CookieSettings, textsIn } from './content.ts';
import type { SessionEvent } from './events.ts';
import { Fields, type Texts } from './fields.ts';
import { Keys, type SessionKeys } from './keys.ts';
import { endOf, isDue } from './lifetime.ts';
import { changesSince, type Compared, cookieChange, isNothing } from './merge.ts';
import type { Settings } from './options.ts';
import { listUntil, Owners, ownerIn } from './owners.ts';
import type { Found } from './record.ts';
import { Records } from './records.ts';
import type { State } from './state.ts';
import { Writes } from './writes.ts';

/** A session as express-session gets it. */
export interface SessionObject {
  cookie?: { originalMaxAge: number | null; expires: Date | null };
  [name: string]: unknown;
}

export type Saved = 'stored' | 'unchanged' | 'gone' | 'ended';

export class Sessions {
  readonly settings: Settings;
  readonly keys: Keys;
  readonly events = new Emitter<SessionEvent>();
  readonly records: Records;
  readonly owners: Owners;
  readonly #writes: Writes;
  #read: { readonly session: object; readonly texts: Texts } | undefined;
  /** Sessions of requests that go on without theirs: nothing of them is stored. */
  readonly anonymous = new WeakSet<object>();

  constructor(settings: Settings) {
    this.settings = settings;
    this.keys = new Keys(settings.prefix, settings.hashIds, settings.takeover?.source);
    this.records = new Records(settings, this.emit);
    this.owners = new Owners(settings, this.keys, this.records, this.emit);
    this.#writes = new Writes(settings, this.records, this.owners, this.emit);
  }

  readonly emit = (event: SessionEvent): void => {
    if (this.events.observed) this.events.emit(event);
  };

  /** Returns the session, and keeps in mind what it was. Rejects as the backend does. */
  async load(sid: string): Promise<SessionObject | undefined> {
    const { state } = await this.records.look(this.keys.of(sid));
    if (state === undefined) return undefined;
    const session = objectOf(state.found);
    this.rebase(session, sid, state.found.record, state);
    return session;
  }

  /** What `session` started from, if it is the object of a stored session `sid`. */
  baseOf(session: object, sid: string): Base | undefined {
    const base = baseIn(session);
    return base?.home === this && base.sid === sid ? base : undefined;
  }

  /** @param local what `session` agrees with */
  rebase(session: object, sid: string, local: Compared, state: State): void {
    keepBase(session, { home: this, sid, local, state });
  }

  /** Lets `session` start from where `data` started: express-session makes the one of the other. */
  inherit(session: object, data: object): void {
    const base = baseIn(data);
    if (base !== undefined) keepBase(session, base);
  }

  /**
   * Stores what was changed in `session`: all of it if it is new, nothing if it is gone by now, for an update never creates.
   * What is stored is what the object holds at this moment.
   */
  async save(sid: string, session: object): Promise<Saved> {
    const now = this.settings.clock.now();
    const texts = this.#read?.session === session ? this.#read.texts : textsIn(session);
    const content = { texts, cookie: cookieOf(session, now) };
    const cookieEndsAt = content.cookie?.endsAt;
    if (cookieEndsAt !== undefined && cookieEndsAt <= now) {
      await this.end(sid);
      return 'ended';
    }
    const base = this.baseOf(session, sid);
    if (base === undefined) {
      const local = { fields: Fields.ofTexts(content.texts), cookie: content.cookie && cookieSettings(content.cookie) };
      this.rebase(session, sid, local, await this.#create(this.keys.of(sid), local, cookieEndsAt));
      return 'stored';
    }
    const changes = changesSince(base.local, content);
    if (isNothing(changes)) {
      await this.#renewIfDue(session, base, cookieEndsAt);
      return 'unchanged';
    }
    const state = await this.#writes.change(base.state, changes, cookieEndsAt);
    if (state === undefined) return 'gone';
    const local = { fields: Fields.ofTexts(content.texts), cookie: changes.cookie ?? base.local.cookie };
    this.rebase(session, sid, local, state);
    return 'stored';
  }

  /**
   * Calls `save` if fields of `session`, which is that of `sid`, were changed since it was loaded or saved. What was read of it
   * to find that out is what a `save` of it stores that `save` calls at once.
   */
  saveChanges<Result>(session: object, sid: string, save: () => Result): Result | undefined {
    const base = this.baseOf(session, sid);
    const texts = textsIn(session);
    if (base !== undefined && isNothing(changesSince(base.local, { texts, cookie: undefined }))) return undefined;
    this.#read = { session, texts };
    try {
      return save();
    } finally {
      this.#read = undefined;
    }
  }

  /** Says that a session is alive; costs nothing while that was said recently, and is `undefined` then. Never creates. */
  renew(sid: string, session: object): Promise<void> | undefined {
    const base = this.baseOf(session, sid);
    return base === undefined ? this.#renewStored(sid, session) : this.#renewFrom(base, session);
  }

  async #renewStored(sid: string, session: object): Promise<void> {
    const { state } = await this.records.look(this.keys.of(sid));
    if (state !== undefined) await this.#renewFrom({ home: this, sid, local: state.found.record, state }, session);
  }

  #renewFrom(base: Base, session: object): Promise<void> | undefined {
    const now = cookieOf(session, this.settings.clock.now());
    const cookie = cookieChange(base.local.cookie, now);
    return cookie === undefined
      ? this.#renewIfDue(session, base, now?.endsAt)
      : this.#changeCookie(session, base, cookie, now?.endsAt);
  }

  async #changeCookie(session: object, base: Base, cookie: CookieSettings, endsAt: number | undefined): Promise<void> {
    const state = await this.#writes.change(base.state, { fields: [], cookie }, endsAt);
    if (state !== undefined) this.rebase(session, base.sid, { fields: base.local.fields, cookie }, state);
  }

  /** Ends a session at once, everywhere. */
  end(sid: string): Promise<void> {
    return this.#end(this.keys.of(sid));
  }

  /** As `end`, by what the cookie says or by its name in lists and events. */
  async endCalled(call: string): Promise<void> {
    const named = this.keys.named(call);
    await Promise.all([this.end(call), named && this.#end(named)]);
  }

  async #end(keys: SessionKeys): Promise<void> {
    const owned = this.settings.ownerOf !== undefined;
    const was = await this.records.remove(keys, owned);
    if (was?.record.owner !== undefined) await this.owners.forget(was.record.owner, keys);
  }

  #renewIfDue(session: object, base: Base, cookieEndsAt: number | undefined): Promise<void> | undefined {
    const { found } = base.state;
    const now = this.settings.clock.now();
    const expiresAt = endOf(this.settings, found.record.createdAt, cookieEndsAt, now);
    if (found.expiresAt <= now || !isDue(this.settings, found, expiresAt, now)) return undefined;
    return this.#renew(session, base, { ...found, writtenAt: now, expiresAt });
  }

  async #renew(session: object, { sid, local, state }: Base, until: Found): Promise<void> {
    const renewed = await this.owners.before(state.keys, state.found.record, until);
    const written = await this.records.renew(state, renewed);
    // Refused: somebody wrote meanwhile, which renewed it, or ended it.
    if (written !== undefined) this.rebase(session, sid, local, written);
  }

  /** Stores a session that was not loaded: under a new id, or instead of what stands there. */
  async #create(keys: SessionKeys, local: Compared, cookieEndsAt: number | undefined): Promise<State> {
    const { fields, cookie } = local;
    const owner = ownerIn(fields, undefined, this.settings);
    const state = await untilWritten(this.settings.clock, 'a new session', async () => {
      const seen = await this.records.look(keys);
      const now = this.settings.clock.now();
      const createdAt = seen.state?.found.record.createdAt ?? now;
      const expiresAt = endOf(this.settings, createdAt, cookieEndsAt, now);
      const times = { writtenAt: now, expiresAt, epoch: seen.epoch };
      const listedUntil = owner === undefined ? 0 : listUntil(times);
      const found = { ...times, record: { fields, cookie, createdAt, owner, listedUntil } };
      const written = await (seen.state === undefined
        ? this.records.put(keys, seen.version, found)
        : this.records.replace(seen.state, found));
      if (written !== undefined && seen.isEnded) await this.settings.takeover?.begin(keys);
      return written;
    });
    if (owner !== undefined) await this.#noteNew(state, owner);
    return state;
  }

  /** Nobody knows the id of a session yet that is not in the list: it is ended rather than left out. */
  async #noteNew({ keys, found: { record } }: State, owner: string): Promise<void> {
    try {
      await this.owners.note(owner, keys, record.createdAt, record.listedUntil);
    } catch (error) {
      await this.records.remove(keys, false).catch((reason: unknown) => {
        if (!isUnconfirmed(reason)) throw reason;
      });
      throw error;
    }
  }
}

export function objectOf({ record, expiresAt }: Found): SessionObject {
  const { fields, cookie } = record;
  const session = fields.values() as SessionObject;
  if (cookie !== undefined) {
    session.cookie = { ...cookie, expires: cookie.originalMaxAge === null ? null : new Date(expiresAt) };
  }
  return session;
}
