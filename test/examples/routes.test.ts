import type { Express } from 'express';
import request from 'supertest';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { City } from '../../examples/atlas/database/database.ts';
import { until } from '../kit/wait.ts';
import { type Place, places } from './places.ts';
import { createSite, nice, paris, type Site, suva } from './site.ts';

describe.each(Object.entries(places))('the atlas on %s', (_name, open) => {
  let place: Place;
  let site: Site;
  beforeAll(async () => {
    place = await open();
  });
  afterAll(() => place.close());
  beforeEach(async () => {
    site = createSite(place.database, await place.cold());
  });
  afterEach(() => site.close());

  /** By one name: an app that is asked directly listens on another port each time, and hosts have answers of their own. */
  const host = 'atlas.test';
  const get = (path: string) => request(site.first.app).get(path).set('Host', host);
  /** What was loaded just now may still be on its way to the backend. */
  const hit = (path: string) =>
    until(
      async () => {
        const reply = await get(path);
        return reply.headers['cache-status']?.startsWith('hotshelf; hit') && reply;
      },
      { what: `a hit on ${path}` },
    );
  const patch = (id: number, body: object) => request(site.first.app).patch(`/cities/${id}`).send(body);
  const resetNice = () =>
    place.database.query('update atlas_city set name = $1, population = $2 where id = $3', ['Nice', 338_620, nice]);

  describe('GET /cities/:id', () => {
    it('answers with the city', async () => {
      const { status, body, headers } = await get(`/cities/${paris}`);
      expect(status).toBe(200);
      expect(body).toEqual({
        id: paris,
        name: 'Paris',
        country: 'FR',
        population: 2_138_551,
        latitude: 48.85341,
        longitude: 2.3488,
      });
      expect(headers).toMatchObject({ 'x-instance': '1', 'cache-status': 'hotshelf; fwd=miss; stored' });
    });

    it('has a hit on what another instance loaded', async () => {
      await get(`/cities/${paris}`);
      const { headers } = await request(site.second.app).get(`/cities/${paris}`).set('Host', host);
      expect(headers['x-instance']).toBe('2');
      expect(secondsLeft(headers)).toBeGreaterThan(280);
      expect(secondsLeft(headers)).toBeLessThanOrEqual(300);
    });

    it('remembers for half a minute that there is no such city', async () => {
      const first = await get('/cities/1');
      expect(first.status).toBe(404);
      expect(first.headers['cache-status']).toBe('hotshelf; fwd=miss; stored');
      const second = await hit('/cities/1');
      expect(second.status).toBe(404);
      expect(secondsLeft(second.headers)).toBeGreaterThan(25);
      expect(secondsLeft(second.headers)).toBeLessThanOrEqual(30);
    });

    it.each(['0', '-1', '1.5', 'first', '2147483648', '1e3', '%20', '1;drop'])('refuses the id %s', async (id) => {
      expect((await get(`/cities/${id}`)).status).toBe(400);
    });
  });

  describe('GET /cities?ids=…', () => {
    it('has several cities in the order in which they were asked for, and asks the database once', async () => {
      await get(`/cities/${nice}`);
      const { status, body } = await get(`/cities?ids=${suva},${nice},1,${paris}`);
      expect(status).toBe(200);
      expect((body.cities as City[]).map(({ name }) => name)).toEqual(['Suva', 'Nice', 'Paris']);
      expect((await get('/stats')).body.origin.queries).toBe(2);
    });

    it('shares its entries with those who ask for one', async () => {
      await get(`/cities?ids=${suva},1`);
      expect(secondsLeft((await hit(`/cities/${suva}`)).headers)).toBeGreaterThan(280);
      expect((await get('/cities/1')).status).toBe(404);
      expect((await get('/stats')).body.origin.queries).toBe(1);
    });

    it.each([
      '',
      '?ids=',
      '?ids=1,',
      '?ids=1,x',
      '?ids=1&ids=2',
      `?ids=${Array.from({ length: 101 }, () => 1).join(',')}`,
    ])('refuses %s', async (query) => {
      expect((await get(`/cities${query}`)).status).toBe(400);
    });
  });

  describe('GET /countries', () => {
    const france = async (app: Express) => {
      const { body } = await request(app).get('/countries');
      return (body.countries as { code: string; cities: number; population: number }[]).find(
        ({ code }) => code === 'FR',
      );
    };

    it('counts the cities of each country and who lives there', async () => {
      const { body } = await get('/countries/FR/cities');
      expect(await france(site.first.app)).toMatchObject({ code: 'FR', cities: body.total });
    });

    it('counts again after a change, on every instance', async () => {
      const before = (await france(site.first.app))?.population ?? Number.NaN;
      expect((await france(site.second.app))?.population).toBe(before);
      await patch(nice, { population: 338_620 + 1000 });
      expect((await france(site.first.app))?.population).toBe(before + 1000);
      expect((await france(site.second.app))?.population).toBe(before + 1000);
      await resetNice();
    });
  });

  describe('GET /countries/:code/cities', () => {
    it('has twenty cities a page, the largest first', async () => {
      const { body } = await get('/countries/fr/cities');
      const cities = body.cities as City[];
      expect(body).toMatchObject({ country: 'FR', page: 1, next: '/countries/FR/cities?page=2' });
      expect(body.pages).toBe(Math.ceil(body.total / 20));
      expect(cities).toHaveLength(20);
      expect(cities[0]?.id).toBe(paris);
      expect(cities.map(({ population }) => population)).toEqual(
        cities.map(({ population }) => population).sort((a, b) => b - a),
      );
    });

    it('leads from page to page through every city once', async () => {
      const ids: number[] = [];
      let total = 0;
      for (let next: string | null = '/countries/NL/cities'; next !== null;) {
        const { body } = await get(next);
        ids.push(...(body.cities as City[]).map(({ id }) => id));
        ({ next, total } = body as { next: string | null; total: number });
      }
      expect(ids).toHaveLength(total);
      expect(new Set(ids).size).toBe(total);
    });

    it('asks the database two questions for a cold page, and none for a warm one', async () => {
      const queries = async (): Promise<number> => (await get('/stats')).body.origin.queries;
      expect((await get('/countries/FR/cities')).headers['cache-status']).toBe('hotshelf; fwd=miss; stored');
      expect(await queries()).toBe(2);
      await hit('/countries/FR/cities');
      expect(await queries()).toBe(2);
    });

    it('answers 404 where there is no such page and no such country', async () => {
      expect((await get('/countries/FR/cities?page=100000')).status).toBe(404);
      expect((await get('/countries/QQ/cities')).status).toBe(404);
    });

    it.each(['/countries/FRA/cities', '/countries/F1/cities', '/countries/FR/cities?page=0'])(
      'refuses %s',
      async (path) => {
        expect((await get(path)).status).toBe(400);
      },
    );

    it.each(['page=', 'page=-1', 'page=x', 'page=1&page=2'])('refuses ?%s', async (query) => {
      expect((await get(`/countries/FR/cities?${query}`)).status).toBe(400);
    });
  });

  describe('GET /cities/near', () => {
    it('has the ten nearest cities of a point that it has rounded', async () => {
      const { body, headers } = await get('/cities/near?lat=48.85341&lon=2.3488');
      expect(body.point).toEqual({ lat: 48.85, lon: 2.35 });
      expect(body.cities).toHaveLength(10);
      expect(body.cities[0]).toMatchObject({ id: paris, name: 'Paris', km: 0.4 });
      expect(headers['cache-status']).toBe('hotshelf; fwd=miss; stored');
    });

    it('answers neighbours from one entry', async () => {
      await get('/cities/near?lat=48.85341&lon=2.3488');
      await hit('/cities/near?lat=48.8512&lon=2.3461');
      expect((await get('/stats')).body.origin.queries).toBe(1);
    });

    it('works on both sides of the date line', async () => {
      const [east, west] = [await get('/cities/near?lat=-18&lon=-180'), await get('/cities/near?lat=-18&lon=180')];
      expect(west.body).toEqual(east.body);
      expect((west.body.cities as City[]).map(({ id }) => id)).toContain(suva);
    });

    it.each(['', '?lat=1', '?lat=91&lon=0', '?lat=0&lon=180.1', '?lat=0&lon=', '?lat=0x1&lon=0', '?lat=1&lat=2&lon=0'])(
      'refuses %s',
      async (query) => {
        expect((await get(`/cities/near${query}`)).status).toBe(400);
      },
    );
  });

  describe('PATCH /cities/:id', () => {
    afterEach(() => resetNice());

    it('is seen at once, on every instance, in the city and in every list', async () => {
      const paths = [`/cities/${nice}`, '/countries/FR/cities', '/cities/near?lat=43.70&lon=7.27'];
      const read = async (): Promise<string> => {
        const both = [site.first, site.second].flatMap(({ app }) => paths.map((path) => request(app).get(path)));
        return (await Promise.all(both)).map(({ text }) => text).join('\n');
      };
      await read();
      const { status, body } = await patch(nice, { name: 'Nizza', population: 400_000 });
      expect(status).toBe(200);
      expect(body).toMatchObject({ id: nice, name: 'Nizza', population: 400_000, country: 'FR' });
      const text = await read();
      expect(text.match(/"name":"Nizza","country":"FR","population":400000/g)).toHaveLength(6);
      expect(text).not.toContain('"name":"Nice"');
    });

    it('moves a city to its new place in the list of its country', async () => {
      const first = async (): Promise<number> => (await get('/countries/FR/cities')).body.cities[0].id;
      expect(await first()).toBe(paris);
      await patch(nice, { population: 3_000_000 });
      expect(await first()).toBe(nice);
    });

    it('ends every list of its country, and no other', async () => {
      const french = ['/countries/FR/cities', '/countries/FR/cities?page=2', '/cities/near?lat=43.70&lon=7.27'];
      const others = ['/countries/NL/cities', '/cities/near?lat=-18.14&lon=178.44', `/cities/${paris}`];
      for (const path of [...french, ...others]) await hit(path);
      await patch(nice, { name: 'Nizza' });
      for (const path of french) expect((await get(path)).headers['cache-status']).toBe('hotshelf; fwd=miss; stored');
      const { loads } = (await get('/stats')).body.cache;
      for (const path of others) await hit(path);
      expect((await get('/stats')).body.cache.loads).toBe(loads);
    });

    it('takes a name as text, whatever it looks like', async () => {
      const name = `Nice'); drop table atlas_city; -- "$1" ?1 \u{1f334}`;
      await patch(nice, { name });
      expect((await get(`/cities/${nice}`)).body.name).toBe(name);
    });

    it('answers 404 for a city that does not exist', async () => {
      expect((await patch(1, { name: 'Nowhere' })).status).toBe(404);
    });

    it.each([
      [{}],
      [[]],
      [{ name: '' }],
      [{ name: '  ' }],
      [{ name: 7 }],
      [{ name: null }],
      [{ name: 'a\u0000b' }],
      [{ name: 'x'.repeat(101) }],
      [{ population: -1 }],
      [{ population: 1.5 }],
      [{ population: '7' }],
      [{ population: 2 ** 31 }],
      [{ name: 'Nizza', country: 'IT' }],
    ])('refuses %j', async (body) => {
      expect((await patch(nice, body)).status).toBe(400);
      expect((await get(`/cities/${nice}`)).body.name).toBe('Nice');
    });
  });
});

/** Of a hit. */
function secondsLeft(headers: Readonly<Record<string, unknown>>): number {
  const field = String(headers['cache-status']);
  const [, seconds] = /^hotshelf; hit; ttl=(\d+)$/.exec(field) ?? [];
  if (seconds === undefined) throw new Error(`Expected a hit, got ${field}`);
  return Number(seconds);
}
