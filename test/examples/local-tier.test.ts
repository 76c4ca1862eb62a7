import { connect } from 'hotshelf';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { City, Database } from '../../examples/atlas/database/database.ts';
import { openSqlite } from '../../examples/atlas/database/sqlite.ts';
import type { Instance } from '../../examples/atlas/instance.ts';
import { type Proxy, startProxy } from '../kit/proxy.ts';
import { type RedisServer, startRedis } from '../kit/servers.ts';
import { until } from '../kit/wait.ts';
import { createSite, nice, type Site } from './site.ts';

const paths = ['/countries/FR/cities', '/cities/near?lat=43.70&lon=7.27', `/cities/${nice}`];
const rounds = 10;
/** What the second instance hears, and says, is on its way for so long; a change that does not wait for it is noticed. */
const slowMs = 20;

describe('two instances of the atlas with local tiers on a Redis', () => {
  let database: Database;
  let redis: RedisServer;
  let slowLine: Proxy;
  let site: Site;
  beforeAll(async () => {
    [database, redis] = await Promise.all([openSqlite({ limit: 5000 }), startRedis()]);
    slowLine = await startProxy({ target: redis, delay: () => slowMs });
    const backends = [await connect(redis.url), await connect(slowLine.url('redis'))] as const;
    site = createSite(database, { backends });
  });
  afterAll(async () => {
    await site.close();
    await slowLine.stop();
    await Promise.all([database.close(), redis.stop()]);
  });

  const localHits = async ({ app }: Instance): Promise<number> =>
    (await request(app).get('/stats')).body.cache.localHits;

  /** Resolves when `instance` answers `path` from its own copy. */
  const keepsCopy = (instance: Instance, path: string) =>
    until(
      async () => {
        const before = await localHits(instance);
        await request(instance.app).get(path).expect(200);
        return (await localHits(instance)) > before;
      },
      { what: `a local hit on ${path}` },
    );

  it('answer from their own copies, and never from one that was true before a change elsewhere', async () => {
    const instances = [site.first, site.second] as const;
    for (let round = 1; round <= rounds; round += 1) {
      for (const instance of instances) for (const path of paths) await keepsCopy(instance, path);
      const writer = instances[round % 2] as Instance;
      const population = 338_620 + round;
      await request(writer.app).patch(`/cities/${nice}`).send({ population }).expect(200);
      const replies = await Promise.all(
        instances.flatMap(({ app }) =>
          paths.map((path) =>
            request(app)
              .get(path)
              .then((reply) => reply.body),
          ),
        ),
      );
      const seen = replies.map((body: City & { cities?: City[] }) =>
        (body.cities ?? [body]).find(({ id }) => id === nice),
      );
      expect(seen.map((city) => city?.population)).toEqual(Array.from({ length: 6 }, () => population));
    }
  });
});
