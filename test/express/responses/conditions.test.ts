/** What becomes of requests for a head, for a part, or for news only. */

import { describe, expect, it } from 'vitest';
import { cachedSite, frameworks } from './site.ts';

const text = '0123456789'.repeat(10);

describe.each(frameworks)('on %s', (framework) => {
  const whole = () =>
    cachedSite(
      (_req, res) => {
        res.setHeader('Content-Type', 'text/plain');
        res.end(text);
      },
      { ttl: '1m' },
      { framework },
    );

  it('answers HEAD from what a GET has brought, and lets a cold one go to the handler', async () => {
    const site = await whole();
    expect(await site.ask('/a', {}, { method: 'HEAD' })).toMatchObject({ status: 200, text: '', cached: 'fwd=miss' });
    const got = await site.ask('/a');
    expect(got.cached).toBe('fwd=miss; stored');
    const head = await site.ask('/a', {}, { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, text: '', cached: expect.stringMatching(/^hit/) });
    expect(head.headers).toMatchObject({
      'content-length': '100',
      'content-type': 'text/plain',
      etag: got.headers.etag,
    });
    expect(site.runs()).toBe(2);
  });

  it('answers with a part of what is kept', async () => {
    const site = await whole();
    await site.ask('/a');
    const part = await site.ask('/a', { Range: 'bytes=10-19' });
    expect(part).toMatchObject({ status: 206, text: '0123456789', headers: { 'content-range': 'bytes 10-19/100' } });
    expect(await site.ask('/a', { Range: 'bytes=-5' })).toMatchObject({ status: 206, text: '56789' });
    expect(await site.ask('/a', { Range: 'bytes=100-' })).toMatchObject({
      status: 416,
      headers: { 'content-range': 'bytes */100' },
    });
    const { etag = '' } = part.headers;
    expect((await site.ask('/a', { Range: 'bytes=0-1', 'If-Range': etag })).text).toBe('01');
    expect((await site.ask('/a', { Range: 'bytes=0-1', 'If-Range': '"other"' })).text).toBe(text);
    expect(site.runs()).toBe(1);
  });

  it('stores the whole answer where the first client only asks for news', async () => {
    const seen: unknown[] = [];
    const site = await cachedSite(
      (req, res) => {
        seen.push(req.headers['if-none-match']);
        res.setHeader('ETag', '"v1"');
        res.end(text);
      },
      { ttl: '1m' },
      { framework },
    );
    const first = await site.ask('/a', { 'If-None-Match': '"v1"' });
    expect(first).toMatchObject({ status: 304, text: '', cached: 'fwd=miss; stored', headers: { etag: '"v1"' } });
    expect(await site.ask('/a')).toMatchObject({ status: 200, text, cached: expect.stringMatching(/^hit/) });
    expect(await site.ask('/a', { 'If-None-Match': 'W/"v1", "v0"' })).toMatchObject({ status: 304 });
    expect(seen).toEqual([undefined]);
  });

  it('makes an entity tag where the handler gave none, the same for the same bytes', async () => {
    const site = await whole();
    const [one, other] = [await site.ask('/a'), await site.ask('/b')];
    expect(one.headers.etag).toBe(other.headers.etag);
    expect(await site.ask('/a', { 'If-None-Match': one.headers.etag ?? '' })).toMatchObject({ status: 304, text: '' });
    expect(await site.ask('/a', { 'If-None-Match': '"x"' })).toMatchObject({ status: 200, text });
  });

  it('puts the conditions back on the request when the handler has answered', async () => {
    const after: unknown[] = [];
    const site = await cachedSite(
      (_req, res) => res.end(text),
      { ttl: '1m' },
      {
        framework,
        before: [
          (req, res, next) => {
            res.on('finish', () => after.push(req.headers['if-none-match']));
            next();
          },
        ],
      },
    );
    await site.ask('/a', { 'If-None-Match': '"v1"' });
    expect(after).toEqual(['"v1"']);
  });
});
