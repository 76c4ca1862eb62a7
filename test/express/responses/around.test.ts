/** What middleware before the cache says of an answer counts, whether the handler says it again or not. */

import { describe, expect, it } from 'vitest';
import { cachedSite, frameworks, type Handler } from './site.ts';

const kept = { ttl: '1m' } as const;
const saying =
  (fields: Record<string, string>): Handler =>
  (_req, res, next) => {
    for (const [name, value] of Object.entries(fields)) res.setHeader(name, value);
    next();
  };

describe.each(frameworks)('on %s', (framework) => {
  it.each([
    ['private', { 'Cache-Control': 'private' }],
    ['no-store', { 'Cache-Control': 'no-store' }],
    ['no-store', { 'CDN-Cache-Control': 'no-store', 'Cache-Control': 'max-age=60' }],
    ['vary', { Vary: '*' }],
    ['set-cookie', { 'Set-Cookie': 'id=1' }],
  ])('forbids to keep it: %s of %j', async (why, fields) => {
    const silent: Handler = (_req, res) => res.end('text');
    const same: Handler = (_req, res) => {
      for (const [name, value] of Object.entries(fields)) res.setHeader(name, value);
      res.end('text');
    };
    for (const handler of [silent, same]) {
      const site = await cachedSite(handler, kept, { framework, before: [saying(fields)] });
      await site.ask('/a');
      expect((await site.ask('/a')).cached).toBe(`fwd=miss; detail=${why}`);
    }
  });

  it.each(['once', 'twice'])('says what it differs by, %s', async (times) => {
    const site = await cachedSite(
      (req, res) => {
        if (times === 'twice') res.setHeader('Vary', 'Accept-Language');
        res.end(`in ${req.headers['accept-language']}`);
      },
      kept,
      { framework, before: [saying({ Vary: 'Accept-Language' })] },
    );
    for (const language of ['de', 'fr', 'de', 'fr']) {
      expect((await site.ask('/a', { 'Accept-Language': language })).text).toBe(`in ${language}`);
    }
    expect((await site.ask('/a', { 'Accept-Language': 'fr' })).cached).toMatch(/^hit/);
  });

  it('says it of an answer that the handler has confirmed, too', async () => {
    let isPrivate = false;
    const site = await cachedSite(
      (req, res) => {
        res.setHeader('ETag', '"v"');
        res.statusCode = req.headers['if-none-match'] === '"v"' ? 304 : 200;
        res.end(res.statusCode === 200 ? 'text' : undefined);
      },
      kept,
      {
        framework,
        before: [(req, res, next) => saying(isPrivate ? { 'Cache-Control': 'private' } : {})(req, res, next)],
      },
    );
    await site.ask('/a');
    await site.clock.advance(61_000);
    isPrivate = true;
    expect(await site.ask('/a')).toMatchObject({ text: 'text', cached: 'fwd=stale; fwd-status=304' });
    expect(await site.ask('/a')).toMatchObject({ text: 'text', cached: 'fwd=stale; fwd-status=304' });
  });

  it('says for how long, where nobody else does', async () => {
    const site = await cachedSite(
      (_req, res) => res.end('text'),
      {},
      { framework, before: [saying({ 'Cache-Control': 'public, max-age=60' })] },
    );
    await site.ask('/a');
    expect(await site.ask('/a')).toMatchObject({
      cached: expect.stringMatching(/^hit; ttl=(?:5\d|60)$/),
      headers: { 'cache-control': 'public, max-age=60' },
    });
  });

  it('is not said where the handler takes it off', async () => {
    const site = await cachedSite(
      (_req, res) => {
        res.removeHeader('X-Frame-Options');
        res.setHeader('ETag', '"v"');
        res.end('text');
      },
      kept,
      { framework, before: [saying({ 'X-Frame-Options': 'DENY', 'X-Other': 'yes' })] },
    );
    const requests: Record<string, string>[] = [{}, {}, { 'If-None-Match': '"v"' }, { Range: 'bytes=0-1' }];
    for (const fields of requests) {
      const { headers } = await site.ask('/a', fields);
      expect([headers['x-frame-options'], headers['x-other']]).toEqual([undefined, 'yes']);
    }
    expect(site.runs()).toBe(1);
  });
});
