/** `/cities/…` and `/countries/…` */

import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import type { Key, Lookup } from 'hotshelf';
import { cacheResponses } from 'hotshelf/express';
import type { Trending } from 'hotshelf/leaderboards';
import { cacheStatusOf } from '../cache-status.ts';
import { type Cities, inCountry, toGrid } from '../cities.ts';
import { readChange, readCountry, readId, readIds, readPage, readPoint } from '../input.ts';
import { pageSize } from '../origin.ts';
import { onlyMethods, Problem } from '../problem.ts';
import { countView } from '../visitors.ts';
import { jsonBody } from './body.ts';

/**
 * @param looks counts which cities are looked at
 * @param ttlMs how long whole answers are fresh
 */
export function cityRoutes(cities: Cities, visitors: RequestHandler, looks: Trending, ttlMs: number): Router {
  const router = Router();
  /** Keeps whole lists, as bytes: they are the longest answers, and their handlers need not even ask for the cities. */
  const keptLists = (...query: string[]) =>
    cacheResponses<Request>({
      cache: cities.cache,
      name: 'lists',
      ttl: ({ status }) => (status === 200 ? ttlMs : undefined),
      grace: '1d',
      query,
      tags: ({ res }) => countriesOf(res),
    });

  router
    .route('/cities')
    .get(async (request, response) => {
      response.json({ cities: await cities.cities(readIds(request.query['ids'])) });
    })
    .all(onlyMethods('GET', 'HEAD'));

  router
    .route('/cities/near')
    .get(keptLists('lat', 'lon'), async (request, response) => {
      const point = toGrid(readPoint(request.query));
      const nearby = partOfList(response, await cities.near(point), (found) => found);
      response.json({ point, cities: nearby.map((city) => ({ ...city, km: Math.round(city.km * 10) / 10 })) });
    })
    .all(onlyMethods('GET', 'HEAD'));

  router
    .route('/cities/:id')
    .get(visitors, async (request, response) => {
      const id = readId(request.params.id);
      const city = found(response, await cities.city(id)) ?? noCity(id);
      countView(request);
      // Nobody waits for it, and the city is shown whether or not it can be counted.
      void looks.hit(String(id));
      response.json(city);
    })
    .patch(express.json({ limit: '4kb' }), async (request, response) => {
      const id = readId(request.params.id);
      const change = readChange(jsonBody(request));
      const { value: city } = await cities.city(id);
      response.json((city && (await cities.change(city, change))) ?? noCity(id));
    })
    .all(onlyMethods('GET', 'HEAD', 'PATCH'));

  router
    .route('/countries')
    .get(async (_request, response) => {
      response.json({ countries: await cities.countries() });
    })
    .all(onlyMethods('GET', 'HEAD'));

  router
    .route('/countries/:code/cities')
    .get(keptLists('page'), async (request, response) => {
      const country = readCountry(request.params.code);
      const page = readPage(request.query['page']);
      const answer = partOfList(response, await cities.page(country, page), () => [{ country }]);
      if (answer === null) throw new Problem(404, `There is no page ${page} of cities in ${country}.`);
      const pages = Math.ceil(answer.total / pageSize);
      const next = page < pages ? `/countries/${country}/cities?page=${page + 1}` : null;
      response.json({ country, page, pages, total: answer.total, next, cities: answer.cities });
    })
    .all(onlyMethods('GET', 'HEAD'));

  return router;
}

/**
 * Returns the value of a lookup, and says which countries the answer has cities of: a change of one of them ends it. What is
 * made of an old value, because the database fails, is not kept as if it were new.
 */
function partOfList<Value>(
  response: Response,
  { value, status }: Lookup<Value>,
  citiesOf: (value: Value) => readonly { readonly country: string }[],
): Value {
  response.locals['countries'] = citiesOf(value).map(inCountry);
  if (status === 'stale') response.set('Cache-Control', 'no-store');
  return value;
}

function countriesOf(response: Response | undefined): readonly Key[] {
  return (response?.locals['countries'] ?? []) as readonly Key[];
}

/** Returns the value of a lookup, and tells the client where it came from. */
function found<Value>(response: Response, lookup: Lookup<Value>): Value {
  response.set('Cache-Status', cacheStatusOf(lookup));
  return lookup.value;
}

function noCity(id: number): never {
  throw new Problem(404, `There is no city ${id}.`);
}
