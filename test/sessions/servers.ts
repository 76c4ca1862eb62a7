/** The backends that sessions are tested on: one process, and real servers. */

import type { BackendWith } from 'hotshelf';
import { connect } from 'hotshelf';
import { startMemcached, startRedis, startRedisCluster } from '../kit/servers.ts';
import { until } from '../kit/wait.ts';

export interface Place {
  /** For `connect()`. */
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** What there is, and how it is started. */
export const places = {
  Redis: async (): Promise<Place> => {
    const server = await startRedis();
    return { url: server.url, stop: () => server.stop() };
  },
  'a Redis Cluster': async (): Promise<Place> => {
    const cluster = await startRedisCluster();
    const addresses = cluster.masters.map(({ host, port }) => `${host}:${port}`).join(',');
    return { url: `redis+cluster://${addresses}`, stop: () => cluster.stop() };
  },
  Memcached: async (): Promise<Place> => {
    const server = await startMemcached();
    return { url: server.url, stop: () => server.stop() };
  },
} as const;

/** Resolves with a backend that answers, and is patient with a machine that runs everything at once. */
export async function connected(url: string, deadline = '2s'): Promise<BackendWith<'values'>> {
  const backend = await connect(`${url}${url.includes('?') ? '&' : '?'}deadline=${deadline}`);
  await until(async () => (await backend.health()).ok, { what: 'the backend to answer', within: 45_000 });
  return backend;
}
