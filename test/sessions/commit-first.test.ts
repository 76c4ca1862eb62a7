/** Saved before the response starts: with any store, and with whatever else has its hands on the response. */

import compression from 'compression';
import express, { type ErrorRequestHandler, type RequestHandler } from 'express';
import session from 'express-session';
import { commitFirst } from 'hotshelf/sessions';
import { fakeClock, type FakeClock } from 'hotshelf/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { type Deferred, deferred, until } from '../kit/wait.ts';
import { Browser } from './calls.ts';
import { listen } from './site.ts';

/** A store of somebody else that saves when it is told to. */
class SlowStore extends session.MemoryStore {
  readonly saves: Deferred<Error | undefined>[] = [];

  override set(sid: string, data: session.SessionData, callback?: (error?: unknown) => void): void {
    const save = deferred<Error | undefined>();
    this.saves.push(save);
    void this.#finish(save.promise, sid, data, callback);
  }

  async #finish(
    saved: Promise<Error | undefined>,
    ...[sid, data, callback]: Parameters<session.MemoryStore['set']>
  ): Promise<void> {
    const error = await saved;
    if (error !== undefined) callback?.(error);
    else super.set(sid, data, callback);
  }

  /** Resolves when `count` saves were asked for. */
  asked(count: number): Promise<unknown> {
    return until(() => this.saves.length >= count, { what: `${count} saves` });
  }
}

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

interface Site {
  readonly handle: RequestHandler;
  readonly inside?: RequestHandler;
  readonly outside?: RequestHandler;
  readonly onError?: ErrorRequestHandler;
  readonly clock?: FakeClock;
}

async function open({ handle, inside, outside, onError, clock }: Site) {
  const store = new SlowStore();
  const app = express();
  app.set('env', 'test');
  if (outside !== undefined) app.use(outside);
  app.use(session({ store, secret: 'a secret', resave: false, saveUninitialized: false }));
  app.use(commitFirst(clock === undefined ? {} : { clock }));
  if (inside !== undefined) app.use(inside);
  app.get('/', handle);
  if (onError !== undefined) app.use(onError);
  const { url, close } = await listen(app);
  cleanups.push(close);
  return { store, browser: new Browser(url) };
}

/** What has become of an answer: nothing yet, or the answer. */
function watch<Value>(promise: Promise<Value>): { readonly answer: () => Value | undefined } {
  let seen: Value | undefined;
  void promise.then((value) => (seen = value));
  return { answer: () => seen };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 20));
const text = 'a text that is long enough to be worth it '.repeat(100);

const handlers: Record<string, RequestHandler> = {
  'one end': (req, res) => {
    req.session.views = 1;
    res.set('x-own', 'Yes').status(201).send(text);
  },
  'a head, writes and an end': (req, res) => {
    req.session.views = 1;
    res.writeHead(201, { 'x-own': 'Yes' });
    res.write(text.slice(0, 1000));
    res.write(text.slice(1000));
    res.end();
  },
  'headers that are flushed': (req, res) => {
    req.session.views = 1;
    res.status(201).set('x-own', 'Yes');
    res.flushHeaders();
    res.end(text);
  },
  'writes that wait for each other': (req, res) => {
    req.session.views = 1;
    res.status(201).set('x-own', 'Yes');
    if (res.write(text.slice(0, 1000))) throw new Error('it should wait');
    res.once('drain', () => res.end(text.slice(1000)));
  },
};

describe.each(Object.entries(handlers))('a response of %s', (_name, handle) => {
  it.each([
    ['alone', {}],
    ['inside compression', { outside: compression() }],
    ['around compression', { inside: compression() }],
  ])('waits for the save, %s', async (_where, around) => {
    const { store, browser } = await open({ handle, ...around });
    const pending = browser.get('/');
    const { answer } = watch(pending);
    await store.asked(1);
    await turn();
    expect(answer()).toBeUndefined();
    store.saves[0]?.resolve(undefined);
    const answered = await pending;
    expect([answered.status, answered.headers.get('x-own')]).toEqual([201, 'Yes']);
    expect(answered.text).toBe(text);
    expect(browser.jar.size).toBe(1);
    expect(store.saves).toHaveLength(1);
  });

  it.each([
    ['alone', {}],
    ['inside compression', { outside: compression() }],
    ['around compression', { inside: compression() }],
  ])('is taken back when the save fails, %s', async (_where, around) => {
    const onError: ErrorRequestHandler = (error: Error, req, res, _next) => {
      res.status(500).json({ error: error.message, views: req.session.views });
    };
    const { store, browser } = await open({ handle, onError, ...around });
    const pending = browser.get('/');
    await store.asked(1);
    store.saves[0]?.resolve(new Error('no room'));
    const answered = await pending;
    expect([answered.status, answered.text]).toEqual([500, '{"error":"no room","views":1}']);
    expect(answered.headers.get('x-own')).toBeNull();
    expect(browser.jar.size).toBe(0);
    // Not tried again behind the answer.
    expect(store.saves).toHaveLength(1);
  });
});

it('does not hold up a response whose session was not changed', async () => {
  const { store, browser } = await open({ handle: (req, res) => void res.send(String(req.session.views)) });
  expect((await browser.get('/')).text).toBe('undefined');
  expect(store.saves).toHaveLength(0);
});

it('sends a response as it was when it was given, whatever is done to it while it waits', async () => {
  const { store, browser } = await open({
    handle: (req, res) => {
      req.session.views = 1;
      res.set('X-Own', 'first').send('first');
      res.status(500).set('X-Own', 'second').set('X-More', 'second').end('second');
    },
  });
  const pending = browser.get('/');
  await store.asked(1);
  store.saves[0]?.resolve(undefined);
  const { status, text: body, headers } = await pending;
  expect([status, body, headers.get('x-own'), headers.get('x-more')]).toEqual([200, 'first', 'first', null]);
});

it('survives a handler that goes on with a response that was taken back', async () => {
  const go = deferred();
  const done = deferred();
  const { store, browser } = await open({
    handle: (req, res) => {
      req.session.views = 1;
      res.write('first');
      void go.promise.then(() => {
        res.write('second');
        res.end('third');
        done.resolve();
      });
    },
  });
  const pending = browser.get('/');
  await store.asked(1);
  store.saves[0]?.resolve(new Error('no room'));
  expect((await pending).status).toBe(500);
  go.resolve();
  await done.promise;
  await turn();
});

it('gives a store that never answers a deadline', async () => {
  const clock = fakeClock();
  const { store, browser } = await open({ handle: handlers['one end'] ?? (() => {}), clock });
  const pending = browser.get('/');
  await store.asked(1);
  await clock.advance(5000);
  const { status, headers } = await pending;
  expect([status, headers.get('retry-after')]).toEqual([503, '1']);
});

it('passes a request without a session', async () => {
  const app = express();
  app.use(commitFirst());
  app.get('/', (_req, res) => void res.send('ok'));
  const { url, close } = await listen(app);
  cleanups.push(close);
  expect((await new Browser(url).get('/')).text).toBe('ok');
});
