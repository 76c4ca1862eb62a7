/** `/quiz…`, `/leaderboards/…` and `/trending`: what makes a game of the atlas. */

import express, { Router } from 'express';
import type { SessionsMiddleware } from 'hotshelf/sessions';
import type { Cities } from '../cities.ts';
import type { City } from '../database/database.ts';
import type { EventStreams } from '../event-streams.ts';
import { type Game, givePoint, shown } from '../game.ts';
import { readAnswer, readPage, readWindow } from '../input.ts';
import type { Limits } from '../limits.ts';
import { pageSize } from '../origin.ts';
import { onlyMethods, Problem } from '../problem.ts';
import { userOf } from '../visitors.ts';
import { personal } from './account.ts';
import { jsonBody } from './body.ts';

const topSize = 10;

export interface GameParts {
  readonly cities: Cities;
  readonly game: Game;
  readonly visitors: SessionsMiddleware;
  readonly streams: EventStreams;
  readonly limits: Limits;
}

export function gameRoutes({ cities, game, visitors, streams, limits }: GameParts): Router {
  const { quiz, board, looks } = game;
  const router = Router();

  router
    .route('/quiz')
    .get(personal, async (_request, response) => {
      const question = quiz.ask(await cities.largest());
      const asked = await cities.cities(question.cities);
      response.json({
        question: 'Which of these cities is larger?',
        cities: asked.map(({ id, name, country }) => ({ id, name, country })),
        token: question.token,
        expiresAt: new Date(question.expiresAt),
      });
    })
    .all(onlyMethods('GET', 'HEAD'));

  router
    .route('/quiz/answer')
    .post(personal, express.json({ limit: '4kb' }), visitors, async (request, response) => {
      const user = userOf(request);
      const { token, city: picked } = readAnswer(jsonBody(request));
      const question = quiz.read(token);
      if (question === undefined) throw new Problem(400, 'This question was not asked here.');
      if (!question.cities.includes(picked)) throw new Problem(400, '`city` is the id of one of the two cities.');
      if (question.expiresAt < Date.now()) throw new Problem(410, 'It is too late for this question. Ask for another.');
      const both = await cities.cities(question.cities);
      if (!(await quiz.isFirstAnswer(question))) throw new Problem(409, 'This question was answered before.');
      const right = both.every((city) => city.population <= populationOf(both, picked));
      response.json({ right, cities: both, ...(right && { score: await givePoint(game, user) }) });
    })
    .all(onlyMethods('POST'));

  router
    .route('/leaderboards/:window')
    .get(async (request, response) => {
      const window = readWindow(request.params.window);
      const page = readPage(request.query['page']);
      const { rows, size } = await board.page({ page, count: pageSize, window });
      response.json({ window, page, pages: Math.ceil(size / pageSize), players: size, rows: rows.map(shown) });
    })
    .all(onlyMethods('GET', 'HEAD'));

  router
    .route('/leaderboards/:window/around-me')
    .get(personal, visitors, async (request, response) => {
      const window = readWindow(request.params.window);
      const { id } = userOf(request);
      const found = await board.around(id, 3, { window });
      if (found === null) throw new Problem(404, 'You have no score there yet. Answer a question of /quiz.');
      const rows = found.rows.map((row) => ({ ...shown(row), ...(row.member === id && { you: true }) }));
      response.json({ window, players: found.size, rows });
    })
    .all(onlyMethods('GET', 'HEAD'));

  router
    .route('/leaderboards/:window/live')
    .head((request, response) => {
      readWindow(request.params.window);
      response.type('text/event-stream').set('Cache-Control', 'no-store').end();
    })
    .get(limits.streams, (request, response) => {
      const window = readWindow(request.params.window);
      streams.begin(response, (tell) =>
        board.subscribe(({ rows }) => tell('top', { window, rows: rows.map(shown) }), { window, size: topSize }),
      );
    })
    .all(onlyMethods('GET', 'HEAD'));

  router
    .route('/trending')
    .get(async (_request, response) => {
      const rows = await looks.top(topSize);
      const found = await cities.cities(rows.map(({ member }) => Number(member)));
      const weights = new Map(rows.map(({ member, weight }) => [member, Math.round(weight * 100) / 100]));
      response.json({
        cities: found.map(({ id, name, country }) => ({ id, name, country, weight: weights.get(String(id)) })),
      });
    })
    .all(onlyMethods('GET', 'HEAD'));

  return router;
}

function populationOf(cities: readonly City[], picked: number): number {
  return cities.find(({ id }) => id === picked)?.population ?? 0;
}
