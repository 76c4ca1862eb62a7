/** `/favourites…`: cities that a visitor keeps in mind, logged in or not. */

import { Router } from 'express';
import type { SessionsMiddleware } from 'hotshelf/sessions';
import type { Cities } from '../cities.ts';
import { readId } from '../input.ts';
import { onlyMethods, Problem } from '../problem.ts';
import { personal } from './account.ts';

const mostFavourites = 100;

export function favouriteRoutes(cities: Cities, visitors: SessionsMiddleware): Router {
  const router = Router();

  router
    .route('/favourites')
    .get(personal, visitors, async (request, response) => {
      const { favourites = [] } = request.session;
      response.json({ cities: favourites.length === 0 ? [] : await cities.cities(favourites) });
    })
    .all(onlyMethods('GET', 'HEAD'));

  router
    .route('/favourites/:id')
    .put(personal, visitors, async ({ params, session }, response) => {
      const id = readId(params.id);
      const { favourites = [] } = session;
      const { value: city } = await cities.city(id);
      if (city === null) throw new Problem(404, `There is no city ${id}.`);
      if (!favourites.includes(id)) {
        if (favourites.length >= mostFavourites) throw new Problem(409, `These are ${mostFavourites} cities already.`);
        session.favourites = [...favourites, id];
        session.views ??= 0;
      }
      response.status(204).end();
    })
    .delete(personal, visitors, ({ params, session }, response) => {
      const id = readId(params.id);
      const { favourites = [] } = session;
      if (favourites.includes(id)) session.favourites = favourites.filter((other) => other !== id);
      response.status(204).end();
    })
    .all(onlyMethods('PUT', 'DELETE'));

  return router;
}
