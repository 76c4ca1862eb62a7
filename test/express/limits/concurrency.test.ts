/** Requests at the same time: how many are served, who waits, and what the others are told. */

import { createRequire } from 'node:module';
import express5, { type Request, type Response } from 'express';
import request from 'supertest';
import { describe, expect, it, onTestFinished } from 'vitest';
import { memory } from 'hotshelf/memory';
import { chaos, fakeClock } from 'hotshelf/testing';
import { LoopDelay } from '../../../src/express/limits/concurrency-delay.ts';
import { PlaceQueue } from '../../../src/express/limits/concurrency-queue.ts';
import { concurrency } from '../../../src/express/limits/concurrency.ts';
import { type Held, Places } from '../../../src/limits/places.ts';
import type { ConcurrencyOptions } from '../../../src/express/limits/concurrency-options.ts';
import { sleep, until } from '../../kit/wait.ts';

const express4: typeof express5 = createRequire(import.meta.url)('express4');

type Given = Partial<ConcurrencyOptions<Request>>;

/** Servers that share a backend, whose handlers answer when the test says so. */
function site(options: Given = {}, { servers = 1, express = express5 } = {}) {
  const backend = chaos(memory());
  const working: Response[] = [];
  const addresses = Array.from({ length: servers }, () => {
    const app = express().use(concurrency<Request>({ backend, name: 'work', max: 2, ...options }));
    app.use((_req, res) => void working.push(res));
    const server = app.listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    return { server, port: () => (server.address() as { port: number }).port };
  });
  const get = (server = 0, init?: RequestInit) => fetch(`http://127.0.0.1:${addresses[server]?.port()}/`, init);
  const atWork = (count: number) =>
    until(() => working.filter((res) => !res.writableEnded && !res.closed).length === count, {
      what: `${count} at work`,
    });
  const finish = () => working.find((res) => !res.writableEnded && !res.closed)?.end('done');
  const listening = until(() => addresses.every(({ server }) => server.listening), { what: 'servers' });
  return { backend, get, atWork, finish, listening, working };
}

async function statusOf(response: Promise<globalThis.Response>): Promise<number> {
  return (await response).status;
}

describe.each([
  ['Express 5', express5],
  ['Express 4', express4],
] as const)('concurrency in %s', (_name, express) => {
  it('serves so many at once over all servers, and refuses the next with a problem', async () => {
    const { get, atWork, finish, listening } = site({}, { servers: 2, express });
    await listening;
    const served = [get(0), get(1)];
    await atWork(2);
    const refused = await get(1);
    expect(refused.status).toBe(429);
    expect(Object.fromEntries(refused.headers)).toMatchObject({
      'ratelimit-policy': '"work";q=2;qu="concurrent-requests"',
      'retry-after': '1',
      'content-type': 'application/problem+json',
    });
    expect(await refused.json()).toMatchObject({ status: 429, 'violated-policies': ['work'] });
    finish();
    await until(async () => (await Promise.race(served)).status === 200, { what: 'the first answer' });
    await atWork(1);
    served.push(get(0));
    await atWork(2);
    finish();
    finish();
    expect(await Promise.all(served.map(statusOf))).toEqual([200, 200, 200]);
  });

  it('frees the place of a client that leaves', async () => {
    const { get, atWork, finish, listening } = site({ max: 1 }, { express });
    await listening;
    const leaving = new AbortController();
    const left = get(0, { signal: leaving.signal }).catch(() => 'left');
    await atWork(1);
    leaving.abort();
    expect(await left).toBe('left');
    await atWork(0);
    const next = get();
    await atWork(1);
    finish();
    expect(await statusOf(next)).toBe(200);
  });
});

