/** Shows what callers meet when a real Redis server hangs, dies, refuses or lies, and that it all ends well. */

import { createServer, type Server, type Socket } from 'node:net';
import { redis, redisOptions } from 'hotshelf/redis';
import { fakeClock } from 'hotshelf/testing';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../../kit/port.ts';
import { sleep, until } from '../../kit/wait.ts';
import {
  backendOn,
  bytes,
  cleanUp,
  errorOf,
  eventsOf,
  later,
  outcomeOf,
  proxyOf,
  server,
  text,
  up,
} from './support.ts';

afterEach(cleanUp);

/** The ways to reach one server: both must behave alike. */
const clients = {
  'made by us': (port: number) => `redis://127.0.0.1:${port}`,
  'handed in with the recommended options': (port: number) =>
    later((client) => client.disconnect(), new Redis(port, { ...redisOptions() })),
  'handed in with the defaults of ioredis': (port: number) =>
    later((client) => client.disconnect(), new Redis(port)).on('error', () => {}),
};

describe.each(Object.entries(clients))('a client %s', (_name, target) => {
  it('fails fast while the server hangs, is back soon after, and runs no refused write later', async () => {
    const real = await server();
    const backend = await backendOn(target(real.port), {});
    const events = eventsOf(backend);
    await backend.values.set('k', bytes('before'), Infinity);
    await real.pause();
    const outcomes: string[] = [];
    const opened = until(
      async () => {
        const id = outcomes.length;
        outcomes.push('pending');
        outcomes[id] = await outcomeOf(backend.values.set(`w:${id}`, bytes('x'), Infinity));
        return outcomes[id] === 'BACKEND_DOWN';
      },
      { what: 'the breaker to open', within: 3000, every: 1 },
    );
    await opened;
    expect(events.map(({ type }) => type)).toContain('down');
    const startedAt = performance.now();
    for (let call = 0; call < 200; call += 1) {
      const id = outcomes.push(await outcomeOf(backend.counters.add(`w:c:${outcomes.length}`, 1, Infinity)));
      expect(outcomes[id - 1]).toBe('BACKEND_DOWN');
    }
    expect((performance.now() - startedAt) / 200).toBeLessThan(2);
    real.resume();
    const resumedAt = performance.now();
    await until(up(backend), { what: 'the backend to be back', within: 30_000, every: 5 });
    expect(performance.now() - resumedAt).toBeLessThan(1500);
    expect(text(await backend.values.get('k'))).toBe('before');
    await sleep(300);
    const ranLater: number[] = [];
    for (const [id, outcome] of outcomes.entries()) {
      const applied = Number(await real.cli('EXISTS', `w:${id}`, `w:c:${id}`));
      if (outcome === 'BACKEND_DOWN' && applied > 0) ranLater.push(id);
    }
    expect(ranLater).toEqual([]);
    expect(events.at(-1)).toEqual({ type: 'up', server: expect.stringContaining(String(real.port)) });
  });

  it('survives a server that was killed and comes back empty, scripts included', async () => {
    const real = await server();
    const backend = await backendOn(target(real.port));
    const version = await backend.values.set('k', bytes('1'), Infinity);
    expect(await backend.values.cas('k', version, bytes('2'), Infinity)).toBeDefined();
    await real.kill();
    await until(async () => (await outcomeOf(backend.values.get('k'))) !== 'ok', { what: 'the loss to be noticed' });
    expect(await outcomeOf(backend.values.get('k'))).toBe('BACKEND_DOWN');
    await until(async () => (await errorOf(backend.values.get('k'))).message.includes('ECONNREFUSED'), {
      what: 'the reason to be known',
    });
    expect((await backend.health()).reason).toContain('ECONNREFUSED');
    await real.restart();
    await until(up(backend), { what: 'the backend to be back' });
    expect(await backend.values.get('k')).toBeUndefined();
    const fresh = await backend.values.set('k', bytes('3'), Infinity);
    expect(await backend.values.cas('k', fresh, bytes('4'), Infinity)).toBeDefined();
    expect(await backend.counters.add('c', 2, Infinity)).toBe(2);
  });

  it('never applies an addition twice when replies are lost', async () => {
    const real = await server();
    const proxy = await proxyOf(real);
    const backend = await backendOn(target(proxy.port));
    await backend.counters.add('warm', 1, Infinity);
    let answered = 0;
    let unknown = 0;
    for (let round = 0; round < 30; round += 1) {
      await until(up(backend), { what: 'the backend to be back', every: 2 });
      if (round % 2 === 0) proxy.truncateNextReply(round % 4, 'close');
      const outcome = await outcomeOf(backend.counters.add('c', 1, Infinity));
      if (outcome === 'ok') answered += 1;
      if (outcome === 'OUTCOME_UNKNOWN') unknown += 1;
    }
    expect(unknown).toBeGreaterThan(10);
    await until(up(backend), { what: 'the backend to be back' });
    await sleep(300);
    const [count = 0] = await backend.counters.read(['c']);
    expect(count).toBeGreaterThanOrEqual(answered);
    expect(count).toBeLessThanOrEqual(answered + unknown);
    // Each command reached the server once: what was lost is the reply.
    expect(count).toBe(answered + unknown);
  });

  it('notices a half-open connection and comes back when the network heals', async () => {
    const real = await server();
    const proxy = await proxyOf(real);
    const backend = await backendOn(target(proxy.port), {});
    await backend.values.set('k', bytes('before'), Infinity);
    proxy.blackhole();
    await until(async () => (await outcomeOf(backend.values.set('k', bytes('lost'), Infinity))) === 'BACKEND_DOWN', {
      what: 'the breaker to open',
    });
    await proxy.heal();
    await until(up(backend), { what: 'the backend to be back' });
    expect(text(await backend.values.get('k'))).toBe('before');
  });

  it('fails what a cut reply belonged to, and nothing after it', async () => {
    const real = await server();
    const proxy = await proxyOf(real);
    const backend = await backendOn(target(proxy.port), {});
    await backend.values.set('k', bytes('0123456789'), Infinity);
    for (const after of ['close', 'stall'] as const) {
      proxy.truncateNextReply(9, after);
      expect(await outcomeOf(backend.values.get('k'))).toBe('OUTCOME_UNKNOWN');
      await until(async () => text(await backend.values.get('k')) === '0123456789', {
        what: 'a right answer',
        every: 1,
      });
    }
  });

  it('is not put off by bytes that are no Redis protocol', async () => {
    const real = await server();
    const proxy = await proxyOf(real);
    const backend = await backendOn(target(proxy.port), {});
    await backend.values.set('k', bytes('value'), Infinity);
    for (const garbage of [
      'HTTP/1.1 400 Bad Request\r\n\r\n',
      '\u0000\u0001\u0002',
      '$-5\r\n',
      '*abc\r\n',
      '$zz\r\n',
    ]) {
      proxy.corruptNextReply(() => Buffer.from(garbage));
      const outcome = await outcomeOf(backend.values.get('other'));
      expect(['OUTCOME_UNKNOWN', 'ok']).toContain(outcome);
      await until(async () => text(await backend.values.get('k')) === 'value', { what: 'a right answer', every: 1 });
    }
  });

  it('fails no command whose answer came while the event loop was blocked', async () => {
    const real = await server();
    const backend = await backendOn(target(real.port), {});
    const events = eventsOf(backend);
    await backend.values.set('k', bytes('value'), Infinity);
    for (let call = 0; call < 300; call += 1) await backend.values.get('k');
    const waiting = Array.from({ length: 20 }, () => outcomeOf(backend.values.get('k')));
    const additions = Array.from({ length: 20 }, () => outcomeOf(backend.counters.add('c', 1, Infinity)));
    await sleep(0);
    const late = outcomeOf(backend.values.set('k', bytes('new'), Infinity));
    const until3s = performance.now() + 3000;
    while (performance.now() < until3s);
    expect(new Set(await Promise.all([...waiting, ...additions, late]))).toEqual(new Set(['ok']));
    expect(events).toEqual([]);
    expect(await backend.counters.read(['c'])).toEqual([20]);
  });

  it('gives up a connection that is accepted and never answered, also at boot', async () => {
    const real = await server();
    const proxy = await proxyOf(real);
    proxy.blackhole();
    const backend = later((one) => one.close(), redis(target(proxy.port)));
    const startedAt = performance.now();
    expect(await outcomeOf(backend.values.get('k'))).toBe('BACKEND_DOWN');
    expect(performance.now() - startedAt).toBeLessThan(1000);
    await until(() => proxy.counters().connections > 1, { what: 'another attempt' });
    expect((await backend.health()).reason).toContain('accepts connections but did not answer');
    await proxy.heal();
    await until(up(backend), { what: 'the backend to be up', within: 5000 });
  });

  it('gives an attempt less time than the first connection, so that it is soon back when the network heals', async () => {
    const real = await server();
    const proxy = await proxyOf(real);
    const clock = fakeClock();
    const backend = later((one) => one.close(), redis(target(proxy.port), { clock }));
    const events = eventsOf(backend);
    await until(up(backend), { what: 'the backend to be up' });
    proxy.blackhole();
    for (let command = 0; command < 3; command += 1) {
      const lost = outcomeOf(backend.values.get('k'));
      await clock.advance(250);
      expect(await lost).toBe('OUTCOME_UNKNOWN');
    }
    for (const withinMs of [250, 250, 500]) {
      const { connections, swallowed } = proxy.counters();
      await until(() => proxy.counters().swallowed > swallowed, { what: 'an attempt' });
      await clock.advance(withinMs - 10);
      expect(proxy.counters().connections).toBe(connections + 1);
      await clock.advance(10);
    }
    await proxy.heal();
    await until(() => events.at(-1)?.type === 'up', { what: 'the backend to be back' });
  });

  it('makes its connection anew to a server that has become slow', async () => {
    const real = await server();
    const proxy = await proxyOf(real);
    const backend = await backendOn(target(proxy.port));
    const { connections } = proxy.counters();
    // What an attempt is given at first is not enough for this.
    proxy.delay = () => 140;
    proxy.cut();
    await until(() => proxy.counters().connections > connections, { what: 'an attempt' });
    await until(up(backend), { what: 'the backend to be back' });
  });

  it('says so while the server is down at boot, and works when it is up', async () => {
    const real = await server();
    await real.kill();
    const backend = later((one) => one.close(), redis(target(real.port)));
    const events = eventsOf(backend);
    const startedAt = performance.now();
    expect(await outcomeOf(backend.values.get('k'))).toBe('BACKEND_DOWN');
    expect(performance.now() - startedAt).toBeLessThan(1000);
    await until(() => events.some((event) => event.type === 'down'), { what: 'the event' });
    await real.restart();
    await until(up(backend), { what: 'the backend to be up' });
    expect(events.at(-1)?.type).toBe('up');
  });
});

