/** Shows what of Express, and of the middleware that everybody uses, counts as reading who is asking. */

import type { ServerResponse } from 'node:http';
import compression from 'compression';
import cors from 'cors';
import express, { type Request } from 'express';
import session from 'express-session';
import helmet from 'helmet';
import { describe, expect, it } from 'vitest';
import { ask, express4, type Handle, signedIn } from './guarded.ts';

/** Express itself, and the middleware that everybody uses, before the guard and behind it. */
const apps = ['Express 5', 'Express 4'] as const;
const options = { secret: 'keyboard cat', resave: false, saveUninitialized: false };

const cookieParser: Handle = (req, _res, next) => {
  if (Reflect.get(req, 'cookies') === undefined) {
    const pairs = (req.headers.cookie ?? '').split('; ').map((pair) => pair.split('='));
    Reflect.set(req, 'cookies', Object.fromEntries(pairs) as unknown);
  }
  next();
};

describe.each(apps)('with %s', (framework) => {
  const file = new URL(import.meta.url).pathname;

  it.each<[string, Handle]>([
    ['send', (_req, res) => void res.send('text')],
    ['json', (_req, res) => void res.json({ a: 1 })],
    ['redirect', (_req, res) => res.redirect('/other')],
    ['sendStatus', (_req, res) => void res.sendStatus(204)],
    ['sendFile', (_req, res) => res.sendFile(file, { dotfiles: 'allow' })],
    ['format', (_req, res) => void res.format({ text: () => res.send('a'), html: () => res.send('b') })],
    ['cookie', (_req, res) => void res.cookie('a', 'b').send('with a cookie')],
    ['vary and links', (_req, res) => void res.vary('Accept').links({ next: '/2' }).location('/1').end()],
    ['fresh', (req, res) => void res.set('ETag', '"a"').send(`${req.fresh} ${req.stale} ${req.xhr}`)],
    ['accepts', (req, res) => void res.send([req.accepts('html'), req.acceptsEncodings(), req.acceptsLanguages('de')])],
    [
      'where from',
      (req, res) => void res.send([req.ip, req.ips, req.hostname, req.protocol, req.secure, req.subdomains]),
    ],
    [
      'what',
      (req, res) => void res.send([req.path, req.query['q'], req.is('json'), req.range(10), req.get('Referer')]),
    ],
    ['the error page', (_req, _res, next) => next(new Error('of the handler'))],
    ['the page for what is not there', (_req, _res, next) => next()],
  ])('what Express reads for %s does not count', async (_, handle) => {
    const [answer] = await ask(framework, handle, {}, [{ ...signedIn, 'if-none-match': '"a"', accept: 'text/html' }]);
    expect(answer?.personal).toBeUndefined();
    expect(answer?.status).toBeGreaterThanOrEqual(200);
  });

  it.each<[string, () => Handle]>([
    ['helmet', () => helmet()],
    ['cors', () => cors({ origin: true, credentials: true })],
    ['compression', () => compression({ threshold: 0 })],
    ['static files', () => express.static('/nowhere')],
    ['a body parser', () => express.json()],
  ])('%s reads nothing of who is asking, before the guard and behind it', async (_, make) => {
    const handle: Handle = (_req, res) => void res.type('text').send('text '.repeat(1000));
    const headers = { ...signedIn, origin: 'https://other.example', 'accept-encoding': 'identity' };
    for (const chain of [{ before: [make()] }, { after: [make()] }]) {
      const [answer] = await ask(framework, handle, chain, [headers, { 'accept-encoding': 'gzip' }]);
      expect(answer).toMatchObject({ personal: undefined, status: 200, text: 'text '.repeat(1000) });
    }
  });

  it('sessions and cookies before the guard count only if the handler reads them', async () => {
    const before = () => [session({ ...options, rolling: true }), cookieParser];
    const counting: Handle = (req, res) => {
      const { views = 0 } = req.session as { views?: number };
      Object.assign(req.session, { views: views + 1 });
      res.send(`view ${views + 1}`);
    };
    const store = new session.MemoryStore();
    const shared = [session({ ...options, store, rolling: true }), cookieParser];
    const [first] = await ask(framework, counting, { before: shared });
    const cookie = first?.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    expect(cookie).toMatch(/^connect\.sid=/);
    const [second] = await ask(framework, counting, { before: shared }, [{ cookie }]);
    expect([first, second].map((answer) => [answer?.text, answer?.personal])).toEqual([
      ['view 1', 'req.session'],
      ['view 2', 'req.session'],
    ]);
    const [blind] = await ask(framework, (_req, res) => void res.send('same'), { before: shared }, [{ cookie }]);
    expect(blind).toMatchObject({ personal: undefined, text: 'same' });
    const readsCookies: Handle = (req, res) => void res.send(req.cookies);
    const [cookies] = await ask(framework, readsCookies, { before: before() }, [{ cookie: 'a=1' }]);
    expect(cookies).toMatchObject({ personal: 'req.cookies', text: '{"a":"1"}' });
  });

  it('sessions and cookies behind the guard work, and make every answer personal', async () => {
    const store = new session.MemoryStore();
    const after = [session({ ...options, store }), cookieParser];
    const counting: Handle = (req, res) => {
      const { views = 0 } = req.session as { views?: number };
      Object.assign(req.session, { views: views + 1 });
      res.send(`view ${views + 1} ${req.sessionID.length} ${Object.keys(req.cookies as object).join()}`);
    };
    const [first] = await ask(framework, counting, { after });
    const cookie = first?.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    const [second] = await ask(framework, counting, { after }, [{ cookie }]);
    expect([first?.text, second?.text]).toEqual(['view 1 32 ', 'view 2 32 connect.sid']);
    for (const answer of [first, second]) expect(answer?.personal).toMatch(/^req\.(session|headers\.cookie)$/);
    const regenerating: Handle = (req, res) => {
      const old = req.sessionID;
      req.session.regenerate(() => void res.send(`${req.sessionID !== old} ${typeof req.session.cookie}`));
    };
    expect((await ask(framework, regenerating, { after }, [{ cookie }]))[0]?.text).toBe('true object');
    const destroying: Handle = (req, res) => void req.session.destroy(() => void res.send(typeof req.session));
    expect((await ask(framework, destroying, { after }, [{ cookie }]))[0]?.text).toBe('undefined');
  });

  it('a mounted app behind the guard is watched too', async () => {
    const make = framework === 'Express 5' ? express : express4;
    for (const read of [(req: Request) => Reflect.get(req, 'user') as unknown, (req: Request) => req.get('cookie')]) {
      const mounted = make().use((req: Request, res: ServerResponse) => {
        read(req);
        res.end();
      });
      const [answer] = await ask(framework, (_req, _res, next) => next(), { after: [mounted] });
      expect(answer?.personal).toMatch(/user|cookie/);
    }
  });

  it('a template that shows the user is noticed', async () => {
    const locals: Handle = (_req, res, next) => {
      res.locals['user'] = { name: 'Ann' };
      next();
    };
    const render: Handle = (req, res) => {
      const app = req.app.engine('text', (_path, values, done) => done(null, JSON.stringify(Object.keys(values))));
      app.set('views', new URL('.', import.meta.url).pathname).set('view engine', 'text');
      app.set(
        'view',
        class {
          path = 'none';
          render(values: object, done: (error: unknown, text: string) => void) {
            done(null, `${'user' in values}`);
          }
        },
      );
      res.render('page');
    };
    expect((await ask(framework, render, { before: [locals] }))[0]).toMatchObject({
      personal: 'res.locals.user',
      text: 'true',
    });
  });

  it('a log that is written at the end does not count', async () => {
    const lines: unknown[] = [];
    const log: Handle = (req, res, next) => {
      res.on('finish', () => lines.push([Reflect.get(req, 'user'), req.get('authorization')]));
      next();
    };
    const [answer] = await ask(framework, (_req, res) => void res.send('a'), { after: [log] }, [signedIn]);
    expect(answer?.personal).toBeUndefined();
    expect(lines).toEqual([[undefined, signedIn.authorization]]);
  });
});
