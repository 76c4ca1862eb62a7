/** `/cities/…` and `/countries/…` */

import express, { type Request, type Response, Router } from 'express';
import { cacheStatusOf } from '../cache-status.ts';
import { type Answer, type Cities, pageSize, toGrid } from '../cities.ts';
import { readChange, readCountry, readId, readPage, readPoint } from '../input.ts';
import { onlyMethods, Problem } from '../problem.ts';

export function cityRoutes(cities: Cities): Router {
  const router = Router();

  router
    .route('/cities/near')
    .get(async (request, response) => {
      const point = toGrid(readPoint(request.query));
      const nearby = await cities.near(point);
      tellCacheStatus(response, nearby);
      response.json({ point, cities: nearby.value.map((city) => ({ ...city, km: Math.round(city.km * 10) / 10 })) });
    })
    .all(onlyMethods('GET', 'HEAD'));

  router
    .route('/cities/:id')
    .get(async (request, response) => {
      const id = readId(request.params.id);
      const city = await cities.city(id);
      tellCacheStatus(response, city);
      response.json(city.value ?? notFound(id));
    })
    .patch(express.json({ limit: '4kb' }), async (request, response) => {
      const id = readId(request.params.id);
      const change = readChange(jsonBody(request));
      response.json((await cities.change(id, change)) ?? notFound(id));
    })
    .all(onlyMethods('GET', 'HEAD', 'PATCH'));

  router
    .route('/countries/:code/cities')
    .get(async (request, response) => {
      const country = readCountry(request.params.code);
      const page = readPage(request.query['page']);
      const answer = await cities.page(country, page);
      tellCacheStatus(response, answer);
      if (answer.value === null) throw new Problem(404, `There is no city in ${country}.`);
      const { total } = answer.value;
      const pages = Math.ceil(total / pageSize);
      if (page > pages) throw new Problem(404, `${country} has ${pages} ${pages === 1 ? 'page' : 'pages'}.`);
      const next = page < pages ? `/countries/${country}/cities?page=${page + 1}` : null;
      response.json({ country, page, pages, total, next, cities: answer.value.cities });
    })
    .all(onlyMethods('GET', 'HEAD'));

  return router;
}

function tellCacheStatus(response: Response, { lookups }: Answer<unknown>): void {
  response.set('Cache-Status', cacheStatusOf(lookups));
}

function jsonBody(request: Request): unknown {
  if (request.get('Content-Type') !== undefined && !request.is('json')) {
    throw new Problem(415, 'The body must be application/json.');
  }
  return request.body;
}

function notFound(id: number): never {
  throw new Problem(404, `There is no city ${id}.`);
}
