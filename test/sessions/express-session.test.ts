/** The store in the hands of express-session: each way in which that uses a store, in memory and over Redis. */

import { randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import type { BackendWith } from 'hotshelf';
import { memory } from 'hotshelf/memory';
import { SessionStore, type SessionStoreOptions } from 'hotshelf/sessions';
import session, { type Session, type SessionData, type SessionOptions } from 'express-session';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../kit/wait.ts';
import { Browser, fresh, promised } from './calls.ts';
import { connected, places } from './servers.ts';
import { listen } from './site.ts';

interface Visit {
  session: Session & Partial<SessionData>;
  sessionID: string;
  url?: string;
}
type Respond = (req: Visit, end: (text?: unknown) => void) => void;

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

const everywhere = { memory: async () => ({ url: 'memory:', stop: async () => {} }), Redis: places.Redis };

describe.each(Object.entries(everywhere))('express-session over %s', (name, start) => {
  let stop: () => Promise<void>;
  let backend: BackendWith<'values'>;
  beforeAll(async () => {
    const place = await start();
    ({ stop } = place);
    backend = name === 'memory' ? memory() : await connected(place.url);
  }, 60_000);
  afterAll(async () => {
    await backend.close();
    await stop();
  });

  const newStore = (options: Partial<SessionStoreOptions> = {}) =>
    new SessionStore({ backend, prefix: `s${randomBytes(4).toString('hex')}`, ...options });

  /** A site as express-session's own tests have it: a server, a store, and what goes wrong after the answer. */
  async function open(respond: Respond, options: Partial<SessionOptions> = {}, store = newStore()) {
    const load = session({
      store,
      secret: 'keyboard cat',
      resave: true,
      saveUninitialized: true,
      cookie: { maxAge: 60_000 },
      ...options,
    }) as unknown as (req: unknown, res: unknown, next: (error?: Error) => void) => void;
    const late: string[] = [];
    const listener: RequestListener = (req, res) => {
      load(req, res, (error) => {
        if (error !== undefined && res.headersSent) late.push(error.message);
        else if (error !== undefined) res.writeHead(500).end(error.message);
        else respond(req as unknown as Visit, (text = '') => void res.end(String(text)));
      });
    };
    const { url, close } = await listen(listener);
    cleanups.push(close);
    return { store, calls: promised(store), late, browser: () => new Browser(url) };
  }

  const count: Respond = (req, end) => {
    req.session.views = (req.session.views ?? 0) + 1;
    end(req.session.views);
  };

  it('saves a new session and finds it again by its cookie', async () => {
    const { browser, calls } = await open(count);
    const visitor = browser();
    expect((await visitor.get('/')).text).toBe('1');
    expect(await calls.length()).toBe(1);
    expect((await visitor.get('/')).text).toBe('2');
    await browser().get('/');
    expect(Object.keys(await calls.all())).toHaveLength(2);
  });

  it('begins anew under another id when the session was cleared or is over', async () => {
    const { browser, calls } = await open(count);
    const visitor = browser();
    await visitor.get('/');
    const before = visitor.jar.get('connect.sid');
    await calls.clear();
    expect((await visitor.get('/')).text).toBe('1');
    expect(visitor.jar.get('connect.sid')).not.toBe(before);

    const short = await open(count, { cookie: { maxAge: 5 } });
    const late = short.browser();
    await late.get('/');
    await until(async () => (await short.calls.length()) === 0, { what: 'the session to end' });
    expect((await late.get('/')).text).toBe('1');
  });

  it('gives the session the end that the cookie says', async () => {
    const { browser, store, calls } = await open((req, end) => end(req.sessionID));
    const visitor = browser();
    const { text, headers } = await visitor.get('/');
    const [, said = ''] = /Expires=([^;]+)/.exec(headers.get('set-cookie') ?? '') ?? [];
    expect(new Date((await calls.get(text))?.cookie?.expires ?? 0).toUTCString()).toBe(said);
    const loaded = await new Promise<SessionData | undefined>((resolve, reject) => {
      store.load(text, (error, found) => (error ? reject(error) : resolve(found)));
    });
    expect(loaded?.cookie.expires).toBeInstanceOf(Date);
    expect(loaded?.cookie.originalMaxAge).toBe(60_000);
  });

  it.each([true, false])('moves the end with each request where touchEvery is 0, resave: %s', async (resave) => {
    const respond: Respond = (req, end) => {
      req.session.userId = 'bob';
      end(req.sessionID);
    };
    const { browser, calls } = await open(respond, { resave }, newStore({ touchEvery: 0 }));
    const visitor = browser();
    const { text } = await visitor.get('/');
    const endOf = async () => new Date((await calls.get(text))?.cookie?.expires ?? 0).getTime();
    const first = await endOf();
    await until(() => Date.now() > first - 60_000 + 5, { what: 'some ms to pass' });
    await visitor.get('/');
    expect(await endOf()).toBeGreaterThan(first);
  });

  it('follows a cookie whose life the request changes', async () => {
    const { browser, calls } = await open((req, end) => {
      req.session.cookie.maxAge = Number(req.url?.slice(1));
      end(req.sessionID);
    });
    const visitor = browser();
    for (const age of [20_000, 50_000, 3_000_000_000]) {
      const { text } = await visitor.get(`/${age}`);
      const { cookie } = (await calls.get(text)) ?? {};
      expect(cookie?.originalMaxAge).toBe(age);
    }
    const past = await open((req, end) => end((req.session.cookie.expires = new Date(0))));
    await past.browser().get('/');
    expect(await past.calls.length()).toBe(0);
    const forever = await open((req, end) => end((req.session.cookie.expires = null)));
    await forever.browser().get('/');
    expect((await forever.calls.all())[0]?.cookie.expires).toBeNull();
  });

  it('ends the session when the request drops it, and keeps it where unset says so', async () => {
    const drop: Respond = (req, end) => {
      req.session.views = (req.session.views ?? 0) + 1;
      if (req.session.views === 2) Object.assign(req, { session: null });
      end();
    };
    for (const [unset, left] of [
      ['destroy', 0],
      ['keep', 1],
    ] as const) {
      const { browser, calls } = await open(drop, { unset });
      const visitor = browser();
      await visitor.get('/');
      expect(await calls.length()).toBe(1);
      await visitor.get('/');
      expect(await calls.length()).toBe(left);
    }
  });

  it('destroys, regenerates, reloads and saves by hand', async () => {
    const { browser, calls, store } = await open(
      (req, end) => {
        const { session: own, sessionID } = req;
        if (req.url === '/destroy') own.destroy(() => end(typeof req.session));
        else if (req.url === '/regenerate') own.regenerate(() => end(req.sessionID === sessionID));
        else if (req.url === '/save') Object.assign(own, { views: 5 }).save(() => end());
        else if (req.url === '/gone') store.clear(() => void own.reload((error) => end(error?.message)));
        else if (req.url === '/reload') Object.assign(own, { views: 6 }).reload(() => end(req.session.views));
        else end(own.views);
      },
      { resave: false, saveUninitialized: false },
    );
    const visitor = browser();
    await visitor.get('/save');
    expect((await visitor.get('/')).text).toBe('5');
    expect((await visitor.get('/reload')).text).toBe('5');
    const [before] = await calls.ids();
    expect((await visitor.get('/regenerate')).text).toBe('false');
    expect(await calls.ids()).not.toContain(before);
    expect((await visitor.get('/destroy')).text).toBe('undefined');
    expect(await calls.length()).toBe(0);
    await visitor.get('/save');
    expect((await visitor.get('/gone')).text).toBe('failed to load session');
  });

  it('stores what it is given by hand: names that are reserved, and a session without a cookie', async () => {
    const { browser, calls } = await open((req, end) => end(req.sessionID));
    const visitor = browser();
    const sid = (await visitor.get('/')).text;
    const data = (await calls.get(sid)) ?? {};
    await calls.set(sid, Object.assign(data, { save: 'nope', touch: 1 }));
    expect((await visitor.get('/')).text).toBe(sid);
    await calls.set(sid, { text: 'no cookie' });
    expect(await calls.get(sid)).toEqual({ text: 'no cookie' });
    expect((await calls.all())[0]).toEqual({ text: 'no cookie', id: expect.any(String) });
    const answer = await visitor.get('/');
    expect([answer.status, answer.text]).toEqual([500, expect.stringMatching(/Cannot read prop/)]);
    await calls.set(sid, fresh({ views: 1 }));
    expect((await visitor.get('/')).status).toBe(200);
  });

  it('stores nothing for a request whose id is none, and knows no session while the store is disconnected', async () => {
    const bogus = await open((req, end) => end(Object.assign(req, { sessionID: () => {} }) && ''));
    await bogus.browser().get('/');
    expect(await bogus.calls.length()).toBe(0);
    const { browser, store } = await open((req, end) => end(typeof req.session));
    store.emit('disconnect');
    expect((await browser().get('/')).text).toBe('undefined');
    store.emit('connect');
    expect((await browser().get('/')).text).toBe('object');
  });

  it('passes on what a store throws or hands to its callback', async () => {
    const store = newStore();
    const { browser, late } = await open(count, { resave: false }, store);
    const visitor = browser();
    await visitor.get('/');
    store.get = (_sid, callback) => callback(new Error('no get'));
    expect((await visitor.get('/')).text).toBe('no get');
    store.get = (_sid, callback) => callback(Object.assign(new Error('no such session'), { code: 'ENOENT' }));
    expect((await visitor.get('/')).text).toBe('1');
    store.set = (_sid, _data, callback) => callback?.(new Error('no set'));
    await visitor.get('/');
    await until(() => late.includes('no set'), { what: 'the error of the save' });
  });
});
