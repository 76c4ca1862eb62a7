/** Finds the backend for a URL, and loads the adapter that it names and no other. */

import type { Backend, BackendWith, FacetName } from './backend/backend.ts';
import { durationMs, type Duration } from './support/duration.ts';
import { describe, HotshelfError } from './support/errors.ts';
import { checkOptionNames } from './support/options.ts';
import { sleep, systemClock } from './support/clock.ts';

export interface ConnectOptions {
  /**
   * Reject with `BACKEND_DOWN` unless the server answers within this time. Without it a server that is down at the start is
   * no error: everything built on the backend works without it as well as it can, and with it as soon as it answers.
   */
  requireWithin?: Duration;
}

/** The facets of every adapter. */
type Everywhere = 'values' | 'counters' | 'limits' | 'rankings';

/** The backend that a URL gives: what is known of it before the program runs. */
export type ConnectedTo<Url extends string> = Url extends `memcached${string}`
  ? BackendWith<Everywhere>
  : Url extends `redis${string}` | `memory:${string}`
    ? BackendWith<Everywhere | 'uniques' | 'bus'>
    : BackendWith<Everywhere> & Partial<BackendWith<FacetName>>;

type Opener = (url: string) => Promise<Backend>;

const openers: Readonly<Record<string, Opener>> = {
  'memory:': async (url) => (await import('../adapters/memory/index.ts')).memoryFromUrl(url),
  'redis:': openRedis,
  'rediss:': openRedis,
  'redis+cluster:': openRedis,
  'rediss+cluster:': openRedis,
  'redis+sentinel:': openRedis,
  'rediss+sentinel:': openRedis,
  'memcached:': openMemcached,
  'memcacheds:': openMemcached,
};

async function openRedis(url: string): Promise<Backend> {
  return (await adapter('ioredis', () => import('../adapters/redis/index.ts'))).redis(url);
}

async function openMemcached(url: string): Promise<Backend> {
  return (await adapter('memjs', () => import('../adapters/memcached/index.ts'))).memcached(url);
}

/**
 * Returns the backend for `url`: `memory:`, `redis://`, `rediss://`, `redis+cluster://h1,h2`, `redis+sentinel://h1,h2/name` or
 * `memcached://h1,h2`. Options stand in the query.
 *
 * @throws {HotshelfError} `URL_INVALID` when the URL cannot be understood, `CLIENT_MISSING` when the client package is not
 *   installed, `OPTION_INVALID`; with `requireWithin` also `BACKEND_DOWN`. No message shows credentials.
 * @example
 * const backend = await connect(process.env.HOTSHELF_URL ?? 'memory:');
 */
export async function connect<Url extends string>(url: Url, options?: ConnectOptions): Promise<ConnectedTo<Url>> {
  checkOptionNames(options, ['requireWithin'], 'connect()');
  const withinMs =
    options?.requireWithin === undefined ? undefined : durationMs(options.requireWithin, 'requireWithin');
  const backend = await openerOf(url)(url);
  if (withinMs !== undefined) await requireAnswer(backend, withinMs);
  return backend as ConnectedTo<Url>;
}

function openerOf(url: unknown): Opener {
  if (typeof url !== 'string' || url === '') {
    const got = url === '' ? 'an empty string' : describe(url);
    throw new HotshelfError(
      'URL_INVALID',
      `Expected connect() to get a URL such as "memory:" or "redis://…", got ${got}.`,
    );
  }
  const scheme = /^[a-z][a-z+]{0,20}:/i.exec(url)?.[0]?.toLowerCase();
  const opener = scheme === undefined ? undefined : openers[scheme];
  if (opener !== undefined) return opener;
  const known = Object.keys(openers).join(' ');
  throw new HotshelfError(
    'URL_INVALID',
    `connect() does not know the scheme ${scheme === undefined ? 'of that URL (it has none)' : `"${scheme}"`}. It knows ${known}`,
  );
}

async function adapter<Module>(client: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new HotshelfError('CLIENT_MISSING', `This backend needs the package ${client}. Run: npm install ${client}`, {
      cause: error,
    });
  }
}

async function requireAnswer(backend: Backend, withinMs: number): Promise<void> {
  const until = systemClock.monotonic() + withinMs;
  for (;;) {
    const health = await backend.health();
    if (health.ok) return;
    if (systemClock.monotonic() >= until) {
      await backend.close();
      throw new HotshelfError(
        'BACKEND_DOWN',
        `The ${backend.name} backend did not answer within ${withinMs} ms: ${health.reason ?? 'no reason known'}. Check the URL and that the server runs.`,
      );
    }
    await sleep(systemClock, Math.min(50, withinMs));
  }
}
