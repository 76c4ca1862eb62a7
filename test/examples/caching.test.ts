import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database, SqlValue } from '../../examples/atlas/database/database.ts';
import { openSqlite } from '../../examples/atlas/database/sqlite.ts';
import type { Instance } from '../../examples/atlas/instance.ts';
import { deferred, until } from '../kit/wait.ts';
import { createSite, nice, paris, type Site } from './site.ts';

describe('the cache of the atlas', () => {
  let database: Database;
  beforeAll(async () => {
    database = await openSqlite({ limit: 5000 });
  });
  afterAll(() => database.close());

  const stats = async (site: Site) => (await request(site.first.app).get('/stats')).body;

  it('asks the database once for a hundred readers of a cold city', async () => {
    const gate = deferred();
    const site = createSite(database, { beforeQuery: () => gate.promise });
    const server = site.first.app.listen(0);
    let asked = 0;
    server.on('request', () => {
      asked += 1;
    });
    const readers = Array.from({ length: 100 }, () =>
      request(server)
        .get(`/cities/${paris}`)
        .then((reply) => reply),
    );
    await until(() => asked === 100, { what: 'all readers to have asked' });
    gate.resolve();
    const fields = (await Promise.all(readers)).map(({ headers }) => headers['cache-status'] as string);
    expect(fields.filter((field) => field === 'hotshelf; fwd=miss; collapsed')).toHaveLength(99);
    expect(fields.filter((field) => field === 'hotshelf; fwd=miss; stored')).toHaveLength(1);
    expect(await stats(site)).toMatchObject({
      instance: '1',
      cache: { hits: 0, misses: 1, loads: 1, collapsed: 99, bypasses: 0 },
      origin: { queries: 1, saved: 99 },
    });
    server.close();
    await site.close();
  });

  it('loads once for two instances', async () => {
    const gate = deferred();
    let queries = 0;
    const site = createSite(database, {
      beforeQuery: () => {
        queries += 1;
        return gate.promise;
      },
    });
    const both = [site.first, site.second].map(({ app }) =>
      request(app)
        .get(`/cities/${paris}`)
        .then(({ status }) => status),
    );
    await until(() => queries > 0, { what: 'one of them to load' });
    gate.resolve();
    expect(await Promise.all(both)).toEqual([200, 200]);
    expect(queries).toBe(1);
    await site.close();
  });

  it('never puts an old list back that was being loaded while a population changed', async () => {
    const gate = deferred();
    const read = deferred();
    let slow = true;
    // Reads the list of France and is slow to hand it over, once.
    const lagging: Database = {
      ...database,
      query: async <Row>(sql: string, values?: readonly SqlValue[]) => {
        const rows = await database.query<Row>(sql, values);
        if (slow && values?.[0] === 'FR') {
          slow = false;
          read.resolve();
          await gate.promise;
        }
        return rows;
      },
    };
    const site = createSite(lagging);
    const largest = async ({ app }: Instance): Promise<string> =>
      (await request(app).get('/countries/FR/cities')).body.cities[0].name;
    const early = largest(site.first);
    await read.promise;
    await request(site.second.app).patch(`/cities/${nice}`).send({ population: 3_000_000 }).expect(200);
    expect(await largest(site.second)).toBe('Nice');
    gate.resolve();
    expect(await early).toBe('Paris');
    expect([await largest(site.first), await largest(site.second)]).toEqual(['Nice', 'Nice']);
    await site.close();
    await database.query('update atlas_city set population = $1 where id = $2', [338_620, nice]);
  });

  it('counts for each instance what it did itself', async () => {
    const site = createSite(database);
    await request(site.first.app).get(`/cities/${paris}`);
    await request(site.second.app).get(`/cities/${paris}`);
    await request(site.second.app).get(`/cities/${paris}`);
    expect(await stats(site)).toMatchObject({ instance: '1', cache: { hits: 0, misses: 1, hitRatio: 0 } });
    expect((await request(site.second.app).get('/stats')).body).toEqual({
      instance: '2',
      cache: {
        hits: 2,
        localHits: 2,
        staleServed: 0,
        misses: 0,
        loads: 0,
        collapsed: 0,
        bypasses: 0,
        unconfirmed: 0,
        hitRatio: 1,
      },
      origin: { queries: 0, saved: 2 },
      live: 0,
    });
    await site.close();
  });
});

describe('the health of the atlas', () => {
  it('is good while the database answers', async () => {
    const database = await openSqlite({ limit: 10 });
    const site = createSite(database);
    expect((await request(site.first.app).get('/healthz')).body).toEqual({ status: 'ok' });
    const { status, body } = await request(site.first.app).get('/readyz');
    expect(status).toBe(200);
    expect(body).toEqual({
      ready: true,
      draining: false,
      database: { name: 'sqlite', ok: true },
      cache: { name: 'memory', ok: true, latencyMs: 0 },
    });
    await site.close();
    await database.close();
  });

  it('is bad for new requests, and good for running ones, while it drains', async () => {
    const database = await openSqlite({ limit: 500 });
    const site = createSite(database);
    site.first.drain();
    const { status, body } = await request(site.first.app).get('/readyz');
    expect(status).toBe(503);
    expect(body).toMatchObject({ ready: false, draining: true });
    expect((await request(site.first.app).get('/healthz')).status).toBe(200);
    expect((await request(site.first.app).get(`/cities/${paris}`)).status).toBe(200);
    await site.close();
    await database.close();
  });

  it('is bad without the database', async () => {
    const database = await openSqlite({ limit: 10 });
    const site = createSite(database);
    await database.close();
    const { status, body } = await request(site.first.app).get('/readyz');
    expect(status).toBe(503);
    expect(body).toMatchObject({ ready: false, database: { ok: false }, cache: { ok: true } });
    await site.close();
  });
});