describe('concurrency', () => {
  it('counts each key by itself, and not whom it lets pass', async () => {
    const key = (req: Request) => req.get('x-user');
    const { get, atWork, finish, listening } = site({ max: 1, key, allow: (req) => req.get('x-user') === 'root' });
    await listening;
    const served = ['a', 'b', 'root', 'root'].map((user) => get(0, { headers: { 'x-user': user } }));
    await atWork(4);
    expect(await statusOf(get(0, { headers: { 'x-user': 'a' } }))).toBe(429);
    for (let time = 0; time < 4; time += 1) finish();
    expect(await Promise.all(served.map(statusOf))).toEqual([200, 200, 200, 200]);
  });

  it('lets so many wait in line, in the order in which they came', async () => {
    const { get, atWork, finish, listening, working } = site({ max: 1, queue: { size: 2, wait: '20s' } });
    await listening;
    const order: number[] = [];
    const all = [];
    for (let number = 0; number < 3; number += 1) {
      all.push(get(0, { headers: { 'x-number': `${number}` } }).then(() => order.push(number)));
      if (number === 0) await atWork(1);
      else await sleep(30);
    }
    const late = get();
    expect(await statusOf(late)).toBe(429);
    for (let number = 1; number <= 3; number += 1) {
      await until(() => working.length === number, { what: `request ${number}` });
      expect(working.at(-1)?.req.get('x-number')).toBe(`${number - 1}`);
      finish();
    }
    await Promise.all(all);
    expect(order).toEqual([0, 1, 2]);
  });

  it('refuses who has waited too long, and gives a place that another server released to who waits', async () => {
    const { get, atWork, finish, listening } = site({ max: 1, queue: { size: 5, wait: '400ms' } }, { servers: 2 });
    await listening;
    const first = get(0);
    await atWork(1);
    expect(await statusOf(get(1))).toBe(429);
    const waiting = get(1);
    await sleep(50);
    finish();
    await first;
    await atWork(1);
    finish();
    expect(await statusOf(waiting)).toBe(200);
  });

  it('does not serve who has left the line', async () => {
    let arrived = 0;
    const key = () => {
      arrived += 1;
      return 'all';
    };
    const { get, atWork, finish, listening, working } = site({ max: 1, queue: { size: 1, wait: '20s' }, key });
    await listening;
    const first = get();
    await atWork(1);
    const leaving = new AbortController();
    const left = get(0, { signal: leaving.signal }).catch(() => 'left');
    await until(() => arrived === 2, { what: 'who will leave' });
    expect(await statusOf(get())).toBe(429);
    leaving.abort();
    await left;
    const next = await until(
      async () => {
        const answer = statusOf(get());
        // Who is not refused at once has found room in the line.
        return (await Promise.race([answer, sleep(300)])) === 429 ? undefined : { answer };
      },
      { what: 'room in the line' },
    );
    finish();
    await first;
    await until(() => working.length === 2, { what: 'who waits' });
    finish();
    expect(await next.answer).toBe(200);
    expect(working).toHaveLength(2);
  });

  it('does not serve who has left while the store was asked', async () => {
    let arrived = 0;
    const key = () => {
      arrived += 1;
      return 'all';
    };
    const { backend, get, finish, listening, working } = site({ max: 1, key });
    await listening;
    backend.chaos.set({ delayMs: [40, 40] });
    const leaving = new AbortController();
    const left = get(0, { signal: leaving.signal }).catch(() => 'left');
    await until(() => arrived === 1, { what: 'who will leave' });
    leaving.abort();
    await left;
    backend.chaos.set({ delayMs: [0, 0] });
    const next = await until(
      async () => {
        const answer = statusOf(get());
        return (await Promise.race([answer, sleep(300)])) === 429 ? undefined : { answer };
      },
      { what: 'the place of who left' },
    );
    expect(working).toHaveLength(1);
    finish();
    expect(await next.answer).toBe(200);
  });

  it.each([
    ['local', [200, 429]],
    ['open', [200, 200]],
    ['closed', [503, 503]],
  ] as const)('goes on without its store: %s', async (degrade, statuses) => {
    const { backend, get, atWork, finish, listening } = site({ degrade, instances: 2 });
    await listening;
    backend.chaos.set({ throws: 1 });
    const served: Promise<number>[] = [];
    for (const status of statuses) {
      const answer = statusOf(get());
      if (status === 200) await atWork(served.push(answer));
      else expect(await answer).toBe(status);
    }
    for (const _answer of served) finish();
    expect(new Set(await Promise.all(served)).size).toBeLessThanOrEqual(1);
  });

  it('gives out fewer places while answers are slow, and says that it is not the fault of the client', async () => {
    const { get, atWork, finish, listening } = site({ max: 4, adaptive: { min: 1, latency: '1ms' } });
    await listening;
    for (let time = 0; time < 20; time += 1) {
      const answer = get();
      await atWork(1);
      await sleep(5);
      finish();
      await answer;
    }
    const held = get();
    await atWork(1);
    expect(await statusOf(get())).toBe(503);
    finish();
    await held;
  });

  it('refuses everything while the event loop is late', async () => {
    const app = express5()
      .use(concurrency({ backend: memory(), name: 'work', max: 100, shed: '50ms' }))
      .use((_req, res) => void res.send('ok'));
    await request(app).get('/').expect(200);
    const busyUntil = performance.now() + 1200;
    const status = until(async () => (await request(app).get('/')).status === 503, { what: 'a refusal', every: 1 });
    const work = () => {
      const end = performance.now() + 200;
      while (performance.now() < end);
      if (performance.now() < busyUntil) setImmediate(work);
    };
    work();
    await status;
    await until(async () => (await request(app).get('/')).status === 200, { what: 'to be served again' });
  });

  it.each([
    [{ max: 0 }, /`max`/],
    [{ max: 1.5 }, /`max`/],
    [{ max: 1001 }, /`max`/],
    [{ name: '' }, /`name`/],
    [{ name: 'ä' }, /`name`/],
    [{ lease: '10ms' }, /`lease`/],
    [{ queue: { size: 0 } }, /`queue.size`/],
    [{ queue: { size: 1, wait: -1 } }, /`queue.wait`/],
    [{ adaptive: { min: 3 } }, /`adaptive.min`/],
    [{ adaptive: 1 }, /`adaptive`/],
    [{ shed: 0 }, /`shed`/],
    [{ degrade: 'no' }, /`degrade`/],
    [{ instances: 0 }, /`instances`/],
    [{ key: 'ip' }, /`key`/],
    [{ backend: undefined }, /`backend`/],
    [{ backend: { name: 'none' } }, /has no values/],
    [{ maximum: 1 }, /no option `maximum`/],
  ])('refuses the options %j', (options, message) => {
    expect(() => concurrency({ backend: memory(), name: 'work', max: 2, ...options } as never)).toThrow(message);
  });
});

