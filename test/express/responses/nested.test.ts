/** Caches in the way of caches: none waits for another one, and each keeps what it may. */

import { cacheResponses } from 'hotshelf/express';
import { describe, expect, it } from 'vitest';
import { until } from '../../kit/wait.ts';
import { frameworks, type Handler, start, stillCache } from './site.ts';

describe.each(frameworks)('on %s', (framework) => {
  it.each([
    ['the same middleware', true],
    ['another one of the same name', false],
  ])('a request that meets %s twice does not wait for itself', async (_, isSame) => {
    const { cache, clock } = stillCache();
    const first = cacheResponses({ cache, ttl: '1m', swr: '1m' });
    const second = isSame ? first : cacheResponses({ cache, ttl: '1m', swr: '1m' });
    let runs = 0;
    const handler: Handler = (_req, res) => {
      runs += 1;
      res.end(`run ${runs}`);
    };
    // Nobody would wake it: the clock stands still.
    const site = await start({ framework, before: [first], middle: second, handler });
    expect(await site.ask('/a')).toMatchObject({ text: 'run 1', cached: 'fwd=miss; stored' });
    expect(await site.ask('/a')).toMatchObject({ text: 'run 1', cached: expect.stringMatching(/^hit/) });
    await clock.advance(61_000);
    expect((await site.ask('/a')).text).toBe('run 1');
    await until(async () => (await site.ask('/a')).text === 'run 2', { what: 'the answer that was made behind' });
    const answers = await Promise.all([1, 2, 3].map(() => site.ask('/b')));
    expect(answers.map(({ text }) => text)).toEqual(['run 3', 'run 3', 'run 3']);
  });

  it('a cache for all keeps nothing of one for each', async () => {
    const { cache } = stillCache();
    const forAll = cacheResponses({ cache, ttl: '1m', name: 'all' });
    const forEach = cacheResponses({ cache, ttl: '1m', per: (req) => req.headers.cookie });
    const handler: Handler = (req, res) => res.end(req.headers.cookie);
    const site = await start({ framework, before: [forAll], middle: forEach, handler });
    for (const user of ['ann', 'bob', 'ann', 'bob']) {
      expect((await site.ask('/a', { Cookie: user })).text).toBe(user);
    }
  });
});
