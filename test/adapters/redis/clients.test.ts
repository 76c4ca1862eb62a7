/** Shows how clients are treated: which are warned about, what stays open, what is sent, and what may be seen. */

import { inspect } from 'node:util';
import { clusterOptions, redis, redisOptions } from 'hotshelf/redis';
import { Cluster, Redis } from 'ioredis';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { infoField } from '../../kit/resp.ts';
import type { RedisServer } from '../../kit/redis.ts';
import { sleep, until } from '../../kit/wait.ts';
import { backendOn, bytes, cleanUp, errorOf, eventsOf, later, outcomeOf, server, text } from './support.ts';

afterEach(cleanUp);

const gone = <C extends { disconnect(): void; on(event: 'error', listener: () => void): C }>(client: C): C =>
  later((one) => one.disconnect(), client).on('error', () => {});

/** A warning is given when the event loop next turns: after this it is there, however late the machine makes timers. */
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Takes what our adapter would tell the process; others may have warnings of their own. */
async function processWarnings(during: () => Promise<unknown>): Promise<unknown[]> {
  const emitWarning = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  try {
    await during();
    const ours = emitWarning.mock.calls.filter(([, how]) => inspect(how).includes('HOTSHELF_'));
    return ours.flat();
  } finally {
    emitWarning.mockRestore();
  }
}

describe('a client that was handed in', () => {
  it('is warned about in one message that names what is dangerous', async () => {
    const client = gone(new Redis({ lazyConnect: true, port: 1, keyPrefix: 'p:', enableAutoPipelining: true }));
    const events = eventsOf(later((one) => one.close(), redis(client)));
    await nextTurn();
    const warnings = events.filter((event) => event.type === 'warning');
    expect(warnings).toHaveLength(1);
    for (const name of [
      'maxRetriesPerRequest',
      'autoResendUnfulfilledCommands',
      'enableOfflineQueue',
      'reconnectOnError',
      'keyPrefix',
      'enableAutoPipelining',
    ]) {
      expect(warnings[0]).toMatchObject({ message: expect.stringContaining(`\`${name}\``) });
    }
  });

  it('is warned about through the process when nobody watches', async () => {
    const warnings = await processWarnings(() => {
      later((one) => one.close(), redis(gone(new Cluster([{ port: 1 }], { lazyConnect: true }))));
      return nextTurn();
    });
    expect(warnings).toEqual([
      expect.stringContaining('`retryDelayOnFailover`'),
      expect.objectContaining({ code: 'HOTSHELF_REDIS_CLIENT' }),
    ]);
  });

  it('is not warned about with the recommended options', async () => {
    const warnings = await processWarnings(() => {
      later((one) => one.close(), redis(gone(new Redis({ ...redisOptions(), lazyConnect: true, port: 1 }))));
      later((one) => one.close(), redis(gone(new Cluster([{ port: 1 }], { ...clusterOptions(), lazyConnect: true }))));
      return nextTurn();
    });
    expect(warnings).toEqual([]);
  });

  it('stays open, and as it was, when the backend is closed', async () => {
    const real = await server();
    const client = gone(new Redis(real.port));
    await client.ping();
    const before = client.eventNames().map((name) => client.listenerCount(String(name)));
    const backend = await backendOn(client);
    await backend.values.set('k', bytes('value'), Infinity);
    await backend.close();
    expect(await client.set('other', 'x')).toBe('OK');
    expect(client.eventNames().map((name) => client.listenerCount(String(name)))).toEqual(before);
    expect(Object.hasOwn(client, 'flushQueue')).toBe(false);
  });

  it('works with automatic pipelines, a prefix and a lazy connection', async () => {
    const real = await server();
    const client = gone(new Redis(real.port, { enableAutoPipelining: true, keyPrefix: 'app:', lazyConnect: true }));
    const backend = await backendOn(client);
    await backend.values.set('k', bytes('value'), Infinity);
    expect(text(await backend.values.get('k'))).toBe('value');
    expect(await real.cli('EXISTS', 'app:k')).toBe(1);
    const version = (await backend.values.get('k'))?.version;
    expect(version === undefined ? undefined : await backend.values.deleteIf('k', version)).toBe(true);
  });

  it('keeps its own commands when the connection is lost, while ours are never sent again', async () => {
    const real = await server();
    const client = gone(new Redis(real.port));
    const backend = await backendOn(client);
    await backend.counters.add('ours', 1, Infinity);
    await real.pause();
    const ours = outcomeOf(backend.counters.add('ours', 1, Infinity));
    const theirs = client.incr('theirs');
    client.stream.destroy();
    await expect(ours).resolves.toBe('OUTCOME_UNKNOWN');
    real.resume();
    await theirs;
    await sleep(100);
    // What the kernel of the server already held is carried out once; ioredis repeats its own user's command.
    expect(Number(await real.cli('GET', 'ours'))).toBeLessThanOrEqual(2);
  });
});