describe('a line for places', () => {
  const line = (clock: ReturnType<typeof fakeClock>) => {
    const { values } = memory({ clock });
    let asked = 0;
    const counted = new Proxy(values, {
      get(target, name) {
        if (name === 'add') asked += 1;
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const places = new Places({ values: counted, clock, leaseMs: 30_000, instances: 1, whenDown: 'closed' });
    const queue = new PlaceQueue({ places, clock, size: 100, waitMs: 60_000, max: () => 1 });
    return { queue, asked: () => asked };
  };

  it('hands a place on without asking the store, and lets it go in time for other processes', async () => {
    const clock = fakeClock();
    const { queue, asked } = line(clock);
    const mine: Held[] = [];
    for (let number = 0; number < 20; number += 1) {
      void queue.take('a', () => undefined).then((place) => typeof place === 'object' && mine.push(place));
      await clock.advance(0);
    }
    const before = asked();
    const turns: number[] = [];
    for (let number = 0; number < 20; number += 1) {
      await clock.advance(0);
      if (mine.length === number) {
        turns.push(number);
        await clock.advance(60);
      }
      mine[number]?.release();
    }
    expect(mine).toHaveLength(20);
    expect(turns).toEqual([17]);
    expect(asked() - before).toBeLessThan(5);
  });
});

describe('the delay of the event loop', () => {
  const measured = () => {
    const clock = fakeClock();
    const histogram = { mean: 0, count: 0, reset: () => Object.assign(histogram, { mean: 0, count: 0 }) };
    return { clock, histogram, delay: new LoopDelay(clock, histogram) };
  };

  it('is the mean of the last quarters of a second, without the pause between two looks', async () => {
    const { clock, histogram, delay } = measured();
    Object.assign(histogram, { mean: 130e6, count: 2 });
    expect(delay.meanMs()).toBe(0);
    await clock.advance(250);
    expect(delay.meanMs()).toBe(120);
    expect(delay.meanMs()).toBe(120);
    Object.assign(histogram, { mean: 10.1e6, count: 25 });
    await clock.advance(250);
    expect(delay.meanMs()).toBeCloseTo(0.1);
  });

  it('stays what it was while the loop stands still, and is nothing after a long quiet time', async () => {
    const { clock, histogram, delay } = measured();
    Object.assign(histogram, { mean: 310e6, count: 1 });
    await clock.advance(300);
    expect(delay.meanMs()).toBe(300);
    await clock.advance(300);
    expect(delay.meanMs()).toBe(300);
    Object.assign(histogram, { mean: 40e6, count: 5000 });
    await clock.advance(60_000);
    expect(delay.meanMs()).toBe(0);
    Object.assign(histogram, { mean: 2010e6, count: 1 });
    await clock.advance(2000);
    expect(delay.meanMs()).toBe(2000);
  });
});
