/** Shows where Memcached's own limits are: sizes, memory, lifetimes, counts, and the numbers of requests. */

import { afterEach, describe, expect, it } from 'vitest';
import { memcached, type MemcachedOptions } from 'hotshelf/memcached';
import { systemClock } from '../../../src/support/clock.ts';
import { ServerClient } from '../../../adapters/memcached/client.ts';
import { expiration, opcodes } from '../../../adapters/memcached/protocol.ts';
import { startMemcached, type MemcachedServer } from '../../kit/servers.ts';
import { outcomeOf } from './outcome.ts';

const hello = Buffer.from('hello');
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(args: readonly string[], options?: MemcachedOptions) {
  const server = await startMemcached({ args });
  cleanups.push(() => server.stop());
  return { server, backend: connect(server, options) };
}

function connect(server: MemcachedServer, options?: MemcachedOptions) {
  const backend = memcached(server.url, options);
  cleanups.push(() => backend.close());
  return backend;
}

describe('the size of a value', () => {
  it.each([
    ['512k', 512],
    ['1m', 1024],
    ['8m', 8192],
  ])('may be what the server takes with -I %s, under the longest key', async (limit, kilobytes) => {
    const { backend } = await start(['-I', limit, '-m', '256']);
    await backend.health();
    const { values } = backend;
    expect(values.maxValueBytes).toBe(kilobytes * 1024 - 512);
    const key = 'k'.repeat(240);
    await values.set(key, Buffer.alloc(values.maxValueBytes, 'x'), 60_000);
    expect((await values.get(key))?.bytes.length).toBe(values.maxValueBytes);
  });

  it('is checked before anything is sent, so that the old value stays', async () => {
    const { backend } = await start([], { maxValueBytes: 100 });
    const version = await backend.values.set('key', hello, 60_000);
    const large = Buffer.alloc(101);
    expect((await outcomeOf(backend.values.set('key', large, 60_000))).code).toBe('VALUE_TOO_LARGE');
    expect((await outcomeOf(backend.values.cas('key', version, large, 60_000))).code).toBe('VALUE_TOO_LARGE');
    expect((await backend.values.get('key'))?.bytes).toEqual(hello);
  });

  it('is the smallest that any of the servers takes', async () => {
    const { server } = await start([]);
    const { server: smaller } = await start(['-I', '512k']);
    const backend = memcached([`127.0.0.1:${server.port}`, `127.0.0.1:${smaller.port}`]);
    cleanups.push(() => backend.close());
    await backend.health();
    expect(backend.values.maxValueBytes).toBe(512 * 1024 - 512);
  });
});

describe('a server without room', () => {
  it('refuses, and keeps what a compare-and-set did not replace', async () => {
    const { backend } = await start(['-M', '-m', '2']);
    const { values } = backend;
    const version = await values.set('key', hello, Infinity);
    const filler = Buffer.alloc(100_000);
    const fill = async (index: number): Promise<unknown> =>
      (await outcomeOf(values.add(`filler:${index}`, filler, Infinity))).code ?? fill(index + 1);
    expect(await fill(0)).toBe('BACKEND_REFUSED');
    expect((await outcomeOf(values.cas('key', version, filler, Infinity))).code).toBe('BACKEND_REFUSED');
    expect((await values.get('key'))?.bytes).toEqual(hello);
    await expect(values.set('other', filler, Infinity)).rejects.toThrow('is out of memory');
    expect((await backend.health()).ok).toBe(true);
  });
});

describe('a server without CAS', () => {
  it('is not used at all, and says why', async () => {
    const { backend } = await start(['-C']);
    await expect(backend.values.get('key')).rejects.toThrow('it was started with -C, and hotshelf needs CAS');
    expect((await backend.health()).reason).toContain('-C');
  });
});

describe('a lifetime', () => {
  it('of more than 30 days is sent as a unix time', async () => {
    const { backend } = await start([]);
    const days = 86_400_000;
    const now = 1_700_000_000_999;
    expect(expiration(30 * days - 1000, now)).toBe(30 * 86_400);
    expect(expiration(30 * days, now)).toBe(1_700_000_000 + 30 * 86_400 + 1);
    expect(expiration(1, now)).toBe(2);
    expect(expiration(Infinity, now)).toBe(0);
    await backend.values.set('key', hello, 365 * days);
    await backend.counters.add('count', 1, 365 * days);
    expect((await backend.values.get('key'))?.bytes).toEqual(hello);
    expect(await backend.values.touch('key', 31 * days)).toBe(true);
    expect((await backend.values.get('key'))?.bytes).toEqual(hello);
    expect(await backend.counters.read(['count'])).toEqual([1]);
  });
});

describe('counts', () => {
  it('are exact beyond 32 bits, and when they become shorter', async () => {
    const { backend, server } = await start([]);
    const { counters } = backend;
    expect(await counters.add('count', 2 ** 32 + 5, 60_000)).toBe(2 ** 32 + 5);
    expect(await counters.add('count', 2 ** 52, 60_000)).toBe(2 ** 52 + 2 ** 32 + 5);
    expect(await counters.add('count', -(2 ** 52 + 2 ** 32), 60_000)).toBe(5);
    // The server fills the place of the digits that are gone with blanks.
    expect(await server.cli('get count')).toMatch(/\n5 +\r\n/);
    expect(await counters.read(['count', 'nothing'])).toEqual([5, 0]);
  });

  it('are complete when many clients create them at one moment', async () => {
    // Memcached looks for a key and creates it in two steps: the slower of two increments is told that nothing was stored.
    const { server } = await start(['-t', '4']);
    const backends = Array.from({ length: 8 }, () => connect(server));
    for (let round = 0; round < 300; round += 1) {
      const sums = await Promise.all(backends.map(({ counters }) => counters.add(`count:${round}`, 1, 60_000)));
      expect(sums.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    }
  });

  it('are refused under a key that holds something else', async () => {
    const { backend } = await start([]);
    await backend.values.set('key', hello, 60_000);
    await expect(backend.counters.add('key', 1, 60_000)).rejects.toThrow('that is no number');
    expect((await outcomeOf(backend.counters.read(['key']))).code).toBe('BACKEND_REFUSED');
    expect((await outcomeOf(backend.counters.add('n', 0.5, 60_000))).code).toBe('OPTION_INVALID');
  });
});

describe('the numbers of requests', () => {
  it('begin again after 2^32, in the middle of everything', async () => {
    const { server } = await start([]);
    const client = new ServerClient({
      host: server.host,
      port: server.port,
      tls: undefined,
      login: undefined,
      connectTimeoutMs: 1000,
      limits: {},
      clock: systemClock,
      onEvent: () => {},
      firstOpaque: 2 ** 32 - 20,
    });
    cleanups.push(() => client.close());
    for (let round = 0; round < 10; round += 1) {
      const adds = Array.from({ length: 5 }, (_, index) =>
        client.send({ opcode: opcodes.add, key: `key:${round}:${index}`, extras: Buffer.alloc(8), value: hello }),
      );
      await Promise.all([...adds, client.read('nothing'), client.ping()]);
      const reads = Array.from({ length: 5 }, (_, index) => client.read(`key:${round}:${index}`));
      for (const stored of await Promise.all(reads)) expect(stored?.bytes).toEqual(hello);
    }
  });
});
