/** One stateless instance of a site with sessions, in a process of its own. */

import { RedisStore } from 'connect-redis';
import express, { type Request, type RequestHandler, type Response } from 'express';
import session from 'express-session';
import { type BackendWith, connect } from 'hotshelf';
import { login, logout, sessions } from 'hotshelf/sessions';
import { Redis } from 'ioredis';
import { serve } from '../kit/serve.ts';
import { type Deferred, deferred, until } from '../kit/wait.ts';
import { listen } from './site.ts';

export interface Opening {
  readonly url: string;
  /** `connect-redis` is express-session with it as most sites have it: the control. */
  readonly kind: 'hotshelf' | 'connect-redis';
}

const secret = 'a secret that is long enough for production';

/** Requests that a test holds where they are: after their session was loaded, before they go on. */
const gates = new Map<string, { readonly arrived: Deferred<void>; readonly open: Deferred<void> }>();

function gate(name: string) {
  const known = gates.get(name) ?? { arrived: deferred(), open: deferred() };
  gates.set(name, known);
  return known;
}

/** Lets a request that names a gate wait at it. */
async function pass({ query }: Request): Promise<void> {
  if (typeof query['gate'] !== 'string') return;
  const { arrived, open } = gate(query['gate']);
  arrived.resolve();
  await open.promise;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function field(req: Request): `f${number}` {
  return `f${Number(req.query['field'])}`;
}

/** Answers what `handle` returns; its errors go the way of Express. */
function route(handle: (req: Request, res: Response) => Promise<unknown>): RequestHandler {
  return (req, res, next) => {
    handle(req, res).then((result) => res.headersSent || res.json(result), next);
  };
}

function called(run: (done: (error?: unknown) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    run((error) => (error ? reject(error) : resolve()));
  });
}

interface Ways {
  readonly middleware: RequestHandler;
  readonly login: (req: Request, userId: string) => Promise<void>;
  readonly logout: (req: Request) => Promise<void>;
}

const ways: Record<Opening['kind'], (url: string) => Promise<Ways>> = {
  async hotshelf(url) {
    const backend: BackendWith<'values'> = await connect(url);
    await until(async () => (await backend.health()).ok, { what: 'the backend' });
    return {
      middleware: sessions({
        backend,
        secret,
        merge: { views: 'sum', tags: 'union' },
        ownerOf: ({ userId }) => userId,
      }),
      login: (req, userId) => login(req, { userId }),
      logout,
    };
  },
  async 'connect-redis'(url) {
    const client = new Redis(url);
    client.on('error', () => {});
    return {
      middleware: session({ store: new RedisStore({ client }), secret, resave: false, saveUninitialized: false }),
      async login(req, userId) {
        await called((done) => req.session.regenerate(done));
        req.session.userId = userId;
        await called((done) => req.session.save(done));
      },
      logout: (req) => called((done) => req.session.destroy(done)),
    };
  },
};

async function open({ url, kind }: Opening): Promise<string> {
  const way = await ways[kind](url);
  const app = express();
  // No stack traces on standard error.
  app.set('env', 'test');
  app.use(way.middleware);
  app.get(
    '/read',
    route(async (req) => {
      await pass(req);
      return Object.fromEntries(Object.entries(req.session).filter(([name]) => name !== 'cookie'));
    }),
  );
  app.get(
    '/set',
    route(async (req) => {
      await pass(req);
      req.session[field(req)] = 1;
    }),
  );
  app.get(
    '/count',
    route(async (req) => {
      const before = req.session.views ?? 0;
      await pass(req);
      req.session.views = before + 1;
    }),
  );
  app.get(
    '/set-and-redirect',
    route(async (req, res) => {
      req.session[field(req)] = 1;
      res.redirect('/read');
    }),
  );
  app.get(
    '/login',
    route((req) => way.login(req, textOf(req.query['as']))),
  );
  app.get(
    '/logout',
    route((req) => way.logout(req)),
  );
  return (await listen(app)).url;
}

const handlers = serve({
  open,
  /** Resolves when a request waits at the gate. */
  arrived: (name: string) => gate(name).arrived.promise,
  release: (name: string) => gate(name).open.resolve(),
});

export type SiteHandlers = typeof handlers;
