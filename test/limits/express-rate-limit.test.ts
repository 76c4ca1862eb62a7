/** express-rate-limit over our limits: what its users see, and what they do not see any more. */

import express from 'express';
import { rateLimit, type Options, type Store } from 'express-rate-limit';
import request from 'supertest';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { type ExpressRateLimitStore, forExpressRateLimit } from 'hotshelf/limits';
import { memory } from 'hotshelf/memory';
import { chaos, fakeClock } from 'hotshelf/testing';

/** An app as its users write it. */
function site(options: Partial<Options> = {}, given: Parameters<typeof forExpressRateLimit>[1] = {}) {
  const clock = fakeClock({ now: 1_700_000_040_000 });
  const backend = chaos(memory({ clock }), { clock });
  const store = forExpressRateLimit(backend, { clock, ...given });
  const app = express().use(rateLimit({ windowMs: 60_000, limit: 3, standardHeaders: 'draft-8', store, ...options }));
  app.get('/:status', (req, res) => void res.sendStatus(Number(req.params.status)));
  const statuses = async (times: number, path = '/200') => {
    const seen: number[] = [];
    for (let time = 0; time < times; time += 1) seen.push((await request(app).get(path)).status);
    return seen;
  };
  return { app, backend, clock, store, statuses };
}

describe('express-rate-limit with our store', () => {
  it('is served by a store of the shape that it wants', () => {
    expectTypeOf<ExpressRateLimitStore>().toExtend<Store>();
  });

  it('lets pass what its limit allows in any window, and no more around the end of one', async () => {
    const { clock, statuses } = site();
    await clock.advance(50_000);
    expect(await statuses(4)).toEqual([200, 200, 200, 429]);
    await clock.advance(20_000);
    expect(await statuses(2)).toEqual([429, 429]);
    await clock.advance(46_000);
    expect(await statuses(4)).toEqual([200, 200, 200, 429]);
  });

  it('does as it does by itself with fixed windows, and where the limit is a function', async () => {
    for (const made of [site({}, { algorithm: 'fixed-window' }), site({ limit: () => 3 })]) {
      await made.clock.advance(50_000);
      expect(await made.statuses(4)).toEqual([200, 200, 200, 429]);
      await made.clock.advance(10_000);
      expect(await made.statuses(4)).toEqual([200, 200, 200, 429]);
    }
  });

  it('tells the client when to come back', async () => {
    const { app, statuses } = site({ windowMs: 1000 }, { clock: undefined });
    await statuses(3);
    const { headers } = await request(app).get('/200').expect(429);
    expect(headers['ratelimit-policy']).toMatch(/q=3; w=1/);
    expect(Number(headers['retry-after'])).toBeLessThanOrEqual(2);
  });

  it('forgets requests that it is told to skip, and keys that are reset', async () => {
    const { statuses, store } = site({ skipSuccessfulRequests: true, keyGenerator: () => 'k' });
    expect(await statuses(6)).toEqual(Array.from({ length: 6 }, () => 200));
    expect(await statuses(4, '/404')).toEqual([404, 404, 404, 429]);
    expect(await store.get('k')).toMatchObject({ totalHits: 3, resetTime: expect.any(Date) });
    await store.resetKey('k');
    expect(await store.get('k')).toBeUndefined();
    expect(await statuses(1, '/404')).toEqual([404]);
  });

  it('goes on limiting while its backend is down', async () => {
    const { backend, statuses } = site();
    expect(await statuses(1)).toEqual([200]);
    backend.chaos.set({ throws: 1 });
    expect(await statuses(4)).toEqual([200, 200, 429, 429]);
    const open = site({}, { degrade: 'open' });
    open.backend.chaos.set({ throws: 1 });
    expect(await open.statuses(5)).toEqual([200, 200, 200, 200, 200]);
  });

  it('counts apart what has another prefix or another window', async () => {
    const backend = memory();
    const count = async (prefix: string, windowMs: number) => {
      const store = forExpressRateLimit(backend, { prefix });
      store.init({ windowMs, limit: 10 });
      return (await store.increment('k')).totalHits;
    };
    const hits = [];
    for (const [prefix, windowMs] of [
      ['a', 60_000],
      ['b', 60_000],
      ['a', 30_000],
      ['a', 60_000],
    ] as const)
      hits.push(await count(prefix, windowMs));
    expect(hits).toEqual([1, 1, 1, 2]);
  });

  it('refuses bad options, and to count before it knows what', async () => {
    expect(() => forExpressRateLimit(memory(), { prefx: 'a' } as never)).toThrow(/Did you mean `prefix`/);
    expect(() => forExpressRateLimit(memory(), { prefix: '' })).toThrow(/`name`/);
    expect(() => forExpressRateLimit(undefined as never)).toThrow(/`backend`/);
    const store = forExpressRateLimit(memory());
    await expect(store.increment('k')).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    expect(() => store.init({ windowMs: 5, limit: 1 })).toThrow(/windowMs/);
    await expect(store.increment('k')).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });
});
