/** Shows what callers get from Memcached servers that hang, die, come back, or are cut off in the middle of a word. */

import { afterEach, describe, expect, it } from 'vitest';
import { memcached } from 'hotshelf/memcached';
import { fakeClock } from 'hotshelf/testing';
import { startProxy, type Proxy } from '../../kit/proxy.ts';
import { startMemcached, type MemcachedServer } from '../../kit/servers.ts';
import { sleep, until } from '../../kit/wait.ts';
import { outcomeOf } from './outcome.ts';

type Backend = ReturnType<typeof memcached>;

const hello = Buffer.from('hello');
const unconfirmed = new Set(['BACKEND_DOWN', 'OUTCOME_UNKNOWN']);
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function server(): Promise<MemcachedServer> {
  const started = await startMemcached();
  cleanups.push(() => started.stop());
  return started;
}

async function proxyTo(target: MemcachedServer): Promise<Proxy> {
  const proxy = await startProxy({ target });
  cleanups.push(() => proxy.stop());
  return proxy;
}

function connect(...target: Parameters<typeof memcached>): Backend {
  const backend = memcached(...target);
  cleanups.push(() => backend.close());
  return backend;
}

/** Resolves with how many ms went by until a get was answered. */
async function recovery(backend: Backend): Promise<number> {
  const startedAt = performance.now();
  await until(() => backend.values.get('probe').then(() => true), { what: 'a get to be answered', every: 5 });
  return performance.now() - startedAt;
}

/** Asks until the breaker is open. */
async function untilDown(backend: Backend): Promise<void> {
  await until(async () => (await outcomeOf(backend.values.get('probe'))).code === 'BACKEND_DOWN', {
    what: 'the breaker to open',
    within: 3000,
    every: 1,
  });
}

async function expectFastFailures(backend: Backend): Promise<void> {
  const took: number[] = [];
  for (let call = 0; call < 21; call += 1) {
    const { code, tookMs } = await outcomeOf(backend.values.get('key'));
    expect(code).toBe('BACKEND_DOWN');
    took.push(tookMs);
  }
  // The middle one: a busy machine may hold up any single call.
  expect(took.toSorted((a, b) => a - b)[10]).toBeLessThan(10);
}

describe('a Memcached server that hangs', () => {
  it('costs a few deadlines, then nothing, and is used again soon after it goes on', async () => {
    const memcachedServer = await server();
    const backend = connect(memcachedServer.url);
    await recovery(backend);
    const events: string[] = [];
    backend.watch(({ type }) => events.push(type));
    await backend.values.set('key', hello, 60_000);
    await memcachedServer.pause();

    const first = await outcomeOf(backend.values.get('key'));
    expect(first.code).toBe('OUTCOME_UNKNOWN');
    expect(first.tookMs).toBeLessThan(400);
    await untilDown(backend);
    await expectFastFailures(backend);
    expect((await backend.health()).ok).toBe(false);

    memcachedServer.resume();
    expect(await recovery(backend)).toBeLessThan(1500);
    expect((await backend.values.get('key'))?.bytes).toEqual(hello);
    expect(events).toEqual(['down', 'up']);
  });

  it('is waited for at the start no longer than one deadline', async () => {
    const memcachedServer = await server();
    await memcachedServer.pause();
    const backend = connect(memcachedServer.url);
    const first = await outcomeOf(backend.values.get('key'));
    expect(first.code).toBe('BACKEND_DOWN');
    expect(first.tookMs).toBeLessThan(400);
    await expectFastFailures(backend);
    memcachedServer.resume();
    expect(await recovery(backend)).toBeLessThan(1500);
  });

  it('is noticed behind connections that are half open, old ones and new ones', async () => {
    const proxy = await proxyTo(await server());
    const backend = connect(proxy.url('memcached'));
    await recovery(backend);
    await backend.values.set('key', hello, 60_000);
    proxy.blackhole();
    await untilDown(backend);
    await expectFastFailures(backend);
    await proxy.heal();
    expect(await recovery(backend)).toBeLessThan(2500);
    expect((await backend.values.get('key'))?.bytes).toEqual(hello);
  });
});

