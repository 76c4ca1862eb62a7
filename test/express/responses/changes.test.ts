/** What ends answers: unsafe methods, and `invalidateAfter()`. Who has the answer of a write never gets what was before. */

import { once } from 'node:events';
import { request } from 'node:http';
import { cacheResponses, invalidateAfter, type Middleware, type ResponseCacheOptions } from 'hotshelf/express';
import { describe, expect, it } from 'vitest';
import { deferred, until } from '../../kit/wait.ts';
import { type CachedSite, frameworks, type Framework, type Handler, listenerOf, serve, stillCache } from './site.ts';

type Options = Omit<ResponseCacheOptions, 'cache'>;

interface Store {
  readonly site: Pick<CachedSite, 'ask' | 'cache' | 'port'>;
  readonly rows: Map<string, number>;
}

/** Pages that show a number, which a PUT sets, on a site that is all behind the cache. */
async function storeOf(framework: Framework, options: Options, write: Handler, more: Handler[] = []): Promise<Store> {
  const { cache } = stillCache();
  const rows = new Map<string, number>();
  const show: Handler = async (req, res, next) => {
    if (req.method !== 'GET') return next();
    const path = req.url.split('?')[0] ?? '';
    const seen = rows.get(path) ?? 0;
    await new Promise(setImmediate);
    if (path === '/varied') res.setHeader('Vary', 'X-Device');
    if (path === '/grouped') res.setHeader('Cache-Groups', '"all"');
    return res.end(`${seen}`);
  };
  const change: Handler = (req, res, next) => {
    const path = req.url.split('?')[0] ?? '';
    rows.set(path, (rows.get(path) ?? 0) + 1);
    return write(req, res, next);
  };
  const middle = cacheResponses({ cache, ttl: '1m', ...options });
  const site = await serve(listenerOf(framework, [middle, show, ...more, change]));
  return { site: { ...site, cache }, rows };
}

const done: Handler = (_req, res) => res.end('done');

