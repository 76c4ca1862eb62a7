/** What the tests of sessions share: a store with promises, and a browser that keeps cookies. */

import type { SessionData } from 'express-session';
import type { ListedSessionData, SessionStore } from 'hotshelf/sessions';

declare module 'express-session' {
  interface SessionData {
    userId: string;
    views: number;
    tags: string[];
    text: string;
    [field: `f${number}`]: number;
  }
}

export type Data = Partial<SessionData> & Record<string, unknown>;

/** `store` with promises instead of callbacks. */
export function promised(store: SessionStore) {
  return {
    all: () => answered<ListedSessionData[]>((done) => store.all(done)),
    ids: () => answered<string[]>((done) => store.ids(done)),
    length: () => answered<number>((done) => store.length(done)),
    get: (sid: string) =>
      new Promise<Data | undefined>((resolve, reject) => {
        store.get(sid, (error, data) => (error ? reject(error) : resolve(data as Data | undefined)));
      }),
    set: (sid: string, data: object) => called((done) => store.set(sid, data as SessionData, done)),
    touch: (sid: string, data: object) => called((done) => store.touch(sid, data as SessionData, done)),
    destroy: (sid: string) => called((done) => store.destroy(sid, done)),
    clear: () => called((done) => store.clear(done)),
  };
}

function answered<Value>(run: (done: (error?: unknown, value?: Value) => void) => void): Promise<Value> {
  return new Promise((resolve, reject) => {
    run((error, value) => (error || value === undefined ? reject(error) : resolve(value)));
  });
}

function called(run: (done: (error?: unknown) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    run((error) => (error ? reject(error) : resolve()));
  });
}

/** A plain session as express-session would make it. */
export function fresh(fields: Data = {}, maxAge?: number): Data {
  const cookie = { path: '/', httpOnly: true, originalMaxAge: maxAge ?? null };
  const expires = maxAge === undefined ? null : new Date(Date.now() + maxAge);
  return { ...fields, cookie: { ...cookie, expires } };
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

/** Keeps the cookies of one visitor. */
export class Browser {
  readonly #bases: readonly string[];
  readonly jar = new Map<string, string>();
  #turn = 0;

  /** @param bases the instances of the site; asked in turns */
  constructor(...bases: readonly string[]) {
    this.#bases = bases;
  }

  async get(path: string, method = 'GET'): Promise<Answer> {
    const base = this.#bases[this.#turn++ % this.#bases.length] ?? '';
    const response = await fetch(base + path, {
      method,
      redirect: 'manual',
      headers: { cookie: Array.from(this.jar, ([name, value]) => `${name}=${value}`).join('; ') },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      this.jar.set(name, value);
    }
    // A browser follows a redirect as soon as it sees the head.
    const text = response.status === 302 ? '' : await response.text();
    return { status: response.status, text, headers: response.headers };
  }

  post(path: string): Promise<Answer> {
    return this.get(path, 'POST');
  }

  /** Another tab, or a thief: the same cookies from now on apart. */
  copy(...bases: readonly string[]): Browser {
    const other = new Browser(...(bases.length > 0 ? bases : this.#bases));
    for (const [name, value] of this.jar) other.jar.set(name, value);
    return other;
  }
}
