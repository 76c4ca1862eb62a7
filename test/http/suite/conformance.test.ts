/** Plays the published suite against our middleware: behind every server, in every form of writing, on every backend. */

import { memcached } from 'hotshelf/memcached';
import { redis } from 'hotshelf/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startMemcached, startRedis } from '../../kit/servers.ts';
import { targeted } from './cdn.ts';
import { type Form, forms } from './forms.ts';
import { everything, guardOf } from './guards.ts';
import { type Host, hosts, startOrigin, type OriginOptions } from './origin.ts';
import { createPlayer, type Results, type Retell } from './play.ts';

const place: { readonly host: Host; readonly form: Form } = { host: 'Express 5', form: 'end' };
const places = hosts.flatMap((host) =>
  forms.filter((form) => form !== 'send' || host !== 'node:http').map((form) => ({ host, form })),
);
const nameOf = ({ host, form }: typeof place): string => `${host}, ${form}`;

/** Called optimal, and left out. */
const leftOut = [
  // RFC 9110 section 9.3.3 allows to answer a GET with what a POST was answered.
  // Of the answers to two at once nobody here knows which is the newer.
  'method-POST',
  // RFC 9110 section 13.1.3: If-Modified-Since is compared with Last-Modified, and there is none.
  'conditional-lm-fresh-no-lm',
  // RFC 9111 section 3.3: a cache need not store parts. The whole is stored at the next request.
  'partial-store-partial-reuse-partial',
  'partial-store-partial-reuse-partial-byterange',
  'partial-store-partial-reuse-partial-absent',
  'partial-store-partial-reuse-partial-suffix',
  'partial-store-partial-complete',
];

// A busy machine may take its time; the suite's own pauses take nine seconds.
const patience = 720_000;

describe('the published suite', () => {
  const player = createPlayer();
  const plays = new Map<string, Promise<Results>>();
  const ends: (() => unknown)[] = [() => player.close()];
  afterAll(async () => {
    for (const end of ends.toReversed()) await end();
  });

  const play = async (options: OriginOptions, retell?: Retell): Promise<Results> => {
    const origin = await startOrigin(options);
    ends.push(() => origin.close());
    return player.play(origin.url, retell);
  };
  const played = (name: string): Promise<Results> => {
    const results = plays.get(name);
    if (!results) throw new Error(`${name} was not played`);
    return results;
  };

  // All play side by side: most of the time goes by in the suite's own pauses.
  beforeAll(async () => {
    const [redisServer, memcachedServer] = await Promise.all([startRedis(), startMemcached()]);
    const backends = { Redis: redis(redisServer.url), Memcached: memcached(memcachedServer.url) };
    for (const server of [redisServer, memcachedServer]) ends.push(() => server.stop());
    for (const backend of Object.values(backends)) ends.push(() => backend.close());
    plays.set('no cache', play(place));
    plays.set('the defaults', play({ ...place, guard: guardOf({}) }, targeted));
    for (const each of places) plays.set(nameOf(each), play({ ...each, guard: guardOf(everything) }));
    for (const [name, backend] of Object.entries(backends)) {
      plays.set(name, play({ ...place, guard: guardOf(everything, backend) }));
    }
  });

  it.each([...places.map(nameOf), 'Redis', 'Memcached'])(
    'finds all that it requires, and all but a few optimal things, with %s and everything on that the standard allows',
    { timeout: patience },
    async (name) => {
      const { required, optimal } = await played(name);
      expect([required.failed, required.moot]).toEqual([{}, {}]);
      expect(Object.keys(optimal.failed)).toEqual(leftOut);
      expect(optimal.moot).toEqual({});
    },
  );

  it(
    'finds what it requires where the origin speaks with CDN-Cache-Control to a cache with the defaults',
    { timeout: patience },
    async () => {
      const { required } = await played('the defaults');
      // A cookie is somebody's.
      expect(Object.keys(required.failed)).toEqual(['headers-store-Set-Cookie', 'headers-store-Set-Cookie2']);
      // Errors are not stored at all: whether one that was stored ends some day is no question.
      expect(Object.keys(required.moot)).toEqual([
        ...[500, 502, 503, 504, 599].map((status) => `status-${status}-stale`),
        'status-599-must-understand',
      ]);
    },
  );

  it('finds nothing in a server without a cache', { timeout: patience }, async () => {
    const { required, optimal } = await played('no cache');
    expect([required.passed, optimal.passed]).toEqual([[], []]);
  });
});
