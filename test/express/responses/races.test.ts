/** Readers and writers at random: who has the answer of a write gets nothing from before it, from then on. */

import { createCache } from 'hotshelf';
import { cacheResponses, invalidateAfter } from 'hotshelf/express';
import { memory } from 'hotshelf/memory';
import { chaos } from 'hotshelf/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { seededRandom } from '../../kit/random.ts';
import { sleep } from '../../kit/wait.ts';
import { type Handler, listenerOf, serve, type Site } from './site.ts';

const seed = Date.now() % 1_000_000;
const pages = ['/p/0', '/p/1', '/varied/0', '/tagged/0'];

/** A middleware for the reads, and one for the writes. */
interface Subject {
  readonly name: string;
  readonly make: () => { readonly read: Handler; readonly write: Handler };
}

const hotshelf: Subject = {
  name: 'cacheResponses and invalidateAfter',
  make() {
    // As over a network, where commands overtake each other.
    const cache = createCache({ backend: chaos(memory(), { delayMs: [0, 4], seed }) });
    onTestFinished(() => cache.close());
    const read = cacheResponses({
      cache,
      ttl: '1m',
      swr: '1m',
      tags: (req) => (req.url?.startsWith('/tagged') === true ? [['tagged', req.url]] : []),
    });
    const tagged = invalidateAfter({ cache, tags: (req) => [['tagged', req.url?.replace('/write', '')]] });
    return {
      read: (req, res, next) => void read(req, res, next),
      write: (req, res, next) => void (req.url.startsWith('/write/tagged') ? tagged(req, res, next) : next()),
    };
  },
};

/** As written by hand: answers in a map, which a write takes out when it is done. */
const naive: Subject = {
  name: 'a map',
  make() {
    const kept = new Map<string, string>();
    return {
      read: (req, res, next) => {
        const found = kept.get(req.url);
        if (req.method === 'GET' && found !== undefined) return res.end(found);
        const end = res.end.bind(res);
        res.end = (...args: unknown[]) => {
          if (req.method === 'GET') kept.set(req.url, String(args[0]));
          else kept.delete(req.url);
          return Reflect.apply(end, undefined, args) as typeof res;
        };
        return next();
      },
      write: (req, res, next) => {
        kept.delete(req.url.replace('/write', ''));
        next();
      },
    };
  },
};

function siteOf({ make }: Subject, random: () => number): Promise<Site> {
  const { read, write } = make();
  const versions = new Map<string, number>();
  const handler: Handler = async (req, res) => {
    const page = req.url.replace('/write', '');
    await sleep(random() * 3);
    if (req.method === 'GET') {
      const seen = versions.get(page) ?? 0;
      await sleep(random() * 6);
      if (page.startsWith('/varied')) res.setHeader('Vary', 'X-Device');
      return res.end(`${seen}`);
    }
    const version = (versions.get(page) ?? 0) + 1;
    versions.set(page, version);
    await sleep(random() * 3);
    return res.end(`${version}`);
  };
  return serve(listenerOf('Express 5', [read, write, handler]));
}

/** Returns how many reads gave something older than a write that was answered before they began, and how many were hits. */
async function race(subject: Subject, reads: number): Promise<{ readonly stale: number; readonly hits: number }> {
  const random = seededRandom(seed);
  const site = await siteOf(subject, random);
  const written = new Map<string, number>();
  let [stale, hits, left] = [0, 0, reads];
  const reader = async () => {
    while (left > 0) {
      left -= 1;
      const page = pages[Math.floor(random() * pages.length)] ?? '';
      const least = written.get(page) ?? 0;
      const answer = await site.ask(page, { 'X-Device': random() < 0.5 ? 'phone' : 'desk' });
      if (Number(answer.text) < least) stale += 1;
      if (answer.cached.startsWith('hit')) hits += 1;
    }
  };
  const writer = async () => {
    while (left > 0) {
      await sleep(random() * 20);
      const page = pages[Math.floor(random() * pages.length)] ?? '';
      const path = page.startsWith('/tagged') ? `/write${page}` : page;
      const { text } = await site.ask(path, {}, { method: 'PUT' });
      written.set(page, Math.max(written.get(page) ?? 0, Number(text)));
    }
  };
  await Promise.all([...Array.from({ length: 12 }, reader), writer(), writer()]);
  return { stale, hits };
}

describe(`at random (seed ${seed})`, () => {
  it('no read is older than a write that was answered before', { timeout: 360_000 }, async () => {
    const { stale, hits } = await race(hotshelf, 4000);
    expect(stale).toBe(0);
    expect(hits).toBeGreaterThan(400);
  });

  it('catches answers that are kept by hand (control)', { timeout: 360_000 }, async () => {
    expect((await race(naive, 4000)).stale).toBeGreaterThan(0);
  });
});
