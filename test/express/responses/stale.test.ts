/** What an answer is worth after its lifetime: served while it is refreshed, instead of a failure, or once it is confirmed. */

import { describe, expect, it } from 'vitest';
import { deferred, until } from '../../kit/wait.ts';
import { cachedSite, frameworks, type Handler } from './site.ts';

describe.each(frameworks)('on %s', (framework) => {
  it('answers with the stale answer at once, and has the handler make a new one behind, once', async () => {
    const gate = deferred();
    let version = 0;
    const site = await cachedSite(
      async (_req, res) => {
        version += 1;
        if (version === 2) await gate.promise;
        res.setHeader('Cache-Control', 'max-age=10, stale-while-revalidate=30');
        res.end(`version ${version}`);
      },
      {},
      { framework },
    );
    await site.ask('/a');
    await site.clock.advance(15_000);
    // The handler hangs, and nobody notices.
    for (let time = 0; time < 3; time += 1) {
      expect(await site.ask('/a')).toMatchObject({
        status: 200,
        text: 'version 1',
        cached: 'hit; ttl=-5; detail=refreshing',
      });
    }
    await until(() => site.runs() === 2, { what: 'the refresh to begin' });
    gate.resolve();
    const fresh = await until(
      async () => {
        const answer = await site.ask('/a');
        return answer.text === 'version 2' && answer;
      },
      { what: 'the new answer' },
    );
    expect(fresh.cached).toBe('hit; ttl=10');
    expect(site.runs()).toBe(2);
  });

  it('keeps the stale answer when the refresh behind brings an error', async () => {
    let fails = false;
    const site = await cachedSite(
      (_req, res) => {
        res.statusCode = fails ? 503 : 200;
        res.end(fails ? 'broken' : 'good');
      },
      { ttl: '10s', swr: '1m' },
      { framework },
    );
    await site.ask('/a');
    fails = true;
    await site.clock.advance(20_000);
    await site.ask('/a');
    await until(() => site.runs() === 2, { what: 'the refresh' });
    expect(await site.ask('/a')).toMatchObject({ status: 200, text: 'good' });
  });

  const failures: [string, Handler, number | undefined][] = [
    ['answers 500', (_req, res) => res.writeHead(500).end('broken'), 500],
    ['answers 503 in pieces', (_req, res) => (res.writeHead(503), res.write('bro'), res.end('ken')), 503],
    ['calls next with an error', (_req, _res, next) => next(new Error('broken')), 500],
    [
      'throws',
      (_req, _res, next) => {
        // In plain `node:http` whoever catches it calls next.
        if (framework === 'node:http') return next(new Error('broken'));
        throw new Error('broken');
      },
      500,
    ],
  ];

  it.each(failures)(
    'answers with the stale answer when the handler %s, for as long as the handler had said',
    async (_, fail, status) => {
      let fails = false;
      const site = await cachedSite(
        (req, res, next) => {
          res.setHeader('X-From', 'handler');
          if (fails) return fail(req, res, next);
          res.setHeader('Cache-Control', 'max-age=10, stale-if-error=60');
          return res.end('good');
        },
        {},
        { framework },
      );
      await site.ask('/a');
      fails = true;
      await site.clock.advance(12_000);
      const helped = await site.ask('/a');
      expect(helped).toMatchObject({ status: 200, text: 'good' });
      expect(helped.cached).toMatch(new RegExp(`^fwd=stale; fwd-status=${status}; detail="?load failed"?$`));
      expect(helped.headers.age).toBe('12');
      await site.clock.advance(60_000);
      expect((await site.ask('/a')).status).toBe(status);
    },
  );

  it.each(failures)(
    'answers with a fresh answer that a client wants confirmed when the handler %s',
    async (_, fail, status) => {
      let fails = false;
      const site = await cachedSite(
        (req, res, next) => {
          if (fails) return fail(req, res, next);
          res.setHeader('Cache-Control', 'max-age=60');
          return res.end('good');
        },
        { requestDirectives: true },
        { framework },
      );
      await site.ask('/a');
      fails = true;
      expect(await site.ask('/a', { 'Cache-Control': 'max-age=0' })).toMatchObject({
        status: 200,
        text: 'good',
        cached: `fwd=request; fwd-status=${status}; detail="load failed"`,
      });
      expect(await site.ask('/a')).toMatchObject({ text: 'good', cached: expect.stringMatching(/^hit/) });
    },
  );

  it('asks the handler whether a stale answer is still true, by its own validators', async () => {
    const asked: unknown[] = [];
    const site = await cachedSite(
      (req, res) => {
        asked.push([req.headers['if-none-match'], req.headers['if-modified-since'], req.headers.range]);
        res.setHeader('ETag', '"one"');
        res.setHeader('Last-Modified', 'Tue, 14 Nov 2023 00:00:00 GMT');
        res.setHeader('Cache-Control', 'max-age=10');
        res.setHeader('X-Run', asked.length);
        if (req.headers['if-none-match'] === '"one"') res.statusCode = 304;
        res.end(res.statusCode === 304 ? undefined : 'whole');
      },
      {},
      { framework },
    );
    expect((await site.ask('/a', { 'If-None-Match': '"of the client"' })).text).toBe('whole');
    await site.clock.advance(11_000);
    const confirmed = await site.ask('/a');
    expect(confirmed).toMatchObject({ status: 200, text: 'whole', cached: 'fwd=stale; fwd-status=304; stored' });
    expect(confirmed.headers).toMatchObject({ 'x-run': '2', etag: '"one"', age: '0' });
    await site.clock.advance(9000);
    const later = await site.ask('/a', { 'If-None-Match': '"one"' });
    expect(later).toMatchObject({ status: 304, text: '', cached: 'hit; ttl=1' });
    expect(later.headers.age).toBe('9');
    expect(asked).toEqual([
      [undefined, undefined, undefined],
      ['"one"', 'Tue, 14 Nov 2023 00:00:00 GMT', undefined],
    ]);
  });

  it('never asks the handler with an entity tag that it did not give', async () => {
    const asked: unknown[] = [];
    const site = await cachedSite(
      (req, res) => {
        asked.push(req.headers['if-none-match']);
        res.end('text');
      },
      { ttl: '10s', grace: '1m' },
      { framework },
    );
    const { headers } = await site.ask('/a');
    expect(headers.etag).toMatch(/^"[\w-]{20,}"$/);
    await site.clock.advance(11_000);
    await site.ask('/a', { 'If-None-Match': headers.etag ?? '' });
    expect(asked).toEqual([undefined, undefined]);
  });
});
