/** All ways in which a handler writes, and what others put around the answer. */

import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { gunzipSync } from 'node:zlib';
import compression from 'compression';
import cors from 'cors';
import helmet from 'helmet';
import { describe, expect, it } from 'vitest';
import { cachedSite, frameworks, type Handler } from './site.ts';

const text = 'a line of text, and one more\n'.repeat(200);
const kept = { ttl: '1m' } as const;

const forms: [string, Handler][] = [
  ['end', (_req, res) => res.end(text)],
  ['write and end', (_req, res) => (res.write(text.slice(0, 100)), res.end(text.slice(100)))],
  ['writeHead with an object', (_req, res) => res.writeHead(200, { 'X-Own': 'yes' }).end(Buffer.from(text))],
  ['writeHead with an array', (_req, res) => res.writeHead(200, ['X-Own', 'yes']).end(text, 'utf8')],
  ['pipe', (_req, res) => Readable.from([text.slice(0, 2000), text.slice(2000)]).pipe(res)],
  ['pipeline', (_req, res) => pipeline(Readable.from([Buffer.from(text)]), res)],
  [
    'backpressure',
    async (_req, res) => {
      for (let at = 0; at < text.length; at += 500) if (!res.write(text.slice(at, at + 500))) await once(res, 'drain');
      res.end();
    },
  ],
];

