/** Hits that are answered before the application is entered: which requests get them, and which do not. */

import helmet from 'helmet';
import { cacheResponses, responseFront, type ResponseCacheOptions } from 'hotshelf/express';
import { describe, expect, it } from 'vitest';
import { type Framework, frameworks, type Handler, listenerOf, serve, type Site, stillCache } from './site.ts';

interface Fronted extends Site {
  /** How many requests the application has seen. */
  readonly entered: () => number;
  readonly end: () => void;
  readonly advance: (ms: number) => Promise<void>;
  readonly invalidate: () => Promise<void>;
}

type Options = Omit<ResponseCacheOptions, 'cache' | 'public'>;

async function fronted(
  framework: Framework,
  handler: Handler,
  options: Options = {},
  front: {
    readonly before?: readonly Handler[];
    readonly rewrite?: Handler;
    readonly app?: (app: object) => void;
  } = {},
): Promise<Fronted> {
  const { cache, clock } = stillCache();
  const route = cacheResponses({ cache, ttl: '1m', public: true, tags: ['all'], ...options });
  let entered = 0;
  const count: Handler = (_req, _res, next) => {
    entered += 1;
    next();
  };
  const listener = listenerOf(framework, [
    count,
    ...(front.rewrite === undefined ? [] : [front.rewrite]),
    route,
    handler,
  ]);
  front.app?.(listener);
  const site = await serve(listener);
  const before = (front.before ?? []) as never[];
  const end = responseFront(site.server, { routes: [route], before });
  return {
    ...site,
    entered: () => entered,
    end,
    advance: (ms) => clock.advance(ms),
    invalidate: () => cache.invalidateTags(['all']),
  };
}

const echo: Handler = (req, res) => res.end(`${req.headers.host} ${req.url}`);

/** Asks as often as it takes: a miss, a hit, and one of what this process then has at hand, by which the front learns. */
async function warm(site: Fronted, path: string, fields?: Record<string, string>): Promise<void> {
  for (let time = 0; time < 4; time += 1) await site.ask(path, fields);
}

