/** Header fields that nobody should send: the answer is the handler's, or uncached, and never an error of the cache. */

import { describe, expect, it } from 'vitest';
import { cachedSite, frameworks } from './site.ts';

const fat = 'x'.repeat(100_000);
const commas = ','.repeat(100_000);

const answers: [string, Record<string, string | string[]>][] = [
  ['a Cache-Control of nothing but commas', { 'Cache-Control': commas }],
  ['a Cache-Control of 100 KB', { 'Cache-Control': `max-age=60, ${fat}` }],
  ['an open quote', { 'Cache-Control': 'max-age="60, private' }],
  ['a negative lifetime', { 'Cache-Control': 'max-age=-1' }],
  ['a lifetime that is no number', { 'Cache-Control': 'max-age=soon' }],
  ['an endless lifetime', { 'Cache-Control': `max-age=${'9'.repeat(400)}` }],
  ['two lifetimes', { 'Cache-Control': ['max-age=60', 'max-age=0'] }],
  ['a broken CDN-Cache-Control', { 'CDN-Cache-Control': '=;=,"', 'Cache-Control': 'max-age=60' }],
  ['an Expires of 0', { Expires: '0' }],
  ['an Expires of 100 KB', { Expires: fat }],
  ['a Date that is none', { Date: 'yesterday', 'Cache-Control': 'max-age=60' }],
  ['a Last-Modified that is none', { 'Last-Modified': '-1', 'Cache-Control': 'max-age=60' }],
  ['an Age that is none', { Age: 'old', 'Cache-Control': 'max-age=60' }],
  ['a negative Age', { Age: '-5', 'Cache-Control': 'max-age=60' }],
  ['an ETag without quotes', { ETag: 'abc', 'Cache-Control': 'max-age=60' }],
  ['an empty ETag', { ETag: '', 'Cache-Control': 'max-age=60' }],
  ['an ETag of 100 KB', { ETag: `"${fat}"`, 'Cache-Control': 'max-age=60' }],
  ['a Vary of commas', { Vary: commas, 'Cache-Control': 'max-age=60' }],
  [
    'a Vary of 10,000 names',
    { Vary: Array.from({ length: 10_000 }, (_, at) => `x-${at}`).join(), 'Cache-Control': 'max-age=60' },
  ],
  ['a Vary that is no name', { Vary: 'a b;c', 'Cache-Control': 'max-age=60' }],
  ['a Vary of a name of objects', { Vary: '__proto__, constructor', 'Cache-Control': 'max-age=60' }],
  ['a field with a name of objects', { __proto: 'a', constructor: 'b', 'Cache-Control': 'max-age=60' }],
  ['a broken Cache-Status', { 'Cache-Status': '";', 'Cache-Control': 'max-age=60' }],
  ['broken groups', { 'Cache-Groups': '"a', 'Cache-Control': 'max-age=60' }],
  ['a Connection that names much', { Connection: 'close, cache-control, etag', 'Cache-Control': 'max-age=60' }],
];

const requests: [string, Record<string, string | string[]>][] = [
  ['a Range of commas', { Range: `bytes=${commas}` }],
  ['a Range of 100 KB of ranges', { Range: `bytes=${'0-1,'.repeat(20_000)}` }],
  ['a Range with numbers without end', { Range: `bytes=${'9'.repeat(1000)}-${'9'.repeat(2000)}` }],
  ['a backward Range', { Range: 'bytes=5-1' }],
  ['a Range of nothing', { Range: '' }],
  ['an If-None-Match of 100 KB', { 'If-None-Match': `"${fat}"` }],
  ['an open If-None-Match', { 'If-None-Match': '"' }],
  ['an If-Modified-Since that is no date', { 'If-Modified-Since': 'never' }],
  ['an If-Modified-Since of 100 KB', { 'If-Modified-Since': fat }],
  ['an If-Range that is nothing', { Range: 'bytes=0-1', 'If-Range': '"' }],
  ['a Cache-Control of commas', { 'Cache-Control': commas }],
  ['a Cache-Control of quotes', { 'Cache-Control': '"'.repeat(99_999) }],
  ['an Accept-Encoding of commas', { 'Accept-Encoding': commas }],
  ['an Accept-Encoding of 100 KB', { 'Accept-Encoding': 'gzip;q=0.'.repeat(11_000) }],
  ['a Host of 100 KB', { Host: fat }],
  ['a Host that is none', { Host: 'a b' }],
  ['a Forwarded of 100 KB', { Forwarded: 'for=a;'.repeat(16_000) }],
  ['a Forwarded of quotes', { Forwarded: '"'.repeat(100_000) }],
  ['a Cookie of 100 KB', { Cookie: fat }],
  ['a Content-Length of 0', { 'Content-Length': '0' }],
  ['a field with a name of objects', { __proto__x: 'a', constructor: 'b', 'has-own-property': 'c' }],
];

/** Slower than linear work on 100 KB would take far longer, on the slowest machine. */
const soonMs = 10_000;

describe.each(frameworks)('on %s', (framework) => {
  it.each(answers)('an answer with %s arrives as it is', async (_, fields) => {
    const site = await cachedSite(
      (_req, res) => {
        for (const [name, value] of Object.entries(fields)) res.setHeader(name, value);
        res.end('text');
      },
      {},
      { framework },
    );
    const startedAt = performance.now();
    for (let time = 0; time < 3; time += 1) {
      const answer = await site.ask('/a', { Connection: 'keep-alive' });
      expect(answer).toMatchObject({ status: 200, text: 'text' });
      if (fields['ETag'] !== undefined && fields['ETag'] !== '') expect(answer.headers.etag).toBe(fields['ETag']);
    }
    expect(performance.now() - startedAt).toBeLessThan(soonMs);
  });

  it.each(requests)('a request with %s gets an answer', async (_, fields) => {
    const site = await cachedSite(
      (_req, res) => {
        res.setHeader('Vary', 'Accept-Encoding, Accept-Language');
        res.setHeader('Content-Type', 'text/plain');
        res.end('text '.repeat(1000));
      },
      { ttl: '1m', requestDirectives: true, compress: true },
      // Compressing takes a while, and requests that want no stored answer wait for it.
      { framework, time: 'real' },
      { maxHeaderSize: 1_048_576 },
    );
    const startedAt = performance.now();
    for (let time = 0; time < 3; time += 1) {
      const answer = await site.ask('/a', fields);
      expect([200, 206, 304, 416]).toContain(answer.status);
    }
    expect((await site.ask('/a', { Host: 'site.example' })).text).toBe('text '.repeat(1000));
    expect(performance.now() - startedAt).toBeLessThan(soonMs);
  });
});
