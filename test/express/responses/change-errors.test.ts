/** What becomes of the answer of a write when it cannot be said what it changed, or when the backend does not confirm. */

import { createCache } from 'hotshelf';
import { cacheResponses, invalidateAfter, type InvalidateAfterOptions } from 'hotshelf/express';
import { memory } from 'hotshelf/memory';
import { chaos } from 'hotshelf/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { frameworks, type Handler, listenerOf, serve, stillCache } from './site.ts';

type Functions = Omit<InvalidateAfterOptions, 'cache'>;

const broken: [string, Functions][] = [
  [
    'a function of the tags that throws',
    {
      tags: () => {
        throw new Error('of the function');
      },
    },
  ],
  [
    'a function of the keys that throws',
    {
      keys: () => {
        throw new Error('of the function');
      },
    },
  ],
  ['tags that are none', { tags: () => [['a', Number.NaN]] }],
  ['keys that are none', { keys: () => [[]] }],
  ['a key that is a function', { keys: () => [(() => 1) as unknown as string] }],
  ['no list of tags', { tags: () => undefined as unknown as string[] }],
];

const writes: [string, Handler][] = [
  ['in one piece', (_req, res) => res.setHeader('X-Secret', 'a').end('done')],
  ['in pieces', (_req, res) => (res.writeHead(201, { 'X-Secret': 'a' }), res.write('do'), res.end('ne'))],
];

describe.each(frameworks)('on %s', (framework) => {
  describe.each(broken)('with %s', (_, functions) => {
    it.each(writes)('the error goes to the error handlers, and nothing of an answer %s is sent', async (__, write) => {
      const { cache } = stillCache();
      const failures: unknown[] = [];
      const after = invalidateAfter({ cache, ...functions });
      const outer: Handler = (req, res, next) =>
        void after(req, res, (error) => {
          // Only plain `node:http` has no error handlers of its own.
          if (error !== undefined) failures.push(error);
          next(error);
        });
      const site = await serve(listenerOf(framework, [outer, write]));
      const answer = await site.ask('/page', {}, { method: 'POST' });
      expect(answer.status).toBe(500);
      expect(answer.headers['x-secret']).toBeUndefined();
      expect(answer.text).not.toContain('done');
      expect(failures).toHaveLength(1);
      // The connection goes on.
      expect((await site.ask('/page', {}, { method: 'POST' })).status).toBe(500);
    });
  });

  it('the answer is sent when the backend does not confirm, and the cache goes on trying', async () => {
    const backend = chaos(memory());
    const cache = createCache({ backend });
    onTestFinished(() => cache.close());
    const events: string[] = [];
    cache.on(({ type }) => events.push(type));
    await cache.set('page', 1);
    const site = await serve(
      listenerOf(framework, [invalidateAfter({ cache, keys: ['page'] }) as Handler, (_req, res) => res.end('done')]),
    );
    backend.chaos.set({ throws: 1 });
    expect(await site.ask('/page', {}, { method: 'POST' })).toMatchObject({ status: 200, text: 'done' });
    expect(events).toContain('unconfirmed');
    // Meanwhile this process reads from the origin.
    backend.chaos.set({ throws: 0 });
    expect(await cache.get('page', () => 2)).toBe(2);
  });

  it('the handler answers when the cache is closed already', async () => {
    const { cache } = stillCache();
    const steps = [
      cacheResponses({ cache, ttl: '1m' }),
      invalidateAfter({ cache, tags: ['a'] }) as Handler,
      writes[0]?.[1],
    ];
    const site = await serve(listenerOf(framework, steps as Handler[]));
    await cache.close();
    for (const method of ['GET', 'PUT']) {
      expect(await site.ask('/page', {}, { method })).toMatchObject({ status: 200, text: 'done' });
    }
  });
});
