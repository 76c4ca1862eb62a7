/** Somebody at the atlas: a browser that keeps its cookie, and a site whose instances take turns. */

import { Front } from '../../examples/atlas/front.ts';
import type { Site } from './site.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export const password = 'correct horse battery';

export class Visitor {
  readonly #url: string;
  #cookie: string;

  constructor(url: string, cookie = '') {
    this.#url = url;
    this.#cookie = cookie;
  }

  /** What the browser has; empty if nothing was set. */
  get cookie(): string {
    return this.#cookie;
  }

  async send(method: string, path: string, body?: object): Promise<Reply> {
    const response = await fetch(this.#url + path, {
      method,
      headers: { ...(body && { 'Content-Type': 'application/json' }), Cookie: this.#cookie },
      ...(body && { body: JSON.stringify(body) }),
    });
    const [set] = response.headers.getSetCookie();
    if (set !== undefined) this.#cookie = set.replace(/;.*/, '');
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>,
    };
  }

  get(path: string): Promise<Reply> {
    return this.send('GET', path);
  }

  signUp(name: string): Promise<Reply> {
    return this.send('POST', '/signup', { name, password });
  }

  logIn(name: string): Promise<Reply> {
    return this.send('POST', '/login', { name, password });
  }

  /** A thief, or the same browser before its next answer: the same cookie, from now on apart. */
  copy(): Visitor {
    return new Visitor(this.#url, this.#cookie);
  }
}

export interface OpenSite {
  readonly url: string;
  visitor(): Visitor;
  close(): Promise<void>;
}

/** Puts both instances behind a front that takes turns. */
export async function openSite(site: Site): Promise<OpenSite> {
  const front = new Front();
  for (const { app } of [site.first, site.second]) front.add(app);
  const url = `http://127.0.0.1:${await front.listen(0, '127.0.0.1')}`;
  return {
    url,
    visitor: () => new Visitor(url),
    close: async () => {
      await front.drain(1000);
      await site.close();
    },
  };
}

let names = 0;

/** A name that nobody has yet. */
export function newName(): string {
  names += 1;
  return `visitor-${names}`;
}