describe.each(frameworks)('on %s', (framework) => {
  it.each(['PUT', 'POST', 'PATCH', 'DELETE', 'PURGE'])(
    '%s ends what is kept for its URI, in every kind',
    async (method) => {
      const per = (req: { headers: object }) => String(Reflect.get(req.headers, 'x-user'));
      for (const options of [{}, { per }, { vary: ['x-device'] }] as const) {
        const { site } = await storeOf(framework, { ...options, query: ['a'] }, done);
        for (const path of ['/page?a=1', '/varied?a=1']) {
          for (const device of ['phone', 'desk']) {
            const fields = { 'X-User': device, 'X-Device': device };
            await site.ask(path, fields);
            expect((await site.ask(path, fields)).cached).toMatch(/^hit/);
          }
          expect((await site.ask(path, {}, { method })).cached).toBe('fwd=method');
          for (const device of ['phone', 'desk']) {
            const fields = { 'X-User': device, 'X-Device': device };
            expect((await site.ask(path, fields)).text).toBe('1');
          }
        }
      }
    },
  );

  it.each<[string, Handler, string[]]>([
    ['Location', (_req, res) => res.writeHead(201, { Location: '/other' }).end(), ['/page', '/other']],
    [
      'Location in full',
      (_req, res) => res.writeHead(303, { Location: 'http://site.example/other' }).end(),
      ['/page', '/other'],
    ],
    [
      'Location elsewhere',
      (_req, res) => res.writeHead(303, { Location: 'http://else.example/other' }).end(),
      ['/page'],
    ],
    ['Content-Location', (_req, res) => (res.setHeader('Content-Location', '/other'), res.end()), ['/page', '/other']],
    ['groups', (_req, res) => (res.setHeader('Cache-Group-Invalidation', '"all"'), res.end()), ['/page', '/grouped']],
    ['an error', (_req, res) => res.writeHead(422, { Location: '/other' }).end('no'), []],
    ['a failure', (_req, _res, next) => next(new Error('broken')), []],
  ])('ends what an answer with %s speaks of', async (_, write, ended) => {
    const { site } = await storeOf(framework, {}, write);
    const paths = ['/page', '/other', '/grouped', '/third'];
    for (const path of paths) await site.ask(path);
    await site.ask('/page', {}, { method: 'POST' });
    const missed = [];
    for (const path of paths) if (!(await site.ask(path)).cached.startsWith('hit')) missed.push(path);
    expect(missed).toEqual(ended);
  });

  it('ends nothing for a safe method', async () => {
    const { site } = await storeOf(framework, {}, done);
    await site.ask('/page');
    for (const method of ['OPTIONS', 'HEAD']) await site.ask('/page', {}, { method });
    expect((await site.ask('/page')).cached).toMatch(/^hit/);
  });

  it('ends the tags and the keys of invalidateAfter before the answer begins, and not after an error', async () => {
    let status = 200;
    let after: Middleware | undefined;
    const { site } = await storeOf(framework, { tags: ['pages'] }, (_req, res) => res.writeHead(status).end('done'), [
      (req, res, next) => void after?.(req, res, next),
    ]);
    const seen: unknown[] = [];
    after = invalidateAfter({
      cache: site.cache,
      tags: (_req, answer) => {
        seen.push(answer.status);
        return ['pages'];
      },
      keys: () => ['a key'],
    });
    await site.cache.set('a key', 1);
    await site.ask('/page');
    for (status of [400, 500]) await site.ask('/elsewhere', {}, { method: 'POST' });
    expect((await site.ask('/page')).cached).toMatch(/^hit/);
    expect(await site.cache.peek('a key')).toBe(1);
    for (status of [201, 303]) {
      await site.ask('/page');
      await site.cache.set('a key', 1);
      expect(await site.ask('/elsewhere', {}, { method: 'POST' })).toMatchObject({ status, text: 'done' });
      expect((await site.ask('/page')).cached).toBe('fwd=miss; stored');
      expect(await site.cache.peek('a key')).toBeUndefined();
    }
    expect(seen).toEqual([201, 303]);
  });

  it('gives nothing old to a reader who comes after the answer, also where a load was on its way', async () => {
    const gate = deferred();
    let version = 1;
    const { cache } = stillCache();
    const handler: Handler = async (req, res) => {
      if (req.method === 'PUT') {
        version = 2;
        return res.end('written');
      }
      const seen = version;
      if (seen === 1) await gate.promise;
      return res.end(`version ${seen}`);
    };
    const site = await serve(listenerOf(framework, [cacheResponses({ cache, ttl: '1m' }), handler]));
    const slow = site.ask('/page');
    await until(() => cache.stats().misses === 1, { what: 'the load' });
    expect((await site.ask('/page', {}, { method: 'PUT' })).text).toBe('written');
    const next = site.ask('/page');
    gate.resolve();
    // Who asked before may get what was then; who asked later may not.
    expect((await slow).text).toBe('version 1');
    expect((await next).text).toBe('version 2');
    expect((await site.ask('/page')).text).toBe('version 2');
  });

  it('sends a held answer as the handler gave it, and lets a stream go on while it is made', async () => {
    const more = deferred();
    const { site } = await storeOf(framework, {}, async (_req, res) => {
      res.writeHead(201, 'Made', { 'Content-Type': 'text/event-stream', 'X-Two': ['a', 'b'] });
      res.write('first;');
      await more.promise;
      res.write('second;');
      res.end('last');
    });
    const req = request({ port: site.port, host: '127.0.0.1', path: '/page', method: 'POST' });
    req.end();
    const [res] = await once(req, 'response');
    expect([res.statusCode, res.statusMessage, res.headers['x-two'], res.headers['content-type']]).toEqual([
      201,
      'Made',
      'a, b',
      'text/event-stream',
    ]);
    const chunks = res.setEncoding('utf8')[Symbol.asyncIterator]();
    expect((await chunks.next()).value).toBe('first;');
    more.resolve();
    let rest = '';
    for await (const chunk of { [Symbol.asyncIterator]: () => chunks }) rest += chunk;
    expect(rest).toBe('second;last');
  });

  it('ends what was changed for a client that has gone before the answer', async () => {
    const arrived = deferred();
    const gone = deferred();
    const { site } = await storeOf(framework, {}, async (_req, res) => {
      res.on('close', () => gone.resolve());
      arrived.resolve();
      await gone.promise;
      // As handlers do, which do not know.
      res.statusCode = 201;
      res.end('done');
    });
    await site.ask('/page');
    const req = request({
      port: site.port,
      host: '127.0.0.1',
      path: '/page',
      method: 'POST',
      headers: { Host: 'site.example' },
    });
    req.on('error', () => undefined);
    req.end();
    await arrived.promise;
    req.destroy();
    await gone.promise;
    await until(async () => (await site.ask('/page')).text === '1', { what: 'the new page' });
  });
});
