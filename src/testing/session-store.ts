/** What the suite of session stores has in its hands: a store with promises, fresh ids, and time that a test may move. */

import assert from 'node:assert/strict';
import { sleep, systemClock } from '../support/clock.ts';
import type { ConformanceCase } from './suite.ts';

/** A session as express-session stores it. */
export interface StoredSession {
  cookie: StoredCookie;
  [field: string]: unknown;
}

export interface StoredCookie {
  /** In ms; `null` for a cookie that ends with the browser. */
  originalMaxAge: number | null;
  expires?: Date | string | null;
  [setting: string]: unknown;
}

/** A store of express-session. */
export interface SessionStoreLike {
  get(sid: string, callback: (error?: unknown, session?: unknown) => void): void;
  set(sid: string, session: unknown, callback: (error?: unknown) => void): void;
  touch?(sid: string, session: unknown, callback: (error?: unknown) => void): void;
  destroy(sid: string, callback: (error?: unknown) => void): void;
  clear?(callback: (error?: unknown) => void): void;
  /** An array, or an object with an id for each session. */
  all?(callback: (error?: unknown, sessions?: unknown) => void): void;
  length?(callback: (error?: unknown, count?: number) => void): void;
}

export interface SessionStoreFixture {
  readonly store: SessionStoreLike;
  /** A second store on the same server, as another process would have. @default `store` */
  readonly peer?: SessionStoreLike;
  /** Puts away what `create` made. */
  close(): Promise<void>;
}

export interface SessionStoreSuiteOptions {
  /** Makes a new store, ready, that lets sessions live for minutes and touches at each request; called once a case. */
  create(): Promise<SessionStoreFixture>;
  /** Lets the time of the store pass, where a test can do that. @default real time passes */
  readonly advance?: (ms: number) => Promise<void>;
  /** The time of the store, in epoch ms. @default the machine's */
  readonly now?: () => number;
  /** The shortest lifetime that the server can tell from a longer one, in ms. @default 1 */
  readonly ttlGranularityMs?: number;
}

/** A store with promises, and with a count of what its callbacks did wrong. */
export interface PromisedStore {
  get(sid: string): Promise<StoredSession | undefined>;
  /** As `get`, for a session that must be there. */
  load(sid: string): Promise<StoredSession>;
  set(sid: string, session: StoredSession): Promise<void>;
  touch(sid: string, session: StoredSession): Promise<void>;
  destroy(sid: string): Promise<void>;
  clear(): Promise<void>;
  /** `undefined` where the store has no list, or says `FACET_MISSING`. */
  all(): Promise<readonly StoredSession[] | undefined>;
  length(): Promise<number | undefined>;
  /** How often a callback was called beyond the first time, or at once instead of later. */
  readonly misbehaved: { twice: number; early: number };
  readonly can: { readonly touch: boolean; readonly clear: boolean };
}

export interface SessionTrial {
  readonly store: PromisedStore;
  readonly peer: PromisedStore;
  /** Returns an id that nobody used before. */
  readonly sid: () => string;
  /** A lifetime that is short, but not too short for the server. */
  readonly shortMs: number;
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<void>;
  /** A session with these fields, as express-session would make it. */
  readonly session: (fields: Record<string, unknown>, maxAge?: number) => StoredSession;
}

export type DefineSession = (name: string, body: (trial: SessionTrial) => Promise<void>) => void;

/** Collects the cases that `define` writes down. */
export function collectCases(
  options: SessionStoreSuiteOptions,
  define: (it: DefineSession) => void,
): readonly ConformanceCase[] {
  const cases: ConformanceCase[] = [];
  define((name, body) => {
    cases.push({
      name,
      run: async () => {
        const fixture = await options.create();
        try {
          await body(trialOf(fixture, options));
        } finally {
          await fixture.close();
        }
      },
    });
  });
  return cases;
}

function trialOf({ store, peer = store }: SessionStoreFixture, options: SessionStoreSuiteOptions): SessionTrial {
  const { advance, now = () => systemClock.now(), ttlGranularityMs = 1 } = options;
  const run = Math.floor(systemClock.random() * 2 ** 48).toString(36);
  let count = 0;
  return {
    store: promised(store),
    peer: promised(peer),
    sid: () => `suite-${run}-${(count += 1)}`,
    shortMs: Math.max(400, 2 * ttlGranularityMs),
    now,
    wait: (ms) => (advance === undefined ? sleep(systemClock, ms) : advance(ms)),
    session(fields, maxAge) {
      const cookie: StoredCookie = { path: '/', httpOnly: true, originalMaxAge: maxAge ?? null, expires: null };
      if (maxAge !== undefined) cookie.expires = new Date(now() + maxAge);
      return { ...fields, cookie };
    },
  };
}

function promised(store: SessionStoreLike): PromisedStore {
  const misbehaved = { twice: 0, early: 0 };
  const call = <Value>(start: (done: (error?: unknown, value?: unknown) => void) => void): Promise<Value | undefined> =>
    new Promise((resolve, reject) => {
      let calls = 0;
      let isLater = false;
      const done = (error?: unknown, value?: unknown) => {
        calls += 1;
        if (calls > 1) misbehaved.twice += 1;
        if (!isLater) misbehaved.early += 1;
        if (error === undefined || error === null) resolve((value ?? undefined) as Value | undefined);
        else reject(error instanceof Error ? error : new Error('the store failed with something that is no error'));
      };
      start(done);
      isLater = true;
    });
  const list = async <Value>(start: Parameters<typeof call>[0], name: 'all' | 'length') => {
    if (store[name] === undefined) return undefined;
    return call<Value>(start).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'FACET_MISSING') return undefined;
      throw error;
    });
  };
  const get = (sid: string) => call<StoredSession>((done) => store.get(sid, done));
  return {
    get,
    async load(sid) {
      const found = await get(sid);
      if (found === undefined) throw new Error('the session that was stored is not there');
      return found;
    },
    set: (sid, session) => call<void>((done) => store.set(sid, session, done)),
    touch: (sid, session) => call<void>((done) => store.touch?.(sid, session, done) ?? undefined),
    destroy: (sid) => call<void>((done) => store.destroy(sid, done)),
    clear: () => call<void>((done) => store.clear?.(done)),
    all: async () => {
      const found = await list<Record<string, StoredSession>>((done) => store.all?.(done), 'all');
      return found && Object.values(found);
    },
    length: () => list<number>((done) => store.length?.(done), 'length'),
    misbehaved,
    can: { touch: store.touch !== undefined, clear: store.clear !== undefined },
  };
}

/** The fields of a session, without its cookie. */
export function fieldsOf(session: StoredSession): Record<string, unknown> {
  return Object.fromEntries(Object.entries(session).filter(([name]) => name !== 'cookie'));
}

/** Changes a session, and hands it back. */
export function change(session: StoredSession): StoredSession {
  session['changed'] = (Number(session['changed']) || 0) + 1;
  return session;
}

/** Fails if the session is in one of `stores`. */
export async function expectGone(sid: string, ...stores: readonly PromisedStore[]): Promise<void> {
  for (const store of stores) assert.equal(await store.get(sid), undefined, 'the session is there');
}
