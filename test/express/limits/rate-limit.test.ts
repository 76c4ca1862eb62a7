/** Rate limits at the edge: who shares one, what is answered, and what counts in the end. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import express5, { type Request } from 'express';
import request from 'supertest';
import { describe, expect, expectTypeOf, it, onTestFinished } from 'vitest';
import type { RequestHandler } from 'express';
import { memory } from 'hotshelf/memory';
import { rateLimit } from '../../../src/express/limits/rate-limit.ts';
import type { Middleware } from '../../../src/express/request.ts';
import { until } from '../../kit/wait.ts';
import { countingLimiter, fixedLimiter, verdictOf } from './limiter.ts';

const express4: typeof express5 = createRequire(import.meta.url)('express4');

const expresses = [
  ['Express 5', express5],
  ['Express 4', express4],
] as const;

const ok: RequestHandler = (_req, res) => void res.send('ok');

describe.each(expresses)('a rate limit in %s', (_name, express) => {
  it('lets pass what the limit allows, and then answers with a problem until the window is over', async () => {
    const limiter = countingLimiter();
    const app = express().use(rateLimit(limiter)).get('/', ok);
    const first = await request(app).get('/').expect(200);
    expect(first.headers).toMatchObject({ 'ratelimit-policy': '"second";q=2;w=1', ratelimit: '"second";r=1;t=1' });
    expect(first.headers['retry-after']).toBeUndefined();
    await request(app).get('/').expect(200);
    const refused = await request(app).get('/').expect(429);
    expect(refused.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'retry-after': '1',
      ratelimit: '"second";r=0;t=1',
    });
    expect(JSON.parse(refused.text)).toEqual({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      title: 'Quota Exceeded',
      status: 429,
      detail: 'Too much was asked for in too short a time. Try again in 1 s.',
      'violated-policies': ['second'],
    });
    await limiter.clock.advance(1000);
    await request(app).get('/').expect(200);
  });

  it('counts the pattern of a route, and not what stands in the path', async () => {
    const limiter = countingLimiter();
    const limit = rateLimit(limiter);
    const users = express.Router().get('/:id', limit, ok);
    const app = express()
      .get(['/cities/:id', /^\/towns\/(.*)$/], limit, ok)
      .use('/teams/:team', users);
    for (const path of ['/cities/1', '/cities/2?x=1', '/cities/3', '/towns/1']) await request(app).get(path);
    for (const path of ['/teams/a/1', '/TEAMS/b/2', '/teams/%63/3']) await request(app).get(path);
    expect(new Set(limiter.keys.map((key) => JSON.stringify(key))).size).toBe(2);
    expect(limiter.keys.at(-1)).toEqual(['127.0.0.1', '/:id']);
    await request(app).get('/teams/d/4').expect(429);
  });

  it('goes by the client that the trusted proxy names, and no forged address helps', async () => {
    const limiter = countingLimiter([{ name: 'minute', limit: 10, window: 60_000 }]);
    const app = express().set('trust proxy', 1).use(rateLimit(limiter)).get('/', ok);
    const from = (forwarded: string) => request(app).get('/').set('X-Forwarded-For', forwarded);
    let passed = 0;
    for (let forged = 0; forged < 100; forged += 1) {
      const { status } = await from(`10.0.${forged}.1, 203.0.113.7`);
      if (status === 200) passed += 1;
    }
    expect(passed).toBe(10);
    await from('::ffff:203.0.113.7').expect(429);
    await from('203.0.113.8').expect(200);
    await from('2001:db8:1:2ff::7').expect(200);
    await from('2001:db8:1:2aa::8').expect(200);
    expect(limiter.keys.slice(-3)).toEqual([['203.0.113.8'], ['2001:db8:1:200::/56'], ['2001:db8:1:200::/56']]);
  });

  it.each([
    ['true', true] as const,
    ['a function', () => true] as const,
    ['all networks', '0.0.0.0/1,128.0.0.0/1,::/1,8000::/1'] as const,
  ])('refuses to work where every proxy is trusted: %s', async (_how, trust) => {
    const limiter = countingLimiter();
    const app = express().set('trust proxy', trust).use(rateLimit(limiter)).get('/', ok);
    const errors: unknown[] = [];
    app.use(((error, _req, res, _next) => {
      errors.push(error);
      res.sendStatus(500);
    }) satisfies express5.ErrorRequestHandler);
    await request(app).get('/').expect(500);
    expect(errors).toEqual([
      expect.objectContaining({
        code: 'OPTION_INVALID',
        message: expect.stringMatching(/each client can write any address.*app\.set\('trust proxy', 1\)/),
      }),
    ]);
    expect(limiter.keys).toEqual([]);
  });

  it('gives an answer that is not charged back when it was answered', async () => {
    const limiter = countingLimiter();
    const login = express
      .Router()
      .post('/login/:password', rateLimit(limiter, { charge: 'on-failure' }), (req, res) => {
        res.sendStatus(req.params['password'] === 'right' ? 200 : 401);
      });
    const app = express().use(login);
    const attempt = async (password: string) => (await request(app).post(`/login/${password}`)).status;
    for (let time = 0; time < 5; time += 1) expect(await attempt('right')).toBe(200);
    expect([await attempt('a'), await attempt('b'), await attempt('right')]).toEqual([401, 401, 429]);
  });
});

describe('a rate limit', () => {
  it('needs no Express', async () => {
    const middleware = rateLimit(countingLimiter());
    const server = createServer((req, res) => void middleware(req, res, () => res.end('ok')));
    await request(server).get('/a').expect(200);
    await request(server).get('/b').expect(200);
    const refused = await request(server).head('/c').expect(429);
    expect(refused.headers['retry-after']).toBe('1');
  });

  it('takes what the options say: key, cost and plans', async () => {
    const limiter = countingLimiter([{ name: 'minute', limit: 10, window: 60_000 }]);
    const app = express5().use(
      rateLimit<Request>(limiter, {
        key: async (req) => req.get('x-user'),
        cost: (req) => Number(req.query['cost'] ?? 1),
        plans: (req) => (req.get('x-paid') ? [{ name: 'paid', limit: 100, window: 60_000 }] : undefined),
      }),
    );
    app.get('/', ok);
    const get = (user: string, cost: number) => request(app).get('/').query({ cost }).set('X-User', user);
    expect((await get('a', 4)).headers['ratelimit']).toBe('"minute";r=6;t=40');
    await get('a', 7).expect(429);
    await get('a', 6).expect(200);
    await get('b', 7).expect(200);
    expect((await get('a', 7).set('X-Paid', 'yes')).headers['ratelimit']).toBe('"paid";r=93;t=40');
    await request(app).get('/').expect(200);
    expect(limiter.keys.at(-1)).toEqual(['127.0.0.1']);
    const never = await get('c', 11).expect(429);
    expect(never.headers['retry-after']).toBeUndefined();
    expect(JSON.parse(never.text)).toMatchObject({ detail: expect.stringMatching(/more than the limit ever allows/) });
  });

  it('names the plans of all limiters on the way, each once', async () => {
    const app = express5().use(rateLimit(countingLimiter()));
    const strict = [
      { name: 'second', limit: 1, window: 1000 },
      { name: 'day', limit: 9, window: 86_400_000 },
    ];
    app.get('/', rateLimit(countingLimiter(strict, 'login')), ok);
    const { headers } = await request(app).get('/').expect(200);
    expect(headers['ratelimit-policy']).toBe('"second";q=2;w=1, "login/second";q=1;w=1, "day";q=9;w=86400');
    expect(headers['ratelimit']).toMatch(/^"second";r=1;t=1, "login\/second";r=0;t=1, "day";r=8;t=\d+$/);
    const refused = await request(app).get('/').expect(429);
    expect(JSON.parse(refused.text)).toMatchObject({ 'violated-policies': ['login/second'] });
  });

  it('speaks the older fields where it is told to, or none', async () => {
    const get = async (headers: 'legacy' | 'both' | 'none') => {
      const app = express5().use(rateLimit(countingLimiter(), { headers })).get('/', ok);
      return Object.keys((await request(app).get('/')).headers).filter((name) => name.includes('ratelimit'));
    };
    const legacy = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset'];
    expect(await get('legacy')).toEqual(legacy);
    expect(await get('both')).toEqual(['ratelimit-policy', 'ratelimit', ...legacy]);
    expect(await get('none')).toEqual([]);
    const app = express5()
      .use(rateLimit(fixedLimiter(verdictOf({ resetMs: 2000 })), { headers: 'legacy' }))
      .get('/', ok);
    const before = Math.ceil(Date.now() / 1000);
    const { headers } = await request(app).get('/');
    expect(Number(headers['x-ratelimit-reset']) - before).toBeGreaterThanOrEqual(2);
    expect(Number(headers['x-ratelimit-reset']) - before).toBeLessThan(30);
  });

  it('lets pass whom `allow` names, uncounted, and refuses whom `deny` names', async () => {
    const limiter = countingLimiter();
    const app = express5()
      .use(
        rateLimit<Request>(limiter, {
          allow: (req) => req.path === '/health',
          deny: async (req) => req.path !== '/',
        }),
      )
      .use(ok);
    for (let time = 0; time < 5; time += 1) {
      const { headers } = await request(app).get('/health').expect(200);
      expect(headers['ratelimit']).toBeUndefined();
    }
    const denied = await request(app).get('/other').expect(403);
    expect(denied.headers['content-type']).toBe('application/problem+json');
    expect(limiter.keys).toEqual([]);
  });

  it('refuses nobody in a dry run, tells what it would have done, and sends no field', async () => {
    const told: boolean[] = [];
    const limiter = countingLimiter();
    const onVerdict = ({ allowed }: { allowed: boolean }) => void told.push(allowed);
    const app = express5().use(
      rateLimit(limiter, { mode: 'dry-run', deny: (req) => req.url === '/no', onVerdict }),
      ok,
    );
    for (let time = 0; time < 3; time += 1) {
      const { headers } = await request(app).get('/').expect(200);
      expect(Object.keys(headers).filter((name) => name.includes('ratelimit'))).toEqual([]);
    }
    await request(app).get('/no').expect(200);
    expect(told).toEqual([true, true, false]);
  });

  it('breaks nothing in a dry run, whatever is wrong', async () => {
    const broken = fixedLimiter(new Error('no'));
    await request(express5().use(rateLimit(broken, { mode: 'dry-run' }), ok))
      .get('/')
      .expect(200);
    await request(express5().use(rateLimit(broken), ok))
      .get('/')
      .expect(500);
  });

  it('answers 503 where it is closed because its store does not answer, and lets pass where it is open', async () => {
    const closed = fixedLimiter(verdictOf({ allowed: false, degraded: 'closed', retryAfterMs: 0 }));
    const { headers, text } = await request(express5().use(rateLimit(closed), ok))
      .get('/')
      .expect(503);
    expect(headers['retry-after']).toBe('1');
    expect(headers['ratelimit']).toBeUndefined();
    expect(JSON.parse(text)).toMatchObject({
      type: 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity',
    });
    const open = fixedLimiter(verdictOf({ degraded: 'open' }));
    await request(express5().use(rateLimit(open), ok))
      .get('/')
      .expect(200);
  });

  it('gives back for answers that do not count, if anything was taken', async () => {
    const answers = async (charge: Parameters<typeof rateLimit>[1], verdict = verdictOf({})) => {
      const limiter = fixedLimiter(verdict);
      const ended: number[] = [];
      const app = express5()
        .use((_req, res, next) => {
          res.once('finish', () => ended.push(res.statusCode));
          next();
        })
        .use(rateLimit(limiter, { ...charge, key: (req) => req.url ?? '' }))
        .use((req, res) => void res.sendStatus(Number(req.path.slice(1))));
      for (const status of [200, 304, 401, 500]) await request(app).get(`/${status}`);
      await until(() => ended.length === 4, { what: 'four answers' });
      return limiter.refunds;
    };
    expect(await answers({ charge: 'always' })).toEqual([]);
    expect(await answers({ charge: 'on-failure' })).toEqual(['/200', '/304']);
    expect(await answers({ charge: 'on-success' })).toEqual(['/401', '/500']);
    expect(await answers({ charge: (_req, res) => res.statusCode !== 401 })).toEqual(['/401']);
    expect(
      await answers({
        charge: () => {
          throw new Error('no');
        },
      }),
    ).toEqual([]);
    expect(await answers({ charge: 'on-failure' }, verdictOf({ degraded: 'open' }))).toEqual([]);
  });

  it('counts a request whose client left before the answer', async () => {
    const limiter = fixedLimiter(verdictOf({}));
    let closed = false;
    const server = express5()
      .use(rateLimit(limiter, { charge: 'on-failure' }))
      .use((_req, res) => {
        res.once('close', () => (closed = true));
        res.write('a');
      })
      .listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const left = new AbortController();
    await fetch(`http://127.0.0.1:${port}/`, { signal: left.signal });
    left.abort();
    await until(() => closed, { what: 'the client to be gone' });
    expect(limiter.refunds).toEqual([]);
  });

  it('leaves the answer to `refuse`, with everything but the body', async () => {
    const app = express5().use(
      rateLimit(fixedLimiter(verdictOf({ allowed: false, retryAfterMs: 3000 })), {
        refuse: (_req, res, _next, verdict) => void res.end(`wait ${verdict.retryAfterMs}`),
      }),
    );
    const { headers, text } = await request(app).get('/').expect(429);
    expect(headers['retry-after']).toBe('3');
    expect(text).toBe('wait 3000');
  });

  it('warns once where a proxy is not trusted', async () => {
    const warnings: Error[] = [];
    const hear = (warning: Error) => void warnings.push(warning);
    process.on('warning', hear);
    onTestFinished(() => void process.off('warning', hear));
    const app = express5().use(rateLimit(countingLimiter([{ name: 'all', limit: 9, window: 1000 }])), ok);
    for (let time = 0; time < 2; time += 1) await request(app).get('/').set('X-Forwarded-For', '203.0.113.7');
    await until(() => warnings.length > 0, { what: 'a warning' });
    expect(warnings).toEqual([expect.objectContaining({ code: 'HOTSHELF_TRUST_PROXY' })]);
  });

  it.each([
    [{ cost: -1 }, /`cost`/],
    [{ cost: 1.5 }, /`cost`/],
    [{ cost: Number.NaN }, /`cost`/],
    [{ headers: 'draft-7' }, /`headers`/],
    [{ mode: 'dry' }, /`mode`/],
    [{ charge: 'never' }, /`charge`/],
    [{ key: 'ip' }, /`key`/],
    [{ allow: ['10.0.0.1'] }, /`allow`/],
    [{ ipv6Bits: 8 }, /`ipv6Bits`/],
    [{ header: 'none' }, /Did you mean `headers`/],
    [null, /to be an object/],
  ])('refuses the options %j', (options, message) => {
    expect(() => rateLimit(countingLimiter(), options as never)).toThrow(message);
  });

  it('makes its limiter from options', async () => {
    const plans = [{ name: 'minute', limit: 1, window: '1m' }] as const;
    const app = express5().use(rateLimit({ backend: memory(), name: 'api', plans }), ok);
    const { headers } = await request(app).get('/').expect(200);
    expect(headers['ratelimit-policy']).toBe('"minute";q=1;w=60');
    await request(app).get('/').expect(429);
  });

  it('refuses what is no limiter', () => {
    for (const limiter of [undefined, 'api', {}, { backend: memory(), name: 'api', plans: [] }])
      expect(() => rateLimit(limiter as never)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  it('fits where Express wants a handler', () => {
    expectTypeOf<Middleware<Request>>().toExtend<RequestHandler>();
    expectTypeOf(rateLimit(countingLimiter())).toExtend<RequestHandler>();
  });
});