describe('what is sent', () => {
  const calls = async (real: RedisServer, name: string): Promise<number> =>
    Number(/calls=(\d+)/.exec(infoField(await real.cli('INFO', 'commandstats'), `cmdstat_${name}`) ?? '')?.[1] ?? 0);

  it('is one command for all reads of a tick, each key once', async () => {
    const real = await server();
    const backend = await backendOn(real.url);
    await backend.values.set('a', bytes('A'), Infinity);
    await backend.counters.add('n', 3, Infinity);
    await real.cli('CONFIG', 'RESETSTAT');
    const [one, many, again, count] = await Promise.all([
      backend.values.get('a'),
      backend.values.getMany(['a', 'b', 'a']),
      backend.values.get('a'),
      backend.counters.read(['n', 'a']),
    ]);
    expect([one, ...many, again].map(text)).toEqual(['A', 'A', undefined, 'A', 'A']);
    expect(count).toEqual([3, 0]);
    expect([await calls(real, 'mget'), await calls(real, 'get')]).toEqual([1, 0]);
    await backend.values.get('a');
    expect([await calls(real, 'mget'), await calls(real, 'get')]).toEqual([1, 1]);
  });

  it('is one packet of several commands for very many reads', async () => {
    const real = await server();
    const backend = await backendOn(real.url);
    const keys = Array.from({ length: 1300 }, (_, n) => `key:${n}`);
    await Promise.all(keys.map((key) => backend.values.set(key, bytes(key), Infinity)));
    await real.cli('CONFIG', 'RESETSTAT');
    expect((await backend.values.getMany(keys)).map(text)).toEqual(keys);
    expect(await calls(real, 'mget')).toBe(3);
  });

  it('is nothing for keys and values that are not allowed', async () => {
    const real = await server();
    const backend = await backendOn(real.url, { maxValueBytes: 10 });
    await real.cli('CONFIG', 'RESETSTAT');
    expect((await errorOf(backend.values.set('k', new Uint8Array(11), Infinity))).code).toBe('VALUE_TOO_LARGE');
    expect((await errorOf(backend.values.get('a b'))).code).toBe('KEY_INVALID');
    expect((await errorOf(backend.values.set('k', bytes('x'), 0))).code).toBe('OPTION_INVALID');
    expect([await calls(real, 'set'), await calls(real, 'get')]).toEqual([0, 0]);
  });

  it('names the states that others wrote by their first bytes', async () => {
    const real = await server();
    const backend = await backendOn(real.url);
    for (const foreign of ['', 'abc', 'written by somebody else']) {
      await real.cli('SET', 'k', foreign);
      const found = await backend.values.get('k');
      expect(found).toBeDefined();
      if (found === undefined) continue;
      expect(await backend.values.deleteIf('none', found.version)).toBe(false);
      const next = await backend.values.cas('k', found.version, bytes('ours'), Infinity);
      expect(next).toBeDefined();
      expect(await backend.values.cas('k', found.version, bytes('twice'), Infinity)).toBeUndefined();
      expect(text(await backend.values.take('k'))).toBe('ours');
    }
  });
});

