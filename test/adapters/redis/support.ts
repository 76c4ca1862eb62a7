/** What the tests of the Redis adapter share: backends on real servers, and errors caught for a closer look. */

import { redis, type RedisFacets, type RedisOptions } from 'hotshelf/redis';
import type { BackendEvent, BackendWith } from '../../../src/backend/backend.ts';
import { HotshelfError } from '../../../src/support/errors.ts';
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
  await until(async () => (await backend.health()).ok, { what: 'the backend to be connected', within: 15_000 });
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
