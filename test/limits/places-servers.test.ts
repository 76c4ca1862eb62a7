/** Places on real servers: never more than allowed over two connections, and free again when their holder is gone. */

import { describe, expect, it, onTestFinished } from 'vitest';
import type { BackendWith } from 'hotshelf';
import { memcached } from 'hotshelf/memcached';
import { redis } from 'hotshelf/redis';
import { Places } from '../../src/limits/places.ts';
import { systemClock } from '../../src/support/clock.ts';
import { seededRandom } from '../kit/random.ts';
import { startMemcached, startRedis } from '../kit/servers.ts';
import { sleep, until } from '../kit/wait.ts';

const max = 5;

const servers: readonly (readonly [string, () => Promise<readonly BackendWith<'values'>[]>])[] = [
  [
    'Redis',
    async () => {
      const server = await startRedis();
      onTestFinished(() => server.stop());
      const { url } = server;
      return [redis(url), redis(url)];
    },
  ],
  [
    'Memcached',
    async () => {
      const server = await startMemcached();
      onTestFinished(() => server.stop());
      const { url } = server;
      return [memcached(url), memcached(url)];
    },
  ],
];

async function fleet(start: () => Promise<readonly BackendWith<'values'>[]>, leaseMs: number) {
  const backends = await start();
  onTestFinished(async () => {
    await Promise.all(backends.map((backend) => backend.close()));
  });
  const options = { clock: systemClock, leaseMs, instances: 1, whenDown: 'closed' } as const;
  return { backends, members: backends.map(({ values }) => new Places({ ...options, values })) };
}

describe.each(servers)('places on %s', (_name, start) => {
  it('are as many as allowed, however many want them at once', async () => {
    const { members } = await fleet(start, 5000);
    const random = seededRandom(7);
    let held = 0;
    let most = 0;
    let served = 0;
    const client = async (places: Places) => {
      for (let turn = 0; turn < 25; turn += 1) {
        const place = await places.take('at-once:test:{a}', max);
        if (typeof place === 'object') {
          held += 1;
          served += 1;
          most = Math.max(most, held);
          await sleep(random() * 8);
          held -= 1;
          place.release();
        } else {
          await sleep(random() * 20);
        }
      }
    };
    await Promise.all(members.flatMap((places) => Array.from({ length: 10 }, () => client(places))));
    expect(most).toBe(max);
    expect(served).toBeGreaterThan(20);
  });

  it('are kept while they are held, and end when nobody renews them', async () => {
    const { backends, members } = await fleet(start, 1000);
    const [mine, theirs] = members as [Places, Places];
    const kept = await mine.take('at-once:test:{b}', 1);
    await sleep(2500);
    expect(await theirs.take('at-once:test:{b}', 1)).toBe('full');
    expect(typeof kept).toBe('object');
    // As a process does that dies.
    await backends[0]?.close();
    await until(async () => typeof (await theirs.take('at-once:test:{b}', 1)) === 'object', { what: 'a free place' });
  });
});
