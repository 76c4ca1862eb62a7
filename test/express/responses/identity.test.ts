/** Shows that whoever reads who is asking is noticed, and that the request stays as it is. */

import type { IncomingMessage } from 'node:http';
import { inspect } from 'node:util';
import type { Request } from 'express';
import { describe, expect, it } from 'vitest';
import { identityFields, identityProperties, watchIdentity } from '../../../src/express/responses/identity.ts';
import { ask, askPlainly, frameworks, type Handle, signedIn } from './guarded.ts';

const readings: readonly [string, (req: Request) => unknown, string][] = [
  ['req.headers.cookie', (req) => req.headers.cookie, 'req.headers.cookie'],
  ['req.headers.authorization', (req) => req.headers.authorization, 'req.headers.authorization'],
  ['proxy-authorization', (req) => req.headers['proxy-authorization'], 'req.headers.proxy-authorization'],
  ['an API key', (req) => req.headers['x-api-key'], 'req.headers.x-api-key'],
  ['destructuring', ({ headers: { cookie } }) => cookie, 'req.headers.cookie'],
  ['in', (req) => 'cookie' in req.headers, 'req.headers.cookie'],
  ['hasOwn', (req) => Object.hasOwn(req.headers, 'authorization'), 'req.headers.authorization'],
  ['a descriptor', (req) => Object.getOwnPropertyDescriptor(req.headers, 'cookie'), 'req.headers.cookie'],
  ['a copy', (req) => ({ ...req.headers }), 'req.headers'],
  ['Object.assign', (req) => Object.assign({}, req.headers), 'req.headers'],
  ['JSON', (req) => JSON.stringify(req.headers), 'req.headers'],
  ['Object.keys', (req) => Object.keys(req.headers), 'req.headers'],
  ['Object.entries', (req) => Object.entries(req.headers), 'req.headers'],
  ['Object.values', (req) => Object.values(req.headers), 'req.headers'],
  ['Headers', (req) => new Headers(req.headers as Record<string, string>), 'req.headers'],
  ['inspect', (req) => inspect(req.headers), 'req.headers'],
  ['rawHeaders', (req) => req.rawHeaders[0], 'req.rawHeaders'],
  ['headersDistinct', (req) => req.headersDistinct['cookie'], 'req.headersDistinct.cookie'],
  ['a copy of headersDistinct', (req) => ({ ...req.headersDistinct }), 'req.headersDistinct'],
  ...identityProperties.map((name): [string, (req: Request) => unknown, string] => [
    `req.${name}`,
    (req) => Reflect.get(req, name),
    `req.${name}`,
  ]),
  ['typeof', (req) => typeof Reflect.get(req, 'user'), 'req.user'],
  ['a copy of the request', (req) => ({ ...req }), 'req.rawHeaders'],
  ['a request that inherits', (req) => Reflect.get(Object.create(req) as object, 'session'), 'req.session'],
  ['headers of a request that inherits', (req) => (Object.create(req) as Request).headers.cookie, 'req.headers.cookie'],
];

const inExpress: readonly [string, (req: Request) => unknown, string][] = [
  ['req.get', (req) => req.get('Cookie'), 'req.headers.cookie'],
  ['req.header', (req) => req.header('AUTHORIZATION'), 'req.headers.authorization'],
  ['res.locals.user', (req) => req.res?.locals['user'] as unknown, 'res.locals.user'],
];