describe('an attempt to connect anew', () => {
  it('is given less time than the first connection, so that the backend is soon back when the network heals', async () => {
    const proxy = await proxyTo(await server());
    const clock = fakeClock();
    const backend = connect(proxy.url('memcached'), { clock });
    const events: string[] = [];
    backend.watch(({ type }) => events.push(type));
    await recovery(backend);
    proxy.blackhole();
    const breakerOpens = async () => {
      void outcomeOf(backend.values.get('key'));
      await clock.advance(50);
      return events.includes('down');
    };
    await until(breakerOpens, { what: 'the breaker to open' });
    const { connections } = proxy.counters();
    // 250, 250 and 500 ms, and pauses of 25 to 200 ms before: as long as the first connection may take, and as long again.
    for (let passed = 0; passed < 2000; passed += 10) {
      await clock.advance(10);
      await sleep(1);
    }
    await until(() => proxy.counters().connections >= connections + 4, { what: 'four attempts' });
    await proxy.heal();
    await until(() => clock.advance(10).then(() => events.at(-1) === 'up'), { what: 'the backend to be back' });
  });

  it('gets through to a server that has become slow', async () => {
    const proxy = await proxyTo(await server());
    const backend = connect(proxy.url('memcached'), { deadline: '2s' });
    await recovery(backend);
    // What an attempt is given at first is not enough for this.
    proxy.delay = () => 140;
    proxy.cut();
    await until(async () => (await outcomeOf(backend.values.get('probe'))).code !== undefined, { what: 'the loss' });
    await recovery(backend);
  });
});

describe('a Memcached server that dies', () => {
  it('fails what was on its way, and is used again when it is back', async () => {
    const memcachedServer = await server();
    const backend = connect(memcachedServer.url);
    await recovery(backend);
    await backend.values.set('key', hello, 60_000);
    await memcachedServer.pause();
    const onItsWay = Promise.all(Array.from({ length: 20 }, () => outcomeOf(backend.values.get('key'))));
    await memcachedServer.kill();
    for (const { code, tookMs } of await onItsWay) {
      expect(unconfirmed).toContain(code);
      expect(tookMs).toBeLessThan(400);
    }
    await untilDown(backend);
    await expectFastFailures(backend);
    await memcachedServer.restart();
    expect(await recovery(backend)).toBeLessThan(1500);
    expect(await backend.values.get('key')).toBeUndefined();
  });

  it('comes back with the same CAS ids, and a version from before names none of its states', async () => {
    const memcachedServer = await server();
    const backend = connect(memcachedServer.url);
    await recovery(backend);
    const before = await backend.values.set('key', hello, 60_000);
    await memcachedServer.restart();
    await recovery(backend);
    const after = await backend.values.set('key', hello, 60_000);
    // The ids after the dot are equal: without the part before it this would overwrite another state.
    expect(String(before).split('.')[1]).toBe(String(after).split('.')[1]);
    expect(await backend.values.cas('key', before, Buffer.from('old'), 60_000)).toBeUndefined();
    expect(await backend.values.deleteIf('key', before)).toBe(false);
    expect((await backend.values.get('key'))?.bytes).toEqual(hello);
  });

  it('keeps its versions when only the connection was lost', async () => {
    const proxy = await proxyTo(await server());
    const backend = connect(proxy.url('memcached'));
    await recovery(backend);
    const version = await backend.values.set('key', hello, 60_000);
    proxy.cut('reset');
    await until(() => backend.values.get('key'), { what: 'the connection to come back' });
    expect(await backend.values.cas('key', version, Buffer.from('new'), 60_000)).toBeDefined();
  });

  it('may be down at the start and come up later', async () => {
    const memcachedServer = await server();
    await memcachedServer.kill();
    const backend = connect(memcachedServer.url);
    const first = await outcomeOf(backend.values.get('key'));
    expect(first.code).toBe('BACKEND_DOWN');
    await expectFastFailures(backend);
    await memcachedServer.restart();
    expect(await recovery(backend)).toBeLessThan(1500);
  });

  it('takes only its own share of the keys with it', async () => {
    const servers = await Promise.all([server(), server(), server()]);
    const backend = connect(servers.map(({ host, port }) => `${host}:${port}`));
    const keys = Array.from({ length: 300 }, (_, index) => `key:${index}`);
    await Promise.all(keys.map((key) => backend.values.set(key, hello, 60_000)));
    await servers[1]?.kill();
    const down = async () => {
      const outcomes = await Promise.all(keys.map((key) => outcomeOf(backend.values.get(key))));
      return outcomes.filter(({ code }) => code !== undefined).length;
    };
    const lost = await until(down, { what: 'the breaker to open' });
    expect(lost).toBeGreaterThan(40);
    expect(lost).toBeLessThan(200);
    expect(await down()).toBe(lost);
    const health = await backend.health();
    expect(health.reason).toContain(`127.0.0.1:${servers[1]?.port}`);
    expect(health.reason).not.toContain(`127.0.0.1:${servers[0]?.port}`);
    expect((await outcomeOf(backend.values.delete(keys))).code).toBe('BACKEND_DOWN');
    await servers[1]?.restart();
    await until(async () => (await down()) === 0, { what: 'all keys to work again', within: 1500 });
  });
});

