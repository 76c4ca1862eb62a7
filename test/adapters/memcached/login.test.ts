/** Shows logins and TLS on real servers, and that no secret and no value shows up anywhere. */

import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { memcached } from 'hotshelf/memcached';
import { makeCertificates } from '../../kit/certificates.ts';
import { startMemcached } from '../../kit/servers.ts';
import { until } from '../../kit/wait.ts';

const sasl = { user: 'al:ice@work', password: 'p:w@rd/%41 ü' };
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(options?: Parameters<typeof startMemcached>[0]) {
  const server = await startMemcached(options);
  cleanups.push(() => server.stop());
  return server;
}

function connect(...target: Parameters<typeof memcached>) {
  const backend = memcached(...target);
  cleanups.push(() => backend.close());
  return backend;
}

describe('a server that asks for a login', () => {
  it('takes the credentials of the URL and of the options', async () => {
    const server = await start({ sasl });
    for (const backend of [
      connect(server.url),
      connect(`127.0.0.1:${server.port}`, { username: sasl.user, password: sasl.password }),
    ]) {
      await backend.values.set('key', Buffer.from('value'), 60_000);
      expect((await backend.values.get('key'))?.bytes).toEqual(Buffer.from('value'));
    }
  });

  it('is down for those without the right ones, and says why without showing them', async () => {
    const server = await start({ sasl });
    const backend = connect(`127.0.0.1:${server.port}`, { username: sasl.user, password: 'wr0ng' });
    const error: unknown = await backend.values.get('key').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'BACKEND_DOWN' });
    expect(String(error)).toContain('it refused the login');
    expect(inspect(error, { depth: 9 })).not.toMatch(/wr0ng|al:ice/);
    await expect(connect(`127.0.0.1:${server.port}`).values.get('key')).rejects.toMatchObject({ code: 'BACKEND_DOWN' });
  });

  it('is warned about when it asks for none', async () => {
    const server = await start();
    const backend = connect(`127.0.0.1:${server.port}`, { username: 'alice', password: 's3cret' });
    const warnings: string[] = [];
    backend.watch((event) => event.type === 'warning' && warnings.push(event.message));
    expect(await backend.values.get('key')).toBeUndefined();
    expect(warnings).toEqual([`127.0.0.1:${server.port} asks for no login; the credentials were not used.`]);
  });
});

describe('a server that speaks TLS', () => {
  it('is used when its certificate is trusted, and not otherwise', async () => {
    const server = await start({ tls: true, sasl });
    const trusted = connect(server.url, { tls: { ca: server.ca } });
    const value = Buffer.alloc(500_000, 'x');
    await trusted.values.set('key', value, 60_000);
    expect((await trusted.values.get('key'))?.bytes).toEqual(value);

    const { ca } = await makeCertificates();
    const deceived = connect(server.url, { tls: { ca } });
    await expect(deceived.values.get('key')).rejects.toMatchObject({ code: 'BACKEND_DOWN' });
    const plain = connect(server.url, { tls: false, connectTimeout: 200 });
    await expect(plain.values.get('key')).rejects.toMatchObject({ code: 'BACKEND_DOWN' });
  });
});

describe('a server with an IPv6 address', () => {
  it('is reached by it', async () => {
    const server = await start();
    const backend = connect(`memcached://[::ffff:127.0.0.1]:${server.port}`);
    expect(await backend.health()).toMatchObject({ ok: true });
    await server.kill();
    await until(() => backend.health().then(({ ok }) => !ok), { what: 'the server to be down' });
    expect((await backend.health()).reason).toContain(`[::ffff:127.0.0.1]:${server.port}`);
  });
});

describe('secrets and values', () => {
  it('show up neither in the backend nor in its errors and events', async () => {
    const server = await start({ sasl });
    const backend = connect(server.url);
    const seen: unknown[] = [backend];
    backend.watch((event) => seen.push(event));
    const secretValue = Buffer.from('card 4111');
    await backend.values.set('session:tok3n', secretValue, 60_000);
    const keep = (promise: Promise<unknown>) => promise.catch((error: unknown) => seen.push(error));
    await keep(backend.counters.add('session:tok3n', 1, 60_000));
    await keep(backend.values.set('session:tok3n and more', secretValue, 60_000));
    await server.pause();
    await Promise.all([
      keep(backend.values.set('session:tok3n', secretValue, 60_000)),
      keep(backend.values.get('session:tok3n')),
    ]);
    await server.kill();
    await until(() => backend.health().then((health) => seen.push(health) > 0 && !health.ok), {
      what: 'the server to be down',
    });
    await keep(backend.values.set('session:tok3n', secretValue, 60_000));
    expect(seen.length).toBeGreaterThan(6);
    const shown = inspect(seen, { depth: 20, showHidden: true, getters: true }) + seen.map(String).join('');
    for (const secret of ['al:ice', 'p:w@rd', encodeURIComponent(sasl.password), 'tok3n', 'card 4111', '63 61 72 64']) {
      expect(shown).not.toContain(secret);
    }
  });
});
