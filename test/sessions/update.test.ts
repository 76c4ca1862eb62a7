/** Changes by a function that sees what is stored: never on top of something old, never of something gone. */

import express, { type Request } from 'express';
import { memory } from 'hotshelf/memory';
import { logout, type SessionFields, sessions, type SessionsOptions, updateSession } from 'hotshelf/sessions';
import { chaos } from 'hotshelf/testing';
import { afterEach, expect, it } from 'vitest';
import { deferred } from '../kit/wait.ts';
import { Browser } from './calls.ts';
import { listen } from './site.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A site whose `/do` does what the test says at the moment. */
async function open(options: Partial<SessionsOptions> = {}) {
  const backend = chaos(memory());
  let act: (req: Request) => Promise<unknown> = async () => {};
  const app = express();
  app.set('env', 'test');
  app.use(sessions({ backend, secret: 'a secret', ...options }));
  app.get('/do', (req, res, next) => {
    act(req).then((result) => res.json({ result, session: { ...fieldsOf(req) } }), next);
  });
  const { url, close } = await listen(app);
  cleanups.push(close);
  const browser = new Browser(url);
  const run = async (what: typeof act, own = browser) => {
    act = what;
    const { status, text } = await own.get('/do');
    return { status, ...(status === 200 ? (JSON.parse(text) as { result?: unknown; session: SessionFields }) : {}) };
  };
  await run(async ({ session }) => {
    session.views = 1;
    session.text = 'a';
  });
  return { backend, browser, run, read: async () => (await run(async () => {})).session };
}

function fieldsOf({ session }: Request): object {
  return Object.fromEntries(Object.entries(session).filter(([name]) => name !== 'cookie'));
}

const addOne = (fields: SessionFields) => void (fields.views = (fields.views ?? 0) + 1);

it('sees what others stored since the request began, and shows the result', async () => {
  const { browser, run, read } = await open();
  const go = deferred();
  const arrived = deferred();
  const slow = run(async (req) => {
    arrived.resolve();
    await go.promise;
    req.session.text = 'mine';
    return updateSession(req, addOne);
  });
  await arrived.promise;
  await run((req) => updateSession(req, addOne), browser.copy());
  await run(async ({ session }) => void (session.tags = ['theirs']), browser.copy());
  go.resolve();
  expect(await slow).toMatchObject({ result: true, session: { views: 3, text: 'mine', tags: ['theirs'] } });
  expect(await read()).toEqual({ views: 3, text: 'mine', tags: ['theirs'] });
});

it('leaves the session as it was when the function throws, also after a promise', async () => {
  const { run, read } = await open();
  const { status } = await run((req) =>
    updateSession(req, async (fields) => {
      fields.views = 99;
      await Promise.resolve();
      throw new Error('no');
    }),
  );
  expect(status).toBe(500);
  expect(await read()).toEqual({ views: 1, text: 'a' });
});

it('says false when the session is gone, and brings nothing back', async () => {
  const { browser, run } = await open();
  const other = browser.copy();
  const go = deferred();
  const arrived = deferred();
  const slow = run(async (req) => {
    arrived.resolve();
    await go.promise;
    return updateSession(req, addOne);
  });
  await arrived.promise;
  await run((req) => logout(req), other);
  go.resolve();
  expect(await slow).toMatchObject({ status: 200, result: false });
  expect((await run(async () => {}, browser)).session).toEqual({});
});

it('stores a session that is new', async () => {
  const { run, browser } = await open();
  browser.jar.clear();
  expect(await run((req) => updateSession(req, addOne))).toMatchObject({ result: true, session: { views: 1 } });
  expect((await run(async () => {})).session).toEqual({ views: 1 });
});

it('refuses to change a session that could not be loaded, and leaves it as it is', async () => {
  const { backend, run, read } = await open({ onStoreError: 'anonymous' });
  backend.chaos.set({ throws: 1 });
  const { status } = await run(async (req) => {
    backend.chaos.set({ throws: 0 });
    return updateSession(req, addOne);
  });
  expect(status).toBe(503);
  expect(await read()).toEqual({ views: 1, text: 'a' });
});

it('refuses a request without a session, and a session of another store', async () => {
  await expect(updateSession({}, () => {})).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  await expect(logout({ sessionID: 'a', sessionStore: {} })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
});
