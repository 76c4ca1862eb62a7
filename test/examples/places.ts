/** Where the atlas can be tested: its databases and its backends. */

import type { Database } from '../../examples/atlas/database/database.ts';
import { fillPostgres, openPostgres } from '../../examples/atlas/database/postgres.ts';
import { openSqlite } from '../../examples/atlas/database/sqlite.ts';
import { startMemcached, startPostgres, startRedis, startRedisCluster } from '../kit/servers.ts';
import { connectTwice, limit, type SiteOptions } from './site.ts';

export interface Place {
  readonly database: Database;
  /** Options of a site whose cache is empty. */
  cold(): Promise<SiteOptions>;
  close(): Promise<void>;
}

const openSmall = () => openSqlite({ limit });

export const places: Record<string, () => Promise<Place>> = {
  'SQLite and memory': async () => {
    const database = await openSmall();
    return { database, cold: async () => ({}), close: () => database.close() };
  },
  'SQLite and Redis': async () => {
    const [database, redis] = await Promise.all([openSmall(), startRedis()]);
    return {
      database,
      cold: () => redis.cli('FLUSHALL').then(async () => ({ backends: await connectTwice(redis.url) })),
      close: () => Promise.all([database.close(), redis.stop()]).then(() => {}),
    };
  },
  'SQLite and a Redis Cluster': async () => {
    const [database, cluster] = await Promise.all([openSmall(), startRedisCluster()]);
    const url = `redis+cluster://${cluster.masters.map(({ host, port }) => `${host}:${port}`).join(',')}`;
    return {
      database,
      async cold() {
        await Promise.all(cluster.masters.map((master) => master.cli('FLUSHALL')));
        return { backends: await connectTwice(url) };
      },
      close: () => Promise.all([database.close(), cluster.stop()]).then(() => {}),
    };
  },
  'SQLite and Memcached': async () => {
    const [database, memcached] = await Promise.all([openSmall(), startMemcached()]);
    return {
      database,
      cold: () => memcached.cli('flush_all').then(async () => ({ backends: await connectTwice(memcached.url) })),
      close: () => Promise.all([database.close(), memcached.stop()]).then(() => {}),
    };
  },
  'PostgreSQL and memory': async () => {
    const server = await startPostgres();
    await fillPostgres(server.url, { limit });
    const database = openPostgres(server.url);
    return { database, cold: async () => ({}), close: () => database.close().then(() => server.stop()) };
  },
};
