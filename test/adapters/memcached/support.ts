/** What the tests of leaderboards on Memcached share: servers and backends that go with the test, and a look underneath. */

import { onTestFinished } from 'vitest';
import type { RankingRules } from 'hotshelf';
import { memcached, type MemcachedOptions } from 'hotshelf/memcached';
import { systemClock } from '../../../src/support/clock.ts';
import { ServerClient } from '../../../adapters/memcached/client.ts';
import { opcodes } from '../../../adapters/memcached/protocol.ts';
import { startMemcached, type MemcachedServer } from '../../kit/servers.ts';
import { until } from '../../kit/wait.ts';

export type MemcachedBackend = ReturnType<typeof memcached>;

export interface Address {
  readonly host: string;
  readonly port: number;
}

export const sum: RankingRules = { order: 'desc', ties: 'competition', mode: 'sum', cap: Infinity };

/** Two windows of a board. */
export const [day, week] = [
  { key: 'quiz:{eu}:day', expiresAt: Infinity },
  { key: 'quiz:{eu}:week', expiresAt: Infinity },
] as const;

/** Where Memcached keeps them, and what a process that lost leaves there. */
export const groupKey = 'quiz:{eu}§boards';

export async function server(args: readonly string[] = []): Promise<MemcachedServer> {
  const made = await startMemcached({ args });
  onTestFinished(() => made.stop());
  return made;
}

export async function backendOn({ host, port }: Address, options: MemcachedOptions = {}): Promise<MemcachedBackend> {
  const backend = memcached([{ host, port }], { deadline: '2s', ...options });
  onTestFinished(() => backend.close());
  await isUp(backend);
  return backend;
}

export function isUp(backend: MemcachedBackend): Promise<unknown> {
  return until(async () => (await backend.health()).ok, { what: 'the server to answer', within: 20_000 });
}

/** Reads and writes under keys that no facet may be given. */
export function underneath({ host, port }: Address) {
  const options = { host, port, tls: undefined, login: undefined, connectTimeoutMs: 5000, limits: {} };
  const client = new ServerClient({ ...options, clock: systemClock, onEvent: () => {} });
  onTestFinished(() => client.close());
  const ready = until(async () => (await client.ping(), true), { what: 'the server to answer' });
  return {
    async read(key: string): Promise<Buffer | undefined> {
      await ready;
      const stored = await client.read(key);
      return stored && Buffer.from(stored.bytes);
    },
    async write(key: string, value: Uint8Array): Promise<void> {
      await ready;
      await client.send({ opcode: opcodes.set, key, extras: Buffer.alloc(8), value });
    },
    async remove(key: string): Promise<void> {
      await ready;
      await client.send({ opcode: opcodes.delete, key });
    },
  };
}

/** How often the server carried out each command while `work` ran: `get`, `set` (add and replace, too), `delete`. */
export async function commandsOf(
  real: MemcachedServer,
  work: () => Promise<unknown>,
): Promise<Readonly<Record<'get' | 'set' | 'delete', number>>> {
  const count = async () => {
    const stats = await real.cli('stats');
    const stat = (name: string) => Number(new RegExp(`STAT ${name} (\\d+)`).exec(stats)?.[1]);
    return { get: stat('cmd_get'), set: stat('cmd_set'), delete: stat('delete_hits') + stat('delete_misses') };
  };
  const before = await count();
  await work();
  const after = await count();
  return { get: after.get - before.get, set: after.set - before.set, delete: after.delete - before.delete };
}
