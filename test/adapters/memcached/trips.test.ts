/** Counts trips: what one tick asks of a server travels together. */

import { afterEach, describe, expect, it } from 'vitest';
import { memcached } from 'hotshelf/memcached';
import { startProxy } from '../../kit/proxy.ts';
import { startMemcached } from '../../kit/servers.ts';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start() {
  const server = await startMemcached();
  cleanups.push(() => server.stop());
  const proxy = await startProxy({ target: server });
  cleanups.push(() => proxy.stop());
  const backend = memcached(proxy.url('memcached'));
  cleanups.push(() => backend.close());
  await backend.health();
  /** How many pieces travelled, in both directions together, while `work` ran. */
  const pieces = async (work: () => Promise<unknown>): Promise<number> => {
    let count = 0;
    proxy.delay = () => {
      count += 1;
      return 0;
    };
    await work();
    proxy.delay = undefined;
    return count;
  };
  return { backend, proxy, pieces };
}

describe('a tick', () => {
  it('asks everything in one piece and is answered in one', async () => {
    const { backend, pieces } = await start();
    const { values, counters } = backend;
    const names = Array.from({ length: 100 }, (_, index) => `key:${index}`);
    await values.set('key:3', Buffer.from('three'), 60_000);
    const trip = await pieces(async () => {
      const [, , one, many] = await Promise.all([
        values.set('other', Buffer.from('x'), 60_000),
        counters.add('count', 1, 60_000),
        values.get('key:3'),
        values.getMany(names),
        counters.read(['count']),
        values.delete(['nothing']),
      ]);
      expect(one?.bytes).toEqual(Buffer.from('three'));
      expect(many.map((stored) => stored !== undefined).indexOf(true)).toBe(3);
    });
    // A server may need two writes for many answers.
    expect(trip).toBeLessThanOrEqual(4);
  });

  it('is answered with nothing but one line where nothing is there', async () => {
    const { backend, proxy, pieces } = await start();
    const before = proxy.counters().bytesToClient;
    const trip = await pieces(() => backend.values.getMany(Array.from({ length: 100 }, (_, index) => `key:${index}`)));
    expect(trip).toBe(2);
    expect(proxy.counters().bytesToClient - before).toBeLessThan(100);
  });
});