describe('a control', () => {
  it('shows that a bare ioredis with its defaults applies an addition twice', async () => {
    const real = await server();
    const proxy = await proxyOf(real);
    const bare = later((client) => client.disconnect(), new Redis(proxy.port)).on('error', () => {});
    await bare.ping();
    proxy.truncateNextReply(0, 'close');
    await bare.incr('c');
    expect(await real.cli('GET', 'c')).toBe('2');
  });
});

describe('a server that refuses', () => {
  it('answers reads and refuses writes with BACKEND_REFUSED when it is out of memory', async () => {
    const real = await server({ args: ['--maxmemory-policy', 'noeviction'] });
    const backend = await backendOn(real.url);
    await backend.values.set('k', bytes('value'), Infinity);
    await backend.counters.add('c', 1, Infinity);
    await real.cli('CONFIG', 'SET', 'maxmemory', '1');
    const error = await errorOf(backend.values.set('secret-key', bytes('secret-value'), Infinity));
    expect(error.code).toBe('BACKEND_REFUSED');
    expect(error.message).toMatch(/OOM.*memory/);
    expect(await outcomeOf(backend.counters.add('c', 1, Infinity))).toBe('BACKEND_REFUSED');
    expect(text(await backend.values.get('k'))).toBe('value');
    expect(await backend.values.delete(['k'])).toBe(1);
    expect(await backend.counters.read(['c'])).toEqual([1]);
    await real.cli('CONFIG', 'SET', 'maxmemory', '0');
    expect(await outcomeOf(backend.values.set('k', bytes('value'), Infinity))).toBe('ok');
  });

  it('reports a demoted server as down for writes, connects anew, and writes again after the promotion', async () => {
    const [real, other] = await Promise.all([server(), server()]);
    const backend = await backendOn(real.url);
    await backend.values.set('k', bytes('value'), Infinity);
    await real.cli('REPLICAOF', other.host, other.port);
    const connections = async () =>
      Number(/total_connections_received:(\d+)/.exec(String(await real.cli('INFO')))?.[1]);
    const before = await connections();
    const error = await errorOf(backend.values.set('k', bytes('new'), Infinity));
    expect(error.code).toBe('BACKEND_DOWN');
    expect(error.message).toMatch(/READONLY/);
    await until(async () => (await connections()) > before + 2, { what: 'a new connection' });
    await real.cli('REPLICAOF', 'NO', 'ONE');
    await until(async () => (await outcomeOf(backend.values.set('k', bytes('new'), Infinity))) === 'ok', {
      what: 'writes to work',
    });
  });

  it('names a wrong password without showing it, in errors, events and health', async () => {
    const real = await server({ password: 'right-password' });
    const backend = later(
      (one) => one.close(),
      redis(`redis://:wrong-password@127.0.0.1:${real.port}`, { deadline: '2s' }),
    );
    const events = eventsOf(backend);
    const error = await errorOf(backend.values.get('k'));
    expect(error.code).toBe('BACKEND_DOWN');
    expect(error.message).toMatch(/WRONGPASS/);
    await until(() => events.length > 0, { what: 'the event' });
    const health = await backend.health();
    expect(health.reason).toMatch(/WRONGPASS/);
    const { inspect } = await import('node:util');
    const shown = inspect([error, events, health, backend], { depth: 10, showHidden: true, getters: true });
    expect(shown).not.toContain('wrong-password');
    expect(JSON.stringify(backend)).not.toContain('wrong-password');
  });

  it('says that a password is missing', async () => {
    const real = await server({ password: 'secret' });
    const backend = later((one) => one.close(), redis(`redis://127.0.0.1:${real.port}`, { deadline: '2s' }));
    expect((await errorOf(backend.values.get('k'))).message).toMatch(/NOAUTH.*password/);
  });

  it('keeps arguments and values out of its errors', async () => {
    const real = await server();
    const backend = await backendOn(real.url);
    await real.cli('LPUSH', 'list', 'x');
    const error = await errorOf(backend.values.get('list'));
    expect(error.code).toBe('BACKEND_REFUSED');
    expect(error.message).toMatch(/WRONGTYPE/);
    expect(await backend.values.getMany(['list', 'none'])).toEqual([undefined, undefined]);
    const { inspect } = await import('node:util');
    const failure = await errorOf(backend.counters.add('list', 123_456, Infinity));
    expect(inspect(failure, { depth: 10, showHidden: true })).not.toMatch(/123456|evalsha|EXISTS/i);
  });
});

