/** Clients that are slow, or go away in the middle: memory returns, nothing cut off is kept, nobody listens any more. */

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { createCache } from 'hotshelf';
import { cacheResponses } from 'hotshelf/express';
import { memory } from 'hotshelf/memory';
import { expect, it, onTestFinished } from 'vitest';
import { until } from '../../kit/wait.ts';
import { collectGarbage } from '../capture/garbage.ts';
import { type Framework, type Handler, start } from './site.ts';

const pageBytes = 200_000;
const page = Buffer.alloc(pageBytes, 'text of the page ');
const maxBodyBytes = 400_000;
const chunkBytes = 20_000;
/** More than the sockets of both sides take. */
const longBytes = 40 * pageBytes;
/** It is full before the measurement begins. */
const storeBytes = 20_000_000;

/** Resolves when more may be written, or nothing any more. */
function drained(res: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      res.removeListener('drain', go).removeListener('close', go);
      resolve();
    };
    res.on('drain', go).on('close', go);
  });
}

/** Writes the page as fast as it may, with a pause in the middle in which clients go. */
async function stream(res: ServerResponse): Promise<void> {
  for (let at = 0; at < pageBytes; at += chunkBytes) {
    if (res.destroyed) return;
    if (!res.write(page.subarray(at, at + chunkBytes))) await drained(res);
    if (at === pageBytes / 2) await new Promise((resolve) => setTimeout(resolve, 2));
  }
  res.end();
}

async function siteOf(framework: Framework, handler: Handler, most = maxBodyBytes) {
  const cache = createCache({ backend: memory({ maxBytes: Math.max(storeBytes, 5 * most) }) });
  onTestFinished(() => cache.close());
  const responses = new Set<WeakRef<ServerResponse>>();
  const listeners: number[] = [];
  const note: Handler = (_req, res, next) => {
    const before = res.listenerCount('close');
    responses.add(new WeakRef(res));
    res.once('close', () => setImmediate(() => listeners.push(res.listenerCount('close') - before)));
    next();
  };
  const middle = cacheResponses({ cache, ttl: '1m', query: ['n'], maxBodyBytes: most });
  const site = await start({ framework, before: [note], middle, handler });
  return { ...site, cache, responses, listeners };
}

/** Begins a download, and goes away when `enough` bytes have come. */
async function abort(port: number, path: string, enough: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  let bytes = 0;
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > enough) socket.resetAndDestroy();
  });
  socket.write(`GET ${path} HTTP/1.1\r\nHost: site.example\r\n\r\n`);
  if (enough === 0) socket.resetAndDestroy();
  await once(socket, 'close');
}

async function usedMegabytes(): Promise<number> {
  for (let turn = 0; turn < 4; turn += 1) {
    await new Promise(setImmediate);
    collectGarbage();
  }
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return (heapUsed + Math.max(external, arrayBuffers)) / 1_048_576;
}

async function abortMany(port: number, count: number): Promise<void> {
  let next = 0;
  const one = async () => {
    while (next < count) {
      next += 1;
      // Half of them wait for the answer of another one.
      await abort(port, `/page?n=${Math.floor(next / 2)}`, (next * 7919) % (pageBytes * 0.7));
    }
  };
  await Promise.all(Array.from({ length: 40 }, one));
}

it(
  '10,000 aborted downloads leave no memory, no listener and no half of an answer behind',
  { timeout: 720_000 },
  async () => {
    const site = await siteOf('Express 5', (_req, res) => stream(res));
    await abortMany(site.port, 500);
    const before = await usedMegabytes();
    await abortMany(site.port, 10_000);
    await until(() => site.listeners.length === site.responses.size, {
      what: 'all responses to close',
      within: 180_000,
    });
    const after = await usedMegabytes();
    const alive = [...site.responses].filter((each) => each.deref() !== undefined).length;
    expect(Math.max(...site.listeners)).toBeLessThanOrEqual(0);
    expect(alive).toBeLessThan(100);
    // Were the half of each answer kept, it would be about a thousand.
    expect(after - before).toBeLessThan(60);
    for (let n = 0; n < 5000; n += 50) {
      const { status, body } = await site.ask(`/page?n=${n}`);
      expect([status, body.equals(page)]).toEqual([200, true]);
    }
  },
);

it('notices answers that are not let go (control)', { timeout: 180_000 }, async () => {
  const hoard: IncomingMessage[] = [];
  const site = await siteOf('Express 5', (req, res) => {
    hoard.push(req);
    return stream(res);
  });
  await abortMany(site.port, 300);
  await usedMegabytes();
  expect([...site.responses].filter((each) => each.deref() !== undefined).length).toBeGreaterThan(100);
});

it('a client that does not read holds up neither the handler nor those who wait for its answer', async () => {
  for (const framework of ['Express 5', 'Express 4', 'node:http'] as const) {
    let runs = 0;
    let done = 0;
    const handler: Handler = async (_req, res) => {
      runs += 1;
      for (let at = 0; at < longBytes; at += page.length) if (!res.write(page)) await drained(res);
      res.end();
      done += 1;
    };
    const site = await siteOf(framework, handler, 2 * longBytes);
    const slow: Socket = connect(site.port, '127.0.0.1');
    slow.pause();
    slow.write('GET /page HTTP/1.1\r\nHost: site.example\r\n\r\n');
    await until(() => runs === 1, { what: 'the slow client' });
    const { body, status } = await site.ask('/page');
    expect([status, body.length, runs, done]).toEqual([200, longBytes, 1, 1]);
    slow.destroy();
  }
});

it('what is too long to be kept is held up by a client that does not read', async () => {
  let written = 0;
  const site = await siteOf('Express 5', async (_req, res) => {
    for (; written < 100_000_000 && !res.destroyed; written += chunkBytes) {
      if (!res.write(page.subarray(0, chunkBytes))) await drained(res);
    }
    res.end();
  });
  const slow = connect(site.port, '127.0.0.1');
  slow.pause();
  slow.write('GET /page HTTP/1.1\r\nHost: site.example\r\n\r\n');
  let last = -1;
  await until(
    () => {
      const stands = written === last && written > maxBodyBytes;
      last = written;
      return stands;
    },
    { what: 'the handler to wait', every: 200 },
  );
  // What the sockets of both sides take, and what was kept before it was too much.
  expect(written).toBeLessThan(20_000_000);
  slow.destroy();
});
