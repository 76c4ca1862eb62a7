/** Shows that a backend behind Sentinels follows the master, planned or not. */

import { redisOptions } from 'hotshelf/redis';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { startSentinel, type SentinelGroup } from '../../kit/sentinel.ts';
import type { Proxy } from '../../kit/proxy.ts';
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
  replicated,
  text,
  up,
} from './support.ts';

afterEach(cleanUp);

async function group(password?: string): Promise<{ group: SentinelGroup; url: string }> {
  const started = await startSentinel(password === undefined ? {} : { password });
  later((one) => one.stop(), started);
  const credentials = password === undefined ? '' : `:${password}@`;
  const addresses = started.sentinels.map(({ host, port }) => `${host}:${port}`).join(',');
  return { group: started, url: `redis+sentinel://${credentials}${addresses}/${started.name}` };
}

it('follows a planned failover', async () => {
  const { group: sentinels, url } = await group('secret');
  const backend = await backendOn(url);
  await backend.values.set('k', bytes('value'), Infinity);
  await replicated(sentinels.primary);
  await sentinels.failover();
  await until(async () => (await outcomeOf(backend.values.set('w', bytes('x'), Infinity))) === 'ok', {
    what: 'writes to work',
  });
  expect(text(await backend.values.get('k'))).toBe('value');
  expect(await sentinels.replica.cli('EXISTS', 'w')).toBe(1);
}, 180_000);

it('leaves a master that hangs for the one that the Sentinels elect', async () => {
  const { group: sentinels, url } = await group();
  const backend = await backendOn(url, {});
  const events = eventsOf(backend);
  await backend.values.set('k', bytes('value'), Infinity);
  await replicated(sentinels.primary);
  await sentinels.primary.pause();
  await until(async () => (await outcomeOf(backend.values.get('k'))) === 'BACKEND_DOWN', { what: 'the breaker' });
  const error = await errorOf(backend.values.get('k'));
  expect(error.message).toContain('the Sentinel group "hotshelf"');
  await until(up(backend), { what: 'the new master', within: 60_000 });
  expect(text(await backend.values.get('k'))).toBe('value');
  expect(await outcomeOf(backend.values.set('w', bytes('x'), Infinity))).toBe('ok');
  expect(events.map(({ type }) => type)).toEqual(['down', 'up']);
  sentinels.primary.resume();
}, 180_000);

describe('a failover that is announced while a Sentinel is asked', () => {
  async function clientOfSlowSentinel(): Promise<{ client: Redis; proxy: Proxy }> {
    const { group: sentinels } = await group();
    const [first] = sentinels.sentinels;
    if (first === undefined) throw new Error('There is no Sentinel.');
    const proxy = await proxyOf(first);
    const options = {
      ...redisOptions(),
      sentinels: [{ host: proxy.host, port: proxy.port }],
      updateSentinels: false,
      name: sentinels.name,
    };
    const client = later((one) => one.disconnect(), new Redis(options)).on('error', () => {});
    await until(() => client.status === 'ready', { what: 'the client to be ready' });
    return { client, proxy };
  }

  /** Has the connection lost, and the next attempt ended in the middle. */
  async function endAttempt({ client, proxy }: { client: Redis; proxy: Proxy }, how: () => void): Promise<void> {
    proxy.delay = () => 50;
    client.stream.destroy();
    await until(() => client.status === 'connecting', { what: 'the Sentinel to be asked', every: 1 });
    const ended = new Promise((resolve) => client.once('end', resolve));
    how();
    await ended;
  }

  /** What the detector of failovers in ioredis does. */
  const announce = (client: Redis) => () =>
    (client as unknown as { connector: { disconnect(): void } }).connector.disconnect();

  it('is survived', async () => {
    const scene = await clientOfSlowSentinel();
    const backend = await backendOn(scene.client);
    await endAttempt(scene, announce(scene.client));
    await until(up(backend), { what: 'the backend to be back' });
  });

  it('is the end of a client without a backend (control)', async () => {
    const scene = await clientOfSlowSentinel();
    await endAttempt(scene, announce(scene.client));
    await sleep(200);
    expect(scene.client.status).toBe('end');
  });

  it('does not open a client again that its user closed', async () => {
    const scene = await clientOfSlowSentinel();
    await backendOn(scene.client);
    await endAttempt(scene, () => scene.client.disconnect());
    await sleep(200);
    expect(scene.client.status).toBe('end');
  });
});
