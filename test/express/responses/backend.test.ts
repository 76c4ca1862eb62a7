/** A backend that hangs, is gone, or brings garbage: the handler answers, in time, and the answer says why. */

import { connect, createCache } from 'hotshelf';
import { cacheResponses } from 'hotshelf/express';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startMemcached, startRedis } from '../../kit/servers.ts';
import { until } from '../../kit/wait.ts';
import { type Handler, start } from './site.ts';

/** The guard gives a command 250 ms at the most; the rest is for a machine that others use too. */
const soonMs = 1500;
const text = 'text of the page '.repeat(100);

async function siteOver(url: string) {
  const backend = await connect(url);
  const cache = createCache({ backend });
  onTestFinished(async () => {
    await cache.close();
    await backend.close();
  });
  let runs = 0;
  const handler: Handler = (_req, res) => {
    runs += 1;
    res.setHeader('X-Run', runs);
    res.end(text);
  };
  return start({ middle: cacheResponses({ cache, ttl: '1m' }), handler });
}

describe.each([
  ['Redis', startRedis],
  ['Memcached', startMemcached],
] as const)('over %s', (_, startServer) => {
  it.each(['hangs', 'is gone'])(
    'the handler answers while the server %s, and the cache when it is back',
    async (how) => {
      const server = await startServer();
      onTestFinished(() => server.stop());
      const site = await siteOver(server.url);
      await site.ask('/a');
      await until(async () => (await site.ask('/a')).cached.startsWith('hit'), { what: 'a hit' });
      await (how === 'hangs' ? server.pause() : server.kill());
      for (const path of ['/a', '/a', '/new', '/new']) {
        const startedAt = performance.now();
        const answer = await site.ask(path);
        expect(answer).toMatchObject({ status: 200, text, cached: 'fwd=bypass; detail=backend' });
        expect(performance.now() - startedAt).toBeLessThan(soonMs);
      }
      for (const [fields, method] of [
        [{}, 'HEAD'],
        [{ Range: 'bytes=0-3' }, 'GET'],
      ] as const) {
        const answer = await site.ask('/a', fields, { method });
        expect(answer).toMatchObject({ status: 200, cached: 'fwd=bypass; detail=backend' });
      }
      // Those who ask at the same time share one answer, or have their own; all have the right one.
      for (const answer of await Promise.all([1, 2, 3, 4, 5].map(() => site.ask('/many')))) {
        expect(answer).toMatchObject({ status: 200, text });
      }
      const change = await site.ask('/a', {}, { method: 'PUT' });
      expect(change).toMatchObject({ status: 200, text });
      if (how === 'hangs') server.resume();
      else await server.restart();
      await until(async () => (await site.ask('/a')).cached.startsWith('hit'), { what: 'a hit after it is back' });
    },
  );
});

it('takes damaged bytes for nothing', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const site = await siteOver(server.url);
  const keys = async (): Promise<string[]> => ((await server.cli('KEYS', '*page*')) as unknown[]).map(String);
  let misses = 0;
  for (let at = 8; at < 400; at += 7) {
    await site.ask('/page');
    await until(async () => (await site.ask('/page')).cached.startsWith('hit'), { what: 'a hit' });
    for (const key of await keys()) await server.cli('SETRANGE', key, at, '\u0007\u0007\u0007');
    const answer = await site.ask('/page');
    expect(answer).toMatchObject({ status: 200, text });
    if (!answer.cached.startsWith('hit')) misses += 1;
  }
  // All of it is under the checksum.
  expect(misses).toBe(56);
});
