/** `/signup`, `/login`, `/logout…` and `/me…`: who somebody is, here and on other devices. */

import express, { type RequestHandler, Router } from 'express';
import type { SessionsMiddleware } from 'hotshelf/sessions';
import { logout } from 'hotshelf/sessions';
import type { Accounts } from '../accounts.ts';
import { readCredentials } from '../input.ts';
import type { Limits } from '../limits.ts';
import { onlyMethods, Problem } from '../problem.ts';
import { begin, userOf } from '../visitors.ts';
import { jsonBody } from './body.ts';

export function accountRoutes(accounts: Accounts, visitors: SessionsMiddleware, limits: Limits): Router {
  const router = Router();
  const body = express.json({ limit: '4kb' });

  router
    .route('/signup')
    .post(personal, body, visitors, async (request, response) => {
      const credentials = readCredentials(jsonBody(request));
      const user = await accounts.create(credentials);
      if (user === undefined) throw new Problem(409, `Somebody is called ${credentials.name} already.`);
      await begin(request, user);
      response.status(201).json({ user });
    })
    .all(onlyMethods('POST'));

  router
    .route('/login')
    .post(personal, limits.loginsFrom, body, limits.loginsAs, visitors, async (request, response) => {
      const user = await accounts.find(readCredentials(jsonBody(request)));
      if (user === undefined)
        throw new Problem(401, 'The name or the password is wrong.', { 'WWW-Authenticate': 'Cookie' });
      await begin(request, user);
      response.json({ user });
    })
    .all(onlyMethods('POST'));

  router
    .route('/logout')
    .post(personal, visitors, async (request, response) => {
      await logout(request);
      response.status(204).end();
    })
    .all(onlyMethods('POST'));

  router
    .route('/logout/everywhere')
    .post(personal, visitors, async (request, response) => {
      const ended = await visitors.revokeOwner(userOf(request).id);
      await logout(request);
      response.json({ ended });
    })
    .all(onlyMethods('POST'));

  router
    .route('/me')
    .get(personal, visitors, (request, response) => {
      const user = userOf(request);
      const { favourites = [], views = 0 } = request.session;
      response.json({ user, favourites, views });
    })
    .all(onlyMethods('GET', 'HEAD'));

  router
    .route('/me/sessions')
    .get(personal, visitors, async (request, response) => {
      const list = await visitors.listByOwner(userOf(request).id);
      const current = visitors.store.idOf(request);
      const sessions = list.map(({ id, createdAt, seenAt, expiresAt, fields }) => ({
        id,
        current: id === current,
        createdAt: new Date(createdAt),
        seenAt: new Date(seenAt),
        expiresAt: new Date(expiresAt),
        views: fields['views'],
      }));
      response.json({ sessions });
    })
    .all(onlyMethods('GET', 'HEAD'));

  return router;
}

/** What is said to one person is kept nowhere on the way. */
export const personal: RequestHandler = (_request, response, next) => {
  response.set('Cache-Control', 'no-store');
  next();
};
