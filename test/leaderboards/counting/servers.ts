/** Where counting is tested: in this process, and on real servers over two connections. */

import { type BackendWith, connect } from 'hotshelf';
import { memory } from 'hotshelf/memory';
import { beforeAll } from 'vitest';
import type { FacetName } from '../../../src/backend/backend.ts';
import { startMemcached, startRedis, startRedisCluster } from '../../kit/servers.ts';

/** Two processes as the server sees them. */
type Pair<Name extends FacetName> = readonly [BackendWith<Name>, BackendWith<Name>];

interface Server {
  readonly url: string;
  stop(): Promise<void>;
}

const servers: Readonly<Record<string, () => Promise<Server>>> = {
  memory: async () => ({ url: 'memory:', stop: async () => {} }),
  Redis: () => startRedis(),
  'a Redis Cluster': async () => {
    const cluster = await startRedisCluster();
    const addresses = cluster.masters.map(({ host, port }) => `${host}:${port}`).join(',');
    return { url: `redis+cluster://${addresses}`, stop: () => cluster.stop() };
  },
  Memcached: () => startMemcached(),
};

/** Names of places for `describe.each`. */
export const everywhere: readonly string[] = Object.keys(servers);

/** Starts a server for the tests of a `describe`; returns the way to its backends, which certainly have the facets `names`. */
export function usePlace<Name extends FacetName>(place: string, names: readonly Name[]): () => Pair<Name> {
  let pair: Pair<Name> | undefined;
  beforeAll(async () => {
    const server = await servers[place]?.();
    if (server === undefined) throw new Error(`There is no place named ${place}`);
    const backends = place === 'memory' ? twice(memory()) : await connectTwice(server.url);
    const [one, other] = backends;
    if (!hasAll(one, names) || !hasAll(other, names)) throw new Error(`${place} lacks one of ${names.join(', ')}`);
    pair = [one, other];
    return async () => {
      await Promise.all(backends.map((backend) => backend.close()));
      await server.stop();
    };
  });
  return () => {
    if (pair === undefined) throw new Error('The server is not there yet');
    return pair;
  };
}

type Any = Awaited<ReturnType<typeof connect>>;

function twice(backend: Any): readonly [Any, Any] {
  return [backend, backend];
}

/** Patient with a machine that does other things too. */
async function connectTwice(url: string): Promise<readonly [Any, Any]> {
  const open = (): Promise<Any> => connect(`${url}?deadline=5s`, { requireWithin: '15s' });
  return [await open(), await open()];
}

function hasAll<Name extends FacetName>(backend: Any, names: readonly Name[]): backend is Any & BackendWith<Name> {
  return names.every((name) => (backend as Partial<BackendWith<FacetName>>)[name] !== undefined);
}