describe.each(frameworks)('on %s', (framework) => {
  it.each(forms)('keeps what is written by %s', async (_, handler) => {
    const site = await cachedSite(handler, kept, { framework });
    const [first, second] = [await site.ask('/a'), await site.ask('/a')];
    expect([first.text === text, second.text === text]).toEqual([true, true]);
    expect([first.status, second.status, second.headers['x-own']]).toEqual([200, 200, first.headers['x-own']]);
    expect(second.cached).toMatch(/^hit/);
    expect(site.runs()).toBe(1);
  });

  it('lets what is longer than the limit stream through, and keeps nothing of it', async () => {
    const site = await cachedSite(
      (_req, res) => {
        res.write('x'.repeat(600));
        res.end('y'.repeat(600));
      },
      { ...kept, maxBodyBytes: 1000 },
      { framework },
    );
    for (let time = 1; time <= 2; time += 1) {
      expect((await site.ask('/a')).text).toBe('x'.repeat(600) + 'y'.repeat(600));
      expect(site.runs()).toBe(time);
    }
  });

  it('says so at once of what is announced as longer than the limit', async () => {
    const site = await cachedSite(
      (_req, res) => {
        res.setHeader('Content-Length', 1200);
        res.end('x'.repeat(1200));
      },
      { ...kept, maxBodyBytes: 1000 },
      { framework },
    );
    for (let time = 1; time <= 2; time += 1) {
      expect(await site.ask('/a')).toMatchObject({ text: 'x'.repeat(1200), cached: 'fwd=miss; detail=too-large' });
    }
  });

  const zip = compression({ threshold: 0 });
  it.each([
    ['before the cache', { before: [zip] }],
    ['behind it', { after: [zip] }],
  ])('gives each client the coding that it accepts, with compression %s', async (_, parts) => {
    const site = await cachedSite(
      (_req, res) => {
        res.setHeader('Content-Type', 'text/plain');
        res.end(text);
      },
      kept,
      { framework, ...parts },
    );
    for (let time = 0; time < 2; time += 1) {
      const zipped = await site.ask('/a', { 'Accept-Encoding': 'gzip' });
      expect(zipped.headers['content-encoding']).toBe('gzip');
      expect(gunzipSync(zipped.body).toString()).toBe(text);
      const plain = await site.ask('/a', { 'Accept-Encoding': 'identity' });
      expect(plain).toMatchObject({ text, headers: { vary: 'Accept-Encoding' } });
      expect(plain.headers['content-encoding']).toBeUndefined();
      if (time === 1)
        expect([zipped.cached, plain.cached]).toEqual([expect.stringMatching(/^hit/), expect.stringMatching(/^hit/)]);
    }
  });

  it('compresses once by itself, and gives each coding an entity tag of its own', async () => {
    const site = await cachedSite(
      (_req, res) => {
        res.setHeader('Content-Type', 'text/plain');
        res.end(text);
      },
      { ...kept, compress: true },
      { framework },
    );
    await site.ask('/a');
    const zipped = await site.ask('/a', { 'Accept-Encoding': 'gzip' });
    const plain = await site.ask('/a');
    expect(gunzipSync(zipped.body).toString()).toBe(text);
    expect(zipped.headers).toMatchObject({
      'content-encoding': 'gzip',
      vary: 'Accept-Encoding',
      'content-length': `${zipped.body.length}`,
    });
    expect(plain).toMatchObject({ text, headers: { vary: 'Accept-Encoding' } });
    expect(zipped.headers.etag).not.toBe(plain.headers.etag);
    // The tag of one coding says nothing of the other.
    const tag = zipped.headers.etag ?? '';
    expect((await site.ask('/a', { 'If-None-Match': tag })).status).toBe(200);
    expect((await site.ask('/a', { 'If-None-Match': tag, 'Accept-Encoding': 'gzip' })).status).toBe(304);
    expect(site.runs()).toBe(1);
  });

  it('sends a digest with no other bytes than those that it is of', async () => {
    const site = await cachedSite(
      (_req, res) => {
        res.setHeader('Content-Type', 'text/plain');
        res.setHeader('Content-Digest', 'sha-256=:ofTheText:');
        res.setHeader('Repr-Digest', 'sha-256=:ofTheText:');
        res.end(text);
      },
      { ...kept, compress: true },
      { framework },
    );
    await site.ask('/a');
    const whole = await site.ask('/a', { 'Accept-Encoding': 'gzip' });
    expect(whole).toMatchObject({ text, headers: { 'content-digest': 'sha-256=:ofTheText:' } });
    const part = await site.ask('/a', { Range: 'bytes=0-9' });
    expect(part).toMatchObject({ status: 206, headers: { 'repr-digest': 'sha-256=:ofTheText:' } });
    expect(part.headers['content-digest']).toBeUndefined();
    expect(site.runs()).toBe(1);
  });

  it('says how long it took, if it is asked to', async () => {
    const site = await cachedSite((_req, res) => res.end('text'), { ...kept, serverTiming: true }, { framework });
    expect((await site.ask('/a')).headers['server-timing']).toMatch(/^cache;desc=miss;dur=\d+\.\d\d$/);
    expect((await site.ask('/a')).headers['server-timing']).toMatch(/^cache;desc=hit;dur=\d+\.\d\d$/);
  });

  it('leaves what other middleware says of each request as it is for that request', async () => {
    let count = 0;
    const site = await cachedSite(
      (_req, res) => {
        res.setHeader('X-Made', count);
        res.setHeader('Vary', 'Accept-Language');
        res.end('text');
      },
      kept,
      {
        framework,
        before: [
          cors({ origin: true, credentials: true }),
          helmet(),
          (_req, res, next) => {
            count += 1;
            res.setHeader('X-Request', count);
            next();
          },
        ],
      },
    );
    const one = await site.ask('/a', { Origin: 'https://one.example' });
    const two = await site.ask('/a', { Origin: 'https://one.example' });
    expect([one.headers['x-request'], two.headers['x-request']]).toEqual(['1', '2']);
    expect(two).toMatchObject({
      cached: expect.stringMatching(/^hit/),
      headers: { 'x-made': '1', 'access-control-allow-origin': 'https://one.example' },
    });
    expect(two.headers['content-security-policy']).toBe(one.headers['content-security-policy']);
    const three = await site.ask('/a', { Origin: 'https://two.example' });
    expect(three.headers['access-control-allow-origin']).toBe('https://two.example');
    expect(three.headers.vary).toMatch(/Origin/);
    expect(three.headers.vary).toMatch(/Accept-Language/);
  });
});
