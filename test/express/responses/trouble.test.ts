/** What fails around the cache: functions of the options, other middleware, clients and handlers; the site goes on. */

import { once } from 'node:events';
import { request } from 'node:http';
import { cacheResponses, type ResponseCacheOptions } from 'hotshelf/express';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deferred, until } from '../../kit/wait.ts';
import { cachedSite, frameworks, type Handler, start, stillCache } from './site.ts';

const unhandled: unknown[] = [];
const note = (error: unknown) => void unhandled.push(error);
beforeEach(() => {
  process.on('unhandledRejection', note);
});
afterEach(() => {
  process.removeListener('unhandledRejection', note);
  if (unhandled.length > 0) throw new Error('A rejection that nobody handles', { cause: unhandled.splice(0) });
});

function broken(): never {
  throw new Error('of the options');
}

const failing: [string, Omit<ResponseCacheOptions, 'cache'>][] = [
  ['ttl', { ttl: broken }],
  ['tags', { ttl: '1m', tags: broken }],
  ['tags with a key that is none', { ttl: '1m', tags: () => [['a', Number.NaN]] }],
  ['tags that are no list', { ttl: '1m', tags: () => 1 as unknown as string[] }],
  ['per', { ttl: '1m', per: broken }],
  ['ttl that is no duration', { ttl: () => 'soon' as '1m' }],
];

