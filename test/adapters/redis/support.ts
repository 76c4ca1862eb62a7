/** What the tests of the Redis adapter share: backends on real servers, and errors caught for a closer look. */

import { redis, type RedisFacets, type RedisOptions } from 'hotshelf/redis';
import type { BackendEvent, BackendWith } from '../../../src/backend/backend.ts';
import { HotshelfError } from '../../../src/support/errors.ts';
import { startProxy, type Proxy } from '../../kit/proxy.ts';
import { startRedis, type RedisServer } from '../../kit/redis.ts';
import { until } from '../../kit/wait.ts';

export type RedisBackend = BackendWith<RedisFacets>;
export type Target = Parameters<typeof redis>[0];

/** Long enough for a machine that runs everything at once: where a test is not about deadlines. */
export const patient: RedisOptions = { deadline: '2s' };

/** Resolves when the backend answers. */
export async function connected(target: Target, options: RedisOptions = patient): Promise<RedisBackend> {
  const backend = redis(target, options);
  // Whoever watches takes the warnings about a client; they have a test of their own.
  backend.watch(() => {});
  await until(async () => (await backend.health()).ok, { what: 'the backend to be connected', within: 45_000 });
  return backend;
}

/** Collects the events of a backend. */
export function eventsOf(backend: RedisBackend): BackendEvent[] {
  const events: BackendEvent[] = [];
  backend.watch((event) => events.push(event));
  return events;
}

/** Returns the error that `promise` rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<HotshelfError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof HotshelfError) return error;
    throw error;
  }
  throw new Error('Expected a rejection.');
}

/** Returns how it went: `ok`, or the code of the error. */
export function outcomeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'ok',
    (error: unknown) => (error instanceof HotshelfError ? error.code : `not ours: ${String(error)}`),
  );
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (found: { readonly bytes: Uint8Array } | undefined): string | undefined =>
  found === undefined ? undefined : new TextDecoder().decode(found.bytes);

const cleanups: (() => unknown)[] = [];

/** Puts `made` away after the test. */
export function later<T>(cleanup: (made: T) => unknown, made: T): T {
  cleanups.push(() => cleanup(made));
  return made;
}

/** For `afterEach`. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
}

export async function server(...args: Parameters<typeof startRedis>): Promise<RedisServer> {
  return later((one) => one.stop(), await startRedis(...args));
}

export async function proxyOf(target: Pick<RedisServer, 'host' | 'port'>): Promise<Proxy> {
  return later((one) => one.stop(), await startProxy({ target }));
}

export async function backendOn(...args: Parameters<typeof connected>): Promise<RedisBackend> {
  return later((one) => one.close(), await connected(...args));
}

/** For `until`: the backend answers. */
export const up = (backend: RedisBackend) => async () => (await outcomeOf(backend.values.get('any'))) === 'ok';

/** Resolves when the replica of `master` has everything: a failover loses what was not copied yet. */
export async function replicated(master: RedisServer): Promise<void> {
  const done = async () => {
    const info = String(await master.cli('INFO', 'replication'));
    return /slave0:.*offset=(\d+)/.exec(info)?.[1] === /master_repl_offset:(\d+)/.exec(info)?.[1];
  };
  await until(done, { what: 'the replica to have everything' });
}