describe.each(frameworks)('on %s', (framework) => {
  it.each(framework === 'node:http' ? readings : [...readings, ...inExpress])(
    'notices %s, of those who are signed in and of those who are not',
    async (_, read, expected) => {
      const handle: Handle = (req, res) => {
        read(req);
        res.end('done');
      };
      const answers = await ask(framework, handle, {}, [signedIn, {}]);
      expect(answers.map(({ personal }) => personal)).toEqual([expected, expected]);
      expect(answers.map(({ text }) => text)).toEqual(['done', 'done']);
    },
  );

  it('notices what is read late, and what was read first', async () => {
    const handle: Handle = (req, res) => {
      setImmediate(() => {
        void req.headers.cookie;
        void req.headers.authorization;
        res.end();
      });
    };
    expect((await ask(framework, handle))[0]?.personal).toBe('req.headers.cookie');
  });

  it('notices the fields of a headers object that was kept from before', async () => {
    const kept = new WeakMap<object, IncomingMessage['headers']>();
    const keep: Handle = (req, _res, next) => {
      kept.set(req, req.headers);
      next();
    };
    const handle: Handle = (req, res) => void res.end(kept.get(req)?.cookie);
    const [answer] = await ask(framework, handle, { before: [keep] }, [signedIn]);
    expect(answer).toMatchObject({ personal: 'req.headers.cookie', text: 'sid=1' });
  });

  it('passes over what says nothing of who is asking', async () => {
    const handle: Handle = (req, res) => {
      const { headers } = req;
      const found = [headers.accept, headers['accept-language'], headers['x-other'], headers.host, 'accept' in headers];
      headers['x-mine'] = 'set';
      delete headers['x-mine'];
      Reflect.set(req, 'user', { id: 7 });
      Reflect.set(req, 'session', undefined);
      res.end(
        `${found.length} ${req.method} ${req.url} ${req.httpVersion} ${typeof req.socket} ${Object.keys(req).length > 0}`,
      );
    };
    expect((await ask(framework, handle, {}, [signedIn]))[0]?.personal).toBeUndefined();
  });

  it('shows every value as it is', async () => {
    const handle: Handle = (req, res) => {
      const { headers } = req;
      const shown = {
        json: headers,
        copy: { ...headers },
        keys: Object.keys(headers),
        has: ['cookie' in headers, 'authorization' in headers, Object.hasOwn(headers, 'cookie')],
        descriptor: Object.getOwnPropertyDescriptor(headers, 'cookie'),
        raw: req.rawHeaders,
        distinct: req.headersDistinct,
        printed: inspect(headers),
        same: req.headers === headers && req.headersDistinct === req.headersDistinct,
        plain: Object.getPrototypeOf(headers) === Object.prototype,
        typeofs: [typeof Reflect.get(req, 'user'), typeof Reflect.get(req, 'session')],
        names: Object.keys(req),
      };
      res.end(JSON.stringify(shown));
    };
    const requests: Record<string, string>[] = [signedIn, {}, { cookie: '' }];
    const watched = await ask(framework, handle, {}, requests);
    // The same without a guard: what was watched has ended.
    const ended: Handle = (req, _res, next) => {
      watchIdentity(req).end();
      next();
    };
    const plain = await askPlainly(framework, [ended, handle], requests);
    const never = await askPlainly(framework, [handle], requests);
    const withoutPort = (texts: readonly string[]) => texts.map((text) => text.replaceAll(/127\.0\.0\.1:\d+/g, 'host'));
    expect(withoutPort(watched.map(({ text }) => text))).toEqual(withoutPort(never));
    expect(withoutPort(plain)).toEqual(withoutPort(never));
  });

  it('counts nothing of what runs in a pause or after the end', async () => {
    const results: (string | undefined)[] = [];
    const handle: Handle = (req, res) => {
      const watch = watchIdentity(req);
      const { headers } = req;
      expect(watch.pause(() => [req.headers.cookie, Reflect.get(req, 'user')])).toEqual(['sid=1', undefined]);
      expect(() =>
        watch.pause(() => {
          throw new Error('of others');
        }),
      ).toThrow('of others');
      results.push(watch.personal);
      watch.end();
      watch.end();
      void [req.headers.cookie, headers.cookie, { ...headers }, Reflect.get(req, 'session')];
      results.push(watch.personal);
      res.end();
    };
    await askPlainly(framework, [handle], [signedIn]);
    expect(results).toEqual([undefined, undefined]);
  });

  it('leaves the request as it was', async () => {
    const seen: unknown[] = [];
    const handle: Handle = (req, res) => {
      Reflect.set(req, 'user', { id: 7 });
      Object.defineProperty(req, 'auth', { value: 'hidden', writable: true, configurable: true });
      const state = () => [req, req.headers, req.headersDistinct].map((each) => describeProperties(each));
      const before = state();
      const watch = watchIdentity(req);
      void [req.headers.cookie, req.headersDistinct['cookie'], Reflect.get(req, 'user'), req.rawHeaders];
      watch.end();
      expect(state()).toEqual(before);
      seen.push(watch.personal);
      res.end();
    };
    await askPlainly(framework, [handle], [signedIn, {}]);
    expect(seen).toEqual(['req.headers.cookie', 'req.headers.cookie']);
  });

  it('keeps what was assigned, deleted or defined meanwhile', async () => {
    const handle: Handle = (req, res) => {
      Reflect.set(req, 'session', 'old');
      Reflect.set(req, 'cookies', 'old');
      const watch = watchIdentity(req);
      Reflect.set(req, 'session', 'new');
      Reflect.set(req, 'user', 'new');
      Reflect.deleteProperty(req, 'cookies');
      Object.defineProperty(req, 'auth', { get: () => 'defined', configurable: true });
      req.headers.cookie = 'new=1';
      req.headers.authorization = 'new';
      delete req.headers['x-api-key'];
      expect(watch.personal).toBeUndefined();
      expect([Reflect.get(req, 'session'), Reflect.get(req, 'user')]).toEqual(['new', 'new']);
      expect(watch.personal).toBe('req.session');
      expect(Object.keys(req)).toContain('user');
      watch.end();
      const data = (value: unknown) => ({ value, writable: true, enumerable: true, configurable: true });
      expect(Object.getOwnPropertyDescriptor(req, 'session')).toEqual(data('new'));
      expect(Object.getOwnPropertyDescriptor(req, 'user')).toEqual(data('new'));
      expect('cookies' in req).toBe(false);
      expect(Reflect.get(req, 'auth')).toBe('defined');
      expect(Object.getOwnPropertyDescriptor(req.headers, 'cookie')).toEqual(data('new=1'));
      expect(req.headers.authorization).toBe('new');
      expect('x-api-key' in req.headers).toBe(false);
      res.end();
    };
    const [text] = await askPlainly(framework, [handle], [{ cookie: 'old=1', 'x-api-key': 'k' }]);
    expect(text).toBe('');
  });

  it('watches a headers object that was put in its place', async () => {
    const handle: Handle = (req, res) => {
      const watch = watchIdentity(req);
      req.headers = { cookie: 'other=1', accept: 'a' };
      expect([req.headers.accept, watch.personal]).toEqual(['a', undefined]);
      expect([req.headers.cookie, watch.personal]).toEqual(['other=1', 'req.headers.cookie']);
      watch.end();
      expect(describeProperties(req.headers)).toEqual(describeProperties({ cookie: 'other=1', accept: 'a' }));
      res.end();
    };
    expect(await askPlainly(framework, [handle], [{}])).toEqual(['']);
  });

  it('works inside another watch', async () => {
    const results: (string | undefined)[][] = [];
    const handle: Handle = (req, res) => {
      const outer = watchIdentity(req);
      const inner = watchIdentity(req);
      results.push([outer.personal, inner.personal]);
      void req.headers.cookie;
      Reflect.set(req, 'user', 7);
      results.push([outer.personal, inner.personal]);
      inner.end();
      outer.end();
      expect(describeProperties(req)['user']).toEqual({
        value: 7,
        writable: true,
        enumerable: true,
        configurable: true,
      });
      expect(describeProperties(req)['headers']).toBeUndefined();
      expect(req.headers.cookie).toBe(req.headersDistinct['cookie']?.[0]);
      res.end();
    };
    expect(await askPlainly(framework, [handle], [{}, signedIn])).toEqual(['', '']);
    const none = [undefined, undefined];
    const both = ['req.headers.cookie', 'req.headers.cookie'];
    expect(results).toEqual([none, both, none, both]);
  });

  it('reads a property that an accessor gives, as cookie-session and getters on a prototype do', async () => {
    const handle: Handle = (req, res) => {
      const stored: unknown[] = [];
      Object.defineProperty(req, 'session', {
        get(this: Request) {
          return `session of ${this.url}`;
        },
        set(value: unknown) {
          stored.push(value);
        },
        configurable: true,
        enumerable: true,
      });
      const parent: object = Object.create(Object.getPrototypeOf(req) as object);
      Object.defineProperty(parent, 'user', { get: () => 'inherited' });
      Object.setPrototypeOf(req, parent);
      const before = describeProperties(req);
      const watch = watchIdentity(req);
      Reflect.set(req, 'session', 'new');
      Reflect.set(req, 'user', 'ignored');
      expect([stored, watch.personal]).toEqual([['new'], undefined]);
      expect([Reflect.get(req, 'user'), watch.personal]).toEqual(['inherited', 'req.user']);
      expect(Reflect.get(req, 'session')).toBe('session of /x?q=1');
      watch.end();
      expect(describeProperties(req)).toEqual(before);
      res.end();
    };
    expect(await askPlainly(framework, [handle], [{}])).toEqual(['']);
  });

  it('calls an answer personal if something cannot be watched', async () => {
    const handle: Handle = (req, res) => {
      Object.defineProperty(req, 'user', { value: 7 });
      const watch = watchIdentity(req);
      expect([watch.personal, Reflect.get(req, 'user')]).toEqual(['req.user', 7]);
      watch.end();
      res.end();
    };
    expect(await askPlainly(framework, [handle], [{}])).toEqual(['']);
  });
});

describe('the names', () => {
  it('are written as Node gives them', () => {
    for (const name of identityFields) expect(name).toBe(name.toLowerCase());
  });
});

function describeProperties(target: object): Record<PropertyKey, unknown> {
  return Object.getOwnPropertyDescriptors(target);
}