describe.each(frameworks)('on %s', (framework) => {
  it.each(failing)('the handler answers everybody where %s fails', async (_, options) => {
    const site = await cachedSite((_req, res) => res.end('text'), options, { framework });
    const answers = await Promise.all([1, 2, 3].map(() => site.ask('/a')));
    answers.push(await site.ask('/a'));
    for (const answer of answers) expect(answer).toMatchObject({ status: 200, text: 'text' });
    expect(site.runs()).toBe(4);
  });

  it('the answer says so where the ttl cannot be had of a function', async () => {
    const site = await cachedSite((_req, res) => res.end('text'), { ttl: broken }, { framework });
    expect(await site.ask('/a')).toMatchObject({ text: 'text', cached: 'fwd=miss; detail=options' });
  });

  it('answers whole where a function fails when the handler has confirmed an answer', async () => {
    let fails = false;
    const site = await cachedSite(
      (req, res) => {
        res.setHeader('ETag', '"a"');
        if (req.headers['if-none-match'] === '"a"') res.statusCode = 304;
        res.end(res.statusCode === 304 ? '' : 'text');
      },
      { ttl: () => (fails ? broken() : 1000) },
      { framework },
    );
    await site.ask('/a');
    await site.clock.advance(2000);
    fails = true;
    expect(await site.ask('/a')).toMatchObject({ status: 200, text: 'text' });
  });

  it('leaves a response alone that other middleware has answered meanwhile', async () => {
    const gate = deferred();
    const impatient: Handler = (req, res, next) => {
      if (req.headers['x-impatient'] !== undefined) {
        setImmediate(() => {
          res.statusCode = 503;
          res.end('too slow');
        });
      }
      next();
    };
    const site = await cachedSite(
      async (_req, res) => {
        await gate.promise;
        res.end('text');
      },
      { ttl: '1m' },
      { framework, before: [impatient] },
    );
    const first = site.ask('/a');
    await until(() => site.runs() === 1, { what: 'the first request' });
    // It waits for the answer of the first, and its own time is over.
    const second = await site.ask('/a', { 'X-Impatient': 'yes' });
    expect(second).toMatchObject({ status: 503, text: 'too slow' });
    // And it may be the one whose handler runs.
    expect(await site.ask('/b', { 'X-Impatient': 'yes' })).toMatchObject({ status: 503 });
    gate.resolve();
    expect((await first).text).toBe('text');
    expect((await site.ask('/a')).cached).toMatch(/^hit/);
    expect((await site.ask('/b')).text).toBe('text');
  });

  it.each<[string, Handler]>([
    [
      'writeHead',
      (req, res, next) => {
        if (req.headers['x-broken'] !== undefined) res.writeHead = broken;
        next();
      },
    ],
    [
      'end',
      (req, res, next) => {
        if (req.headers['x-broken'] !== undefined) res.end = broken;
        next();
      },
    ],
  ])('holds nobody up where the %s of other middleware fails', async (_, step) => {
    const handler: Handler = (_req, res, next) => {
      try {
        res.end('text');
      } catch {
        res.destroy();
        next();
      }
    };
    const site = await cachedSite(handler, { ttl: '1m' }, { framework, before: [step] });
    const req = request({
      host: '127.0.0.1',
      port: site.port,
      path: '/a',
      headers: { Host: 'site.example', 'X-Broken': '1' },
    });
    req.on('error', () => undefined);
    req.end();
    await until(() => site.runs() === 1, { what: 'the broken answer' });
    // Nothing but the clock would end a wait.
    expect(await site.ask('/a')).toMatchObject({ status: 200, text: 'text' });
    req.destroy();
  });

  it('asks again for those who wait when the client goes whose answer they waited for', async () => {
    const gates = [deferred(), deferred()];
    let runs = 0;
    const site = await cachedSite(
      async (_req, res) => {
        const gate = gates[runs];
        runs += 1;
        res.write('te');
        await gate?.promise;
        res.end('xt');
      },
      { ttl: '1m' },
      { framework },
    );
    const req = request({ host: '127.0.0.1', port: site.port, path: '/a', headers: { Host: 'site.example' } });
    req.on('error', () => undefined);
    req.end();
    await once(req, 'response');
    const waiting = [site.ask('/a'), site.ask('/a')];
    req.destroy();
    await until(() => runs === 2, { what: 'the second run' });
    gates[1]?.resolve();
    expect((await Promise.all(waiting)).map(({ text }) => text)).toEqual(['text', 'text']);
    gates[0]?.resolve();
    expect((await site.ask('/a')).cached).toMatch(/^hit/);
    expect(runs).toBe(2);
  });

  it('lets others go their own way when the one that they wait for takes too long', async () => {
    const gate = deferred();
    const site = await cachedSite(
      async (req, res) => {
        if (req.headers['x-slow'] !== undefined) await gate.promise;
        res.end('text');
      },
      { ttl: '1m', wait: '2s' },
      { framework },
    );
    const slow = site.ask('/a', { 'X-Slow': '1' });
    await until(() => site.runs() === 1, { what: 'the slow request' });
    let answered = false;
    const other = site.ask('/a').finally(() => (answered = true));
    await until(async () => (await site.clock.advance(100), site.clock.now() > 1_700_000_001_800), {
      what: 'nearly 2 s',
    });
    expect(answered).toBe(false);
    await site.clock.advance(1000);
    expect(await other).toMatchObject({ text: 'text', cached: 'fwd=bypass; detail=waited' });
    gate.resolve();
    expect((await slow).text).toBe('text');
    expect((await site.ask('/a')).cached).toMatch(/^hit/);
  });

  it('never takes what was cut off for whole', async () => {
    let cuts = true;
    const site = await cachedSite(
      (_req, res) => {
        res.setHeader('Content-Length', 8);
        res.write('text');
        if (cuts) setImmediate(() => res.destroy());
        else res.end('text');
      },
      { ttl: '1m' },
      { framework },
    );
    await expect(site.ask('/a')).rejects.toThrow('aborted');
    cuts = false;
    expect(await site.ask('/a')).toMatchObject({ text: 'texttext', cached: 'fwd=miss; stored' });
  });
});

it.each(['GET', 'HEAD', 'POST'])('runs a listener of node:http once that throws for a %s', async (method) => {
  const { cache } = stillCache();
  const cached = cacheResponses({ cache, ttl: '1m' });
  let runs = 0;
  const middle: Handler = async (req, res, next) => {
    try {
      await cached(req, res, next);
    } catch {
      res.statusCode = 500;
      res.end();
    }
  };
  const handler: Handler = () => {
    runs += 1;
    throw new Error('of the handler');
  };
  const site = await start({ framework: 'node:http', middle, handler });
  expect([(await site.ask('/a', {}, { method })).status, runs]).toEqual([500, 1]);
});