describe('a server that says what nobody asked for', () => {
  const fakes: { server: Server; sockets: Socket[] }[] = [];
  afterEach(() => {
    for (const fake of fakes.splice(0)) {
      fake.server.close();
      for (const socket of fake.sockets) socket.destroy();
    }
  });

  /** A server that knows just enough to be connected to. */
  async function fakeRedis(): Promise<{ port: number; sockets: Socket[] }> {
    const sockets: Socket[] = [];
    const fake = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      socket.on('data', (data) => {
        for (const [, name = ''] of data.toString('latin1').matchAll(/\*\d+\r\n\$\d+\r\n([a-z]+)\r\n/gi)) {
          const reply = { info: '$9\r\nloading:0\r\n', ping: '+PONG\r\n', get: '$-1\r\n', hello: '*0\r\n' }[
            name.toLowerCase()
          ];
          socket.write(reply ?? '+OK\r\n');
        }
      });
    });
    const port = await freePort();
    await new Promise<void>((resolve) => fake.listen(port, '127.0.0.1', resolve));
    fakes.push({ server: fake, sockets });
    return { port, sockets };
  }

  it.each([
    ['a null', '$-1\r\n'],
    ['two nulls and more', '$-1\r\n$-1\r\n:1\r\n'],
    ['an error', '-ERR what\r\n'],
    ['a value', '$3\r\nabc\r\n'],
  ])('outlives %s', async (_what, said) => {
    const fake = await fakeRedis();
    const backend = await backendOn(`redis://127.0.0.1:${fake.port}`);
    const before = fake.sockets.length;
    expect(await backend.values.get('k')).toBeUndefined();
    fake.sockets.at(-1)?.write(said);
    await until(() => fake.sockets.length > before, { what: 'a new connection' });
    await until(async () => (await outcomeOf(backend.values.get('k'))) === 'ok', { what: 'the backend to be back' });
  });

  it('outlives a null on the connection of the bus', async () => {
    const real = await server();
    const proxy = await proxyOf(real);
    const backend = await backendOn(proxy.url('redis'));
    const gaps: string[] = [];
    await backend.bus.subscribe('topic', () => {}, { onGap: (state) => gaps.push(state) });
    // The next heartbeat is answered twice.
    await sleep(20);
    proxy.corruptNextReply((reply) => Buffer.concat([reply, Buffer.from('$-1\r\n')]));
    await until(() => gaps.length >= 2, { what: 'a gap' });
    expect(gaps).toEqual(['lost', 'restored']);
  });
});