describe('replies that do not arrive as they were sent', () => {
  for (const after of ['close', 'stall'] as const) {
    for (const bytes of [0, 1, 10, 24, 30, 1000]) {
      it(`survives a reply cut after ${bytes} bytes, then ${after}`, async () => {
        const proxy = await proxyTo(await server());
        const backend = connect(proxy.url('memcached'));
        const value = Buffer.alloc(5000, 'x');
        await recovery(backend);
        await backend.values.set('key', value, 60_000);
        proxy.truncateNextReply(bytes, after);
        const { code, tookMs } = await outcomeOf(backend.values.get('key'));
        expect(code).toBe('OUTCOME_UNKNOWN');
        expect(tookMs).toBeLessThan(400);
        await recovery(backend);
        expect((await backend.values.get('key'))?.bytes).toEqual(value);
      });
    }
  }

  it.each<[string, (reply: Buffer) => Buffer]>([
    ['text', () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['nothing but zeros', (reply) => Buffer.alloc(reply.length)],
    ['an answer that nobody asked for', (reply) => withByte(reply, 15, (byte) => byte ^ 0xff)],
    ['an answer to another command', (reply) => withByte(reply, 1, () => 0x01)],
    ['a body without an end', (reply) => withByte(reply, 8, () => 0xff)],
  ])('gives up a connection on which %s arrives', async (_, change) => {
    const proxy = await proxyTo(await server());
    const backend = connect(proxy.url('memcached'));
    await recovery(backend);
    await backend.values.set('key', hello, 60_000);
    proxy.corruptNextReply(change);
    const outcome = await outcomeOf(backend.values.get('key'));
    expect(outcome.code).toBe('OUTCOME_UNKNOWN');
    expect(outcome.tookMs).toBeLessThan(200);
    expect(await recovery(backend)).toBeLessThan(1000);
    expect((await backend.values.get('key'))?.bytes).toEqual(hello);
  });

  it('loses nothing when the event loop was blocked for three seconds', async () => {
    const memcachedServer = await server();
    const backend = connect(memcachedServer.url);
    await recovery(backend);
    await backend.values.set('key', Buffer.alloc(20_000), 60_000);
    const answers = Promise.all([
      ...Array.from({ length: 50 }, () => backend.values.get('key')),
      backend.counters.add('count', 1, 60_000),
    ]);
    await new Promise((resolve) => setImmediate(resolve));
    for (const end = performance.now() + 3000; performance.now() < end;);
    const [first, ...others] = await answers;
    expect(first).toBeDefined();
    expect(others.at(-1)).toBe(1);
  });

  it('counts an increment once or not at all, whatever happens to its answer', async () => {
    const memcachedServer = await server();
    const proxy = await proxyTo(memcachedServer);
    const backend = connect(proxy.url('memcached'));
    const direct = connect(memcachedServer.url);
    let acknowledged = 0;
    let unknown = 0;
    for (let round = 0; round < 24; round += 1) {
      await recovery(backend);
      if (round % 3 === 0) proxy.truncateNextReply(round % 30, 'close');
      const adds = Array.from({ length: 10 }, () => outcomeOf(backend.counters.add('count', 1, Infinity)));
      if (round % 3 === 1) setImmediate(() => proxy.cut('reset'));
      const codes = (await Promise.all(adds)).map(({ code }) => code);
      expect(new Set([undefined, ...unconfirmed])).toEqual(new Set([undefined, ...unconfirmed, ...codes]));
      acknowledged += codes.filter((code) => code === undefined).length;
      unknown += codes.filter((code) => code === 'OUTCOME_UNKNOWN').length;
    }
    const [counted = 0] = await direct.counters.read(['count']);
    expect(unknown).toBeGreaterThan(0);
    expect(counted).toBeGreaterThanOrEqual(acknowledged);
    expect(counted).toBeLessThanOrEqual(acknowledged + unknown);
  });
});

function withByte(reply: Buffer, index: number, change: (byte: number) => number): Buffer {
  const changed = Buffer.from(reply);
  changed[index] = change(changed[index] ?? 0);
  return changed;
}
