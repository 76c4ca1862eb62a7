/** Shows what is taken from a memjs client that the user made, and that its dangers are named once. */

import memjs from 'memjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { memcached, type MemjsClient } from 'hotshelf/memcached';
import { startMemcached } from '../../kit/servers.ts';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  vi.restoreAllMocks();
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

interface Created extends MemjsClient {
  get(key: string): Promise<{ readonly value: Buffer | null }>;
  close(): void;
}

function create(servers: string, options: object): Created {
  const { Client } = memjs as unknown as { Client: { create(servers: string, options: object): Created } };
  const client = Client.create(servers, options);
  cleanups.push(() => client.close());
  return client;
}

function backendOn(client: MemjsClient) {
  const backend = memcached(client);
  cleanups.push(() => backend.close());
  return backend;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a memjs client given to memcached()', () => {
  it('lends its servers and credentials, and stays open', async () => {
    const sasl = { user: 'alice', password: 'secret' };
    const server = await startMemcached({ sasl });
    cleanups.push(() => server.stop());
    const client = create(`alice:secret@127.0.0.1:${server.port}`, { retries: 1, timeout: 0.5 });
    const backend = backendOn(client);
    await backend.values.set('key', Buffer.from('value'), 60_000);
    await backend.close();
    expect((await client.get('key')).value).toEqual(Buffer.from('value'));
  });

  it('is warned about once, naming everything that is unsafe or not taken over', async () => {
    const client = create('127.0.0.1:1', {
      retries: 3,
      failover: true,
      timeout: 0,
      expires: 60,
      serializer: { serialize: () => ({}), deserialize: () => ({}) },
    });
    Object.assign(client, { getServer: () => 0 });
    const emitWarning = vi.spyOn(process, 'emitWarning').mockReturnValue();
    const messages: string[] = [];
    backendOn(client).watch((event) => event.type === 'warning' && messages.push(event.message));
    await turn();
    expect(messages).toHaveLength(1);
    for (const name of ['retries: 3', 'failover', 'no timeout', '`expires`', 'serializer', 'getServer']) {
      expect(messages[0]).toContain(name);
    }
    expect(emitWarning).not.toHaveBeenCalled();
  });

  it('is warned about on the process when nobody watches', async () => {
    const emitWarning = vi.spyOn(process, 'emitWarning').mockReturnValue();
    backendOn(create('127.0.0.1:1', { failover: true }));
    await turn();
    expect(emitWarning).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('failover'), {
      code: 'HOTSHELF_MEMJS_CLIENT',
    });
  });

  it('gives no cause for a warning when it is safe', async () => {
    const emitWarning = vi.spyOn(process, 'emitWarning').mockReturnValue();
    backendOn(create('127.0.0.1:1', { retries: 1, timeout: 0.5 }));
    await turn();
    expect(emitWarning).not.toHaveBeenCalled();
  });

  it('is refused where memjs misread its servers, and where they differ in their login', () => {
    expect(() => memcached(create('[::1]:11211', {}))).toThrow('memjs cannot read IPv6 addresses');
    expect(() => memcached(create('a:b@h1:1,c:d@h2:1', {}))).toThrow('different credentials');
  });
});
