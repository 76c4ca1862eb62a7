/** Shows that the bus never loses a message in silence: every loss is a gap, reported at once. */

import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { sleep, until } from '../../kit/wait.ts';
import { backendOn, cleanUp, errorOf, later, outcomeOf, proxyOf, server, type RedisBackend } from './support.ts';
import { redis } from 'hotshelf/redis';

afterEach(cleanUp);

interface Heard {
  readonly messages: string[];
  readonly gaps: string[];
}

async function listen(backend: RedisBackend, topic: string): Promise<Heard> {
  const heard: Heard = { messages: [], gaps: [] };
  await backend.bus.subscribe(topic, (message) => heard.messages.push(message), {
    onGap: (state) => {
      heard.gaps.push(state);
      heard.messages.push(state);
    },
  });
  return heard;
}

describe('a subscriber', () => {
  it('reports a gap at once when its connection is killed, and again when it hears', async () => {
    const real = await server();
    const backend = await backendOn(real.url);
    const [one, other] = [await listen(backend, 'a'), await listen(backend, 'b')];
    await backend.bus.publish('a', '1');
    await until(() => one.messages.length === 1, { what: 'the first message' });
    const killedAt = performance.now();
    await real.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until(() => one.gaps.length > 0, { what: 'the gap', every: 1 });
    expect(performance.now() - killedAt).toBeLessThan(300);
    await until(() => one.gaps.length > 1 && other.gaps.length > 1, { what: 'the end of the gap' });
    await backend.bus.publish('a', '2');
    await until(() => one.messages.at(-1) === '2', { what: 'the second message' });
    expect(one.messages).toEqual(['1', 'lost', 'restored', '2']);
    expect(other.gaps).toEqual(['lost', 'restored']);
  });

  it('misses no message without a gap between it and its neighbours', async () => {
    const real = await server();
    const backend = await backendOn(real.url);
    const heard = await listen(backend, 'topic');
    let published = 0;
    const publisher = { running: true };
    const publishing = (async () => {
      while (publisher.running) {
        if ((await outcomeOf(backend.bus.publish('topic', `${published}`))) === 'ok') published += 1;
        await sleep(1);
      }
    })();
    for (let kill = 0; kill < 5; kill += 1) {
      await sleep(150);
      await real.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
    }
    await sleep(150);
    publisher.running = false;
    await publishing;
    let previous = -1;
    let excused = false;
    const unexcused: string[] = [];
    for (const message of heard.messages) {
      if (message === 'lost' || message === 'restored') {
        excused = true;
        continue;
      }
      if (Number(message) !== previous + 1 && !excused) unexcused.push(message);
      previous = Number(message);
      excused = false;
    }
    expect(unexcused).toEqual([]);
    expect(heard.gaps.slice(0, 2)).toEqual(['lost', 'restored']);
    expect(previous).toBeGreaterThan(100);
  });

  it('notices a half-open connection by its heartbeat', async () => {
    const real = await server();
    const proxy = await proxyOf(real);
    const backend = await backendOn(proxy.url('redis'));
    const heard = await listen(backend, 'topic');
    proxy.blackhole();
    await until(() => heard.gaps.includes('lost'), { what: 'the gap', within: 3000 });
    await proxy.heal();
    await until(() => heard.gaps.includes('restored'), { what: 'the end of the gap', within: 5000 });
    await until(async () => (await outcomeOf(backend.bus.publish('topic', 'back'))) === 'ok', { what: 'to publish' });
    await until(() => heard.messages.at(-1) === 'back', { what: 'the message' });
    expect(heard.gaps).toEqual(['lost', 'restored']);
  });

  it('reports no gap when only the event loop was blocked', async () => {
    const real = await server();
    const backend = await backendOn(real.url);
    const heard = await listen(backend, 'topic');
    await sleep(950);
    const end = performance.now() + 2500;
    while (performance.now() < end);
    await sleep(1500);
    await backend.bus.publish('topic', 'x');
    await until(() => heard.messages.length > 0, { what: 'the message' });
    expect(heard.messages).toEqual(['x']);
  });

  it('hears again after the server was killed and restarted', async () => {
    const real = await server();
    const backend = await backendOn(real.url);
    const heard = await listen(backend, 'topic');
    await real.kill();
    await until(() => heard.gaps.length === 1, { what: 'the gap' });
    expect((await errorOf(backend.bus.subscribe('other', () => {}))).code).toBe('BACKEND_DOWN');
    await real.restart();
    await until(() => heard.gaps.length === 2, { what: 'the end of the gap' });
    await until(async () => (await outcomeOf(backend.bus.publish('topic', 'x'))) === 'ok', { what: 'to publish' });
    await until(() => heard.messages.at(-1) === 'x', { what: 'the message' });
  });

  it('is a connection of its own where another of the same backend hears the topic, and ends it', async () => {
    const real = await server();
    const backend = await backendOn(real.url);
    const count = async () => String(await real.cli('CLIENT', 'LIST')).split('hotshelf-bus').length - 1;
    await listen(backend, 'a');
    await listen(backend, 'b');
    expect(await count()).toBe(1);
    const heard: string[] = [];
    const again = await backend.bus.subscribe('a', (message) => heard.push(message));
    expect(await count()).toBe(2);
    expect(await backend.bus.publish('a', 'x')).toBe(2);
    await until(() => heard.length === 1, { what: 'the message' });
    await again.close();
    await until(async () => (await count()) === 1, { what: 'the end of the connection' });
    expect(await backend.bus.publish('a', 'x')).toBe(1);
  });

  it('answers no probe while its connection is half-open, and reports that the sooner the more often it asks', async () => {
    const real = await server();
    const proxy = await proxyOf(real);
    const backend = await backendOn(proxy.url('redis'));
    const ages: number[] = [];
    const gaps: string[] = [];
    await backend.bus.subscribe('topic', () => {}, {
      probeEveryMs: 100,
      onProbe: (age) => ages.push(age),
      onGap: (state) => gaps.push(state),
    });
    await until(() => ages.length > 3, { what: 'probes' });
    proxy.blackhole();
    const startedAt = performance.now();
    const before = ages.length;
    await until(() => gaps.includes('lost'), { what: 'the gap', every: 2 });
    expect(performance.now() - startedAt).toBeLessThan(800);
    await sleep(300);
    expect(ages.length).toBe(before);
    await proxy.heal();
    await until(() => ages.length > before + 3, { what: 'probes' });
    expect(gaps).toEqual(['lost', 'restored']);
  });

  it('uses a connection of its own with a client that was handed in, and leaves that client alone', async () => {
    const real = await server();
    const client = later((one) => one.disconnect(), new Redis(real.port));
    const backend = await backendOn(client);
    await listen(backend, 'topic');
    expect(client.mode).toBe('normal');
    await backend.close();
    expect(await client.ping()).toBe('PONG');
    const list = async () => String(await real.cli('CLIENT', 'LIST'));
    await until(async () => !(await list()).includes('hotshelf-bus'), { what: 'the connection of the bus to end' });
  });

  it('calls a listener that throws a warning, and the others as ever', async () => {
    const real = await server();
    const backend = await backendOn(real.url);
    const warnings: Error[] = [];
    const warned = (warning: Error) => warnings.push(warning);
    process.on('warning', warned);
    await backend.bus.subscribe('topic', () => {
      throw new Error('mine');
    });
    const heard = await listen(backend, 'topic');
    await backend.bus.publish('topic', 'x');
    await until(() => heard.messages.length === 1 && warnings.length > 0, { what: 'the message and the warning' });
    process.off('warning', warned);
    expect(String(warnings[0])).toContain('mine');
  });
});

describe('subscribe', () => {
  it('fails within its time when the server is not there', async () => {
    const real = await server();
    await real.kill();
    const backend = later((one) => one.close(), redis(real.url));
    const startedAt = performance.now();
    const error = await errorOf(backend.bus.subscribe('topic', () => {}));
    expect(error.code).toBe('BACKEND_DOWN');
    expect(error.message).toContain('ECONNREFUSED');
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  it('is refused by a server that does not allow the topic', async () => {
    const real = await server();
    await real.cli('ACL', 'SETUSER', 'limited', 'on', '>pw', '~*', '+@all', 'resetchannels', '&allowed');
    const backend = await backendOn(`redis://limited:pw@127.0.0.1:${real.port}`);
    expect((await errorOf(backend.bus.subscribe('secret', () => {}))).code).toBe('BACKEND_REFUSED');
    expect((await errorOf(backend.bus.publish('secret', 'x'))).code).toBe('BACKEND_REFUSED');
    const heard = await listen(backend, 'allowed');
    await backend.bus.publish('allowed', 'x');
    await until(() => heard.messages.length === 1, { what: 'the message' });
    expect(heard.gaps).toEqual([]);
  });
});