describe('a connection with TLS', () => {
  it('says why a certificate is not trusted', async () => {
    const real = await server({ tls: true });
    const backend = later((one) => one.close(), redis(`rediss://127.0.0.1:${real.port}`, { deadline: '2s' }));
    const events = eventsOf(backend);
    expect((await errorOf(backend.values.get('k'))).message).toMatch(/SELF_SIGNED|UNABLE_TO_VERIFY|SIGNATURE/);
    await until(() => events.length > 0, { what: 'the event' });
    expect(events[0]).toMatchObject({ reason: expect.stringMatching(/SELF_SIGNED|UNABLE_TO_VERIFY|SIGNATURE/) });
  });

  it('comes back after the server hung and after it was killed', async () => {
    const real = await server({ tls: true, password: 'secret' });
    const backend = await backendOn(
      { port: real.port, host: '127.0.0.1', password: 'secret', tls: { ca: real.ca ?? '' } },
      {},
    );
    await real.pause();
    await until(async () => (await outcomeOf(backend.values.get('k'))) === 'BACKEND_DOWN', { what: 'the breaker' });
    real.resume();
    await until(async () => (await outcomeOf(backend.values.get('k'))) === 'ok', { what: 'the backend', within: 3000 });
    await real.restart();
    await until(async () => (await outcomeOf(backend.values.get('k'))) === 'ok', { what: 'the backend', within: 5000 });
    expect(await backend.values.get('k')).toBeUndefined();
  });
});

describe('a backend', () => {
  it('shows no credentials', async () => {
    const real = await server({ password: 'secret-1' });
    const backend = await backendOn(`redis://:secret-1@127.0.0.1:${real.port}`);
    for (const shown of [backend, backend.values, backend.counters, backend.bus]) {
      expect(inspect(shown, { depth: 20, showHidden: true, getters: true })).not.toContain('secret-1');
    }
    expect(JSON.stringify(backend)).not.toContain('secret-1');
  });

  it('leaves no connection and no timer behind when it is closed', async () => {
    const real = await server();
    const before = process.getActiveResourcesInfo().length;
    const backend = await backendOn(real.url);
    await backend.bus.subscribe('topic', () => {});
    await backend.values.set('k', bytes('x'), Infinity);
    const asked = outcomeOf(backend.values.get('k'));
    await Promise.all([backend.close(), backend.close()]);
    expect(['CLOSED', 'ok']).toContain(await asked);
    expect((await backend.health()).ok).toBe(false);
    await until(() => process.getActiveResourcesInfo().length <= before, {
      what: 'everything to be gone',
      within: 3000,
    });
    const clients = async () => String(await real.cli('CLIENT', 'LIST')).match(/hotshelf/g)?.length ?? 0;
    await until(async () => (await clients()) === 0, { what: 'the connections to be gone' });
    await expect(backend.close()).resolves.toBeUndefined();
  });

  it('can be closed while its server is not there', async () => {
    const backend = redis('redis://127.0.0.1:1');
    const asked = outcomeOf(backend.values.get('k'));
    await backend.close();
    expect(['CLOSED', 'BACKEND_DOWN']).toContain(await asked);
    expect(await outcomeOf(backend.values.get('k'))).toBe('CLOSED');
  });

  it('answers for its health within its time', async () => {
    const real = await server();
    const backend = await backendOn(real.url, {});
    expect(await backend.health()).toEqual({ ok: true, latencyMs: expect.any(Number) });
    await real.pause();
    const startedAt = performance.now();
    const health = await backend.health();
    expect(performance.now() - startedAt).toBeLessThan(400);
    expect(health).toMatchObject({ ok: false, reason: expect.any(String) });
    real.resume();
  });
});
