/** What a client gets on a miss, on a hit, and after the lifetime is over. */

import { describe, expect, it } from 'vitest';
import { cachedSite, frameworks } from './site.ts';

describe.each(frameworks)('on %s', (framework) => {
  it('answers from the cache while the answer is fresh, with its age, and asks the handler again after that', async () => {
    let version = 1;
    const site = await cachedSite(
      (_req, res) => {
        res.setHeader('Cache-Control', 'max-age=60');
        res.end(`version ${version}`);
      },
      {},
      { framework },
    );
    const first = await site.ask('/a');
    expect(first).toMatchObject({ status: 200, text: 'version 1', cached: 'fwd=miss; stored' });
    expect(first.headers.age).toBeUndefined();
    version = 2;
    await site.clock.advance(20_000);
    const second = await site.ask('/a');
    expect(second).toMatchObject({ text: 'version 1', cached: 'hit; ttl=40' });
    expect(second.headers).toMatchObject({ age: '20', etag: first.headers.etag, date: first.headers.date });
    await site.clock.advance(39_999);
    expect((await site.ask('/a')).cached).toBe('hit; ttl=0');
    await site.clock.advance(1);
    expect(await site.ask('/a')).toMatchObject({ text: 'version 2', cached: 'fwd=miss; stored' });
    expect(site.runs()).toBe(2);
  });

  it('keeps nothing unless the handler or the code says for how long', async () => {
    const handler = (_req: unknown, res: { end(text: string): unknown }) => res.end('text');
    const silent = await cachedSite(handler, {}, { framework });
    await silent.ask('/a');
    expect((await silent.ask('/a')).cached).toBe('fwd=miss; detail=no-lifetime');
    expect(silent.runs()).toBe(2);
    const told = await cachedSite(handler, { ttl: '1m' }, { framework });
    await told.ask('/a');
    expect((await told.ask('/a')).cached).toMatch(/^hit; ttl=5[6-9]$/);
    expect(told.runs()).toBe(1);
  });

  it('lets the code decide by the answer, and by the request', async () => {
    const site = await cachedSite(
      (_req, res) => {
        res.setHeader('Content-Type', 'text/plain');
        res.end('text');
      },
      {
        ttl: ({ status, fields }, req) => {
          if (status !== 200 || fields['content-type'] !== 'text/plain') throw new Error('not what was answered');
          return req.url === '/short' ? 1000 : req.url === '/long' ? '1m' : undefined;
        },
      },
      { framework },
    );
    for (const path of ['/short', '/long', '/never']) await site.ask(path);
    await site.clock.advance(1000);
    const later = [await site.ask('/short'), await site.ask('/long'), await site.ask('/never')];
    expect(later.map(({ cached }) => cached.replace(/\d+/, 'n'))).toEqual([
      'fwd=miss; stored',
      'hit; ttl=n',
      'fwd=miss; detail=no-lifetime',
    ]);
  });

  it('gives answers of their own to paths, declared parameters and hosts, and passes other parameters by', async () => {
    const site = await cachedSite(
      (req, res) => res.end(`${req.headers.host} ${req.url}`),
      { ttl: '1m', query: ['a', 'b'] },
      { framework },
    );
    const asked: [string, string][] = [
      ['/x', 'one.example'],
      ['/x', 'two.example'],
      ['/X', 'one.example'],
      ['/x?a=1', 'one.example'],
      ['/x?a=2', 'one.example'],
      ['/x?a=1&b=2', 'one.example'],
    ];
    for (const turn of ['fwd=miss; stored', expect.stringMatching(/^hit/)]) {
      for (const [path, Host] of asked) {
        expect(await site.ask(path, { Host })).toMatchObject({ text: `${Host} ${path}`, cached: turn });
      }
    }
    // The order of parameters is none of the answer's business.
    expect((await site.ask('/x?b=2&a=1', { Host: 'one.example' })).text).toBe('one.example /x?a=1&b=2');
    expect((await site.ask('/x?c=1', { Host: 'one.example' })).cached).toBe('fwd=bypass; detail=query');
  });
});
