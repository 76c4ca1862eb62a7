/** Sessions as promises, without express-session: loads, saves, renews and ends them, and knows what each request started from. */

import { isUnconfirmed } from '../support/errors.ts';
import { Emitter } from '../support/emitter.ts';
import { untilWritten } from './attempts.ts';
import { type Content, contentOf, cookieOf, fieldsIn, type Texts, textsOf } from './content.ts';
import type { SessionEvent } from './events.ts';
import { Keys, type SessionKeys } from './keys.ts';
import { endOf, isDue } from './lifetime.ts';
import { changesSince, type Compared, cookieChange, isNothing } from './merge.ts';
import type { Settings } from './options.ts';
import { listUntil, Owners, ownerIn } from './owners.ts';
import type { Found } from './record.ts';
import { Records } from './records.ts';
import type { State } from './state.ts';
import { Writes } from './writes.ts';

/** What the object of a request started from: changes are what differs from it. */
export interface Base {
  readonly sid: string;
  /** What the object agreed with when it was loaded or last saved. */
  readonly local: Compared;
  readonly state: State;
}

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
  readonly #bases = new WeakMap<object, Base>();
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
    const { state, found } = await this.records.look(this.keys.of(sid));
    if (state === undefined || found === undefined) return undefined;
    const session = objectOf(found);
    this.rebase(session, baseIn(sid, state));
    return session;
  }

  /** What `session` started from, if it is the object of a stored session `sid`. */
  baseOf(session: object, sid: string): Base | undefined {
    const base = this.#bases.get(session);
    return base?.sid === sid ? base : undefined;
  }

  rebase(session: object, base: Base): void {
    this.#bases.set(session, base);
  }

  /** Lets `session` start from where `data` started: express-session makes the one of the other. */
  inherit(session: object, data: object): void {
    const base = this.#bases.get(data);
    if (base !== undefined) this.#bases.set(session, base);
  }

  /**
   * Stores what was changed in `session`: all of it if it is new, nothing if it is gone by now, for an update never creates.
   * What is stored is what the object holds at this moment.
   */
  async save(sid: string, session: object): Promise<Saved> {
    const { clock } = this.settings;
    const content = contentOf(session, clock.now());
    const base = this.baseOf(session, sid);
    if (content.cookieEndsAt !== undefined && content.cookieEndsAt <= clock.now()) {
      await this.end(sid);
      return 'ended';
    }
    if (base === undefined) {
      this.rebase(session, { sid, local: content, state: await this.#create(this.keys.of(sid), content) });
      return 'stored';
    }
    const changes = changesSince(base.local, content);
    if (isNothing(changes)) {
      await this.#renewIfDue(session, base, content.cookieEndsAt);
      return 'unchanged';
    }
    const state = await this.#writes.change(base.state, changes, content.cookieEndsAt);
    if (state !== undefined) this.rebase(session, { sid, local: content, state });
    return state === undefined ? 'gone' : 'stored';
  }

  /** Says that a session is alive; costs nothing while that was said recently. Never creates. */
  async renew(sid: string, session: object): Promise<void> {
    const now = cookieOf(session, this.settings.clock.now());
    const base = this.baseOf(session, sid) ?? (await this.#stored(sid));
    if (base === undefined) return;
    const cookie = cookieChange(base.local.cookie, now.cookie);
    if (cookie === undefined) return this.#renewIfDue(session, base, now.cookieEndsAt);
    const state = await this.#writes.change(base.state, { fields: [], cookie }, now.cookieEndsAt);
    if (state !== undefined) this.rebase(session, { sid, local: { texts: base.local.texts, cookie }, state });
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

  async #stored(sid: string): Promise<Base | undefined> {
    const { state } = await this.records.look(this.keys.of(sid));
    return state && baseIn(sid, state);
  }

  async #renewIfDue(session: object, { sid, local, state }: Base, cookieEndsAt: number | undefined): Promise<void> {
    const { found } = state;
    const now = this.settings.clock.now();
    const expiresAt = endOf(this.settings, found.record.createdAt, cookieEndsAt, now);
    if (found.expiresAt <= now || !isDue(this.settings, found, expiresAt, now)) return;
    const renewed = await this.owners.before(state.keys, found.record, { ...found, writtenAt: now, expiresAt });
    const written = await this.records.renew(state, renewed);
    // Refused: somebody wrote meanwhile, which renewed it, or ended it.
    if (written !== undefined) this.rebase(session, { sid, local, state: written });
  }

  /** Stores a session that was not loaded: under a new id, or instead of what stands there. */
  async #create(keys: SessionKeys, { texts, cookie, cookieEndsAt }: Content): Promise<State> {
    const fields = fieldsIn(texts);
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

/**
 * What a request starts from that loaded `state`; most never ask for the texts.
 *
 * @param shown what the object shows beside the fields: none of it is a change
 */
export function baseIn(sid: string, state: State, shown?: Readonly<Record<string, string>>): Base {
  let texts: Texts | undefined;
  const local = {
    cookie: state.found.record.cookie,
    get texts() {
      const { fields } = state.found.record;
      texts ??= textsOf(shown === undefined ? fields : new Map([...fields, ...Object.entries(shown)]));
      return texts;
    },
  };
  return { sid, state, local };
}

export function objectOf({ record, expiresAt }: Found): SessionObject {
  const { fields, cookie } = record;
  const session = Object.fromEntries(fields) as SessionObject;
  if (cookie !== undefined) {
    session.cookie = { ...cookie, expires: cookie.originalMaxAge === null ? null : new Date(expiresAt) };
  }
  return session;
}