describe.each(frameworks)('in front of %s', (framework) => {
  it('a hit that the application has answered once is answered before it, as the application did', async () => {
    const site = await fronted(framework, echo);
    const { etag = '' } = (await site.ask('/a')).headers;
    await warm(site, '/a');
    const entered = site.entered();
    const again = await site.ask('/a');
    expect(again).toMatchObject({
      status: 200,
      text: 'site.example /a',
      cached: expect.stringMatching(/^hit; ttl=5\d$/),
    });
    expect(again.headers.etag).toBe(etag);
    expect(await site.ask('/a', { 'If-None-Match': etag })).toMatchObject({ status: 304, text: '' });
    expect(await site.ask('/a', { Range: 'bytes=0-3' })).toMatchObject({ status: 206, text: 'site' });
    expect(await site.ask('/a', {}, { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
    expect([entered <= 4, site.entered()]).toEqual([true, entered]);
  });

  it.each<[string, string, Record<string, string>, { method?: string; body?: string }]>([
    ['another path', '/b', {}, {}],
    ['another query', '/a?x=1', {}, {}],
    ['another host', '/a', { Host: 'other.example' }, {}],
    ['another method', '/a', {}, { method: 'POST' }],
    ['a body', '/a', {}, { body: 'x' }],
    ['a proxy that says something', '/a', { 'X-Forwarded-Host': 'other.example' }, {}],
    ['a proxy that says where it came from', '/a', { Forwarded: 'host=other.example' }, {}],
    ['a condition of its own', '/a', { 'If-Match': '"x"' }, {}],
  ])('a request with %s goes to the application', async (_, path, fields, how) => {
    const site = await fronted(framework, echo);
    await warm(site, '/a');
    const before = site.entered();
    await site.ask(path, fields, how);
    expect(site.entered()).toBe(before + 1);
  });

  it('a request that middleware takes for one of two goes to the application', async () => {
    const asWanted: Handler = (req, _res, next) => {
      req.url = `${req.headers['x-version'] === 'b' ? '/b' : '/a'}${req.url}`;
      next();
    };
    const site = await fronted(framework, echo, {}, { rewrite: asWanted });
    await warm(site, '/page', { 'X-Version': 'a' });
    for (const version of ['b', 'a']) {
      expect((await site.ask('/page', { 'X-Version': version })).text).toBe(`site.example /${version}/page`);
    }
    // Nor is what it makes of the one what somebody else asks for.
    expect((await site.ask('/a/page')).text).toBe('site.example /a/a/page');
  });

  it('what is stale, or was ended, goes to the application', async () => {
    const site = await fronted(framework, echo);
    await warm(site, '/a');
    await site.advance(61_000);
    expect((await site.ask('/a')).cached).toBe('fwd=miss; stored');
    await warm(site, '/a');
    await site.invalidate();
    expect((await site.ask('/a')).cached).toBe('fwd=miss; stored');
  });

  it.each<[string, Options, boolean]>([
    ['the handler names', {}, true],
    ['the route names', { vary: ['X-Device'] }, false],
  ])('answers differ by the fields that %s', async (_, options, says) => {
    const handler: Handler = (req, res) => {
      if (says) res.setHeader('Vary', 'X-Device');
      res.end(`for ${String(req.headers['x-device'])}`);
    };
    const site = await fronted(framework, handler, options);
    for (let round = 0; round < 4; round += 1) {
      for (const device of ['phone', 'desk']) {
        expect((await site.ask('/a', { 'X-Device': device })).text).toBe(`for ${device}`);
      }
      expect((await site.ask('/a')).text).toBe('for undefined');
    }
  });

  it('runs the middleware that was given before each hit', async () => {
    const seen: unknown[] = [];
    const site = await fronted(
      framework,
      echo,
      {},
      {
        before: [
          helmet(),
          (req, res, next) => {
            seen.push(req.url);
            res.setHeader('X-Before', seen.length);
            next();
          },
        ],
      },
    );
    await warm(site, '/a');
    const { headers } = await site.ask('/a');
    expect(seen.length).toBeGreaterThan(0);
    expect(headers).toMatchObject({ 'x-before': `${seen.length}`, 'x-frame-options': 'SAMEORIGIN' });
  });

  it.each<[string, Handler]>([
    ['throws', broken],
    ['rejects', async () => Promise.reject(new Error('of the middleware'))],
    ['calls next with an error', (_req, _res, next) => next(new Error('of the middleware'))],
  ])('leaves the request to the application where middleware %s', async (_, failing) => {
    const site = await fronted(framework, echo, {}, { before: [failing] });
    await warm(site, '/a');
    expect(await site.ask('/a')).toMatchObject({ status: 200, text: 'site.example /a' });
    expect(site.entered()).toBe(5);
  });

  it('answers no more when it has been ended', async () => {
    const site = await fronted(framework, echo);
    await warm(site, '/a');
    const entered = site.entered();
    await site.ask('/a');
    expect(site.entered()).toBe(entered);
    site.end();
    await site.ask('/a');
    expect(site.entered()).toBe(entered + 1);
  });
});

function broken(): never {
  throw new Error('of the middleware');
}

it('learns nothing from requests that came to another server', async () => {
  const { cache } = stillCache();
  const route = cacheResponses({ cache, ttl: '1m', public: true });
  let entered = 0;
  const count: Handler = (_req, _res, next) => {
    entered += 1;
    next();
  };
  const listener = listenerOf('Express 5', [count, route, echo]);
  const [one, other] = [await serve(listener), await serve(listener)];
  for (const { server } of [one, other]) responseFront(server, { routes: [route] });
  for (let time = 0; time < 4; time += 1) await one.ask('/a');
  const before = entered;
  await one.ask('/a');
  expect(entered).toBe(before);
  await other.ask('/a');
  expect(entered).toBe(before + 1);
});

it('learns from each proxy what it says for itself alone', async () => {
  // With this setting the host is what a proxy says, if it comes from a loopback address.
  const site = await fronted(
    'Express 5',
    (req, res) => res.end(`for ${req.hostname}`),
    {},
    {
      app: (app) => (app as { set(name: string, value: unknown): void }).set('trust proxy', 'loopback'),
    },
  );
  for (const host of ['one.example', 'two.example']) await warm(site, '/a', { 'X-Forwarded-Host': host });
  const before = site.entered();
  for (const host of ['one.example', 'two.example']) {
    expect((await site.ask('/a', { 'X-Forwarded-Host': host })).text).toBe(`for ${host}`);
  }
  expect(site.entered()).toBe(before);
});

it('refuses routes whose answers are not for everybody', async () => {
  const { cache } = stillCache();
  const site = await serve(() => undefined);
  for (const options of [{}, { per: () => 1 }]) {
    expect(() => responseFront(site.server, { routes: [cacheResponses({ cache, ttl: '1m', ...options })] })).toThrow(
      /not `public: true`/,
    );
  }
});
