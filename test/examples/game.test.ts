import { memory } from 'hotshelf/memory';
import { chaos } from 'hotshelf/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../examples/atlas/database/database.ts';
import { openSqlite } from '../../examples/atlas/database/sqlite.ts';
import { until } from '../kit/wait.ts';
import { watch } from './event-source.ts';
import { type Place, places } from './places.ts';
import { Player } from './player.ts';
import { createSite, nice, paris, suva } from './site.ts';
import { openSite, type OpenSite } from './visitor.ts';

const windows = ['day', 'week', 'all'] as const;

/** What `/stats` of both instances say. */
async function watchedOn(site: OpenSite): Promise<Record<string, unknown>> {
  const replies = [await site.visitor().get('/stats'), await site.visitor().get('/stats')];
  return Object.fromEntries(replies.map(({ body }) => [body['instance'], body['live']]));
}

describe.each(Object.entries(places))('the game of the atlas on %s', (_name, open) => {
  let place: Place;
  let site: OpenSite;
  beforeAll(async () => {
    place = await open();
  });
  afterAll(() => place.close());
  beforeEach(async () => {
    site = await openSite(createSite(place.database, await place.cold()));
  });
  afterEach(() => site.close());

  it('asks which of two cities is larger, and gives a point for the right answer in every window', async () => {
    const player = await Player.signedUp(site, place.database);
    const asked = await player.ask();
    expect(asked).toEqual({
      question: 'Which of these cities is larger?',
      cities: [1, 2].map(() => ({ id: expect.any(Number), name: expect.any(String), country: expect.any(String) })),
      token: expect.any(String),
      expiresAt: expect.any(String),
    });
    const [larger, smaller] = await player.ranked(asked);
    const { status, body, headers } = await player.answer(asked.token, larger);
    expect(status).toBe(200);
    expect(headers.get('Cache-Control')).toBe('no-store');
    const point = { score: 1, previous: null, rank: 1, improved: true };
    expect(body).toMatchObject({ right: true, score: { day: point, week: point, all: point } });
    expect(new Set((body['cities'] as { id: number }[]).map(({ id }) => id))).toEqual(new Set([larger, smaller]));
    expect((await player.score()).body).toMatchObject({ right: true, score: { day: { score: 2, previous: 1 } } });
  });

  it('gives nothing for a wrong answer', async () => {
    const player = await Player.signedUp(site, place.database);
    const asked = await player.ask();
    const [larger, smaller] = await player.ranked(asked);
    const { body } = await player.answer(asked.token, smaller);
    // Two cities may be of one size.
    const [first, second] = body['cities'] as [{ population: number }, { population: number }];
    if (first.population !== second.population) {
      expect(body).toEqual({ right: false, cities: expect.any(Array) });
      expect((await player.answer(asked.token, larger)).status).toBe(409);
      expect((await player.browser.get('/leaderboards/day')).body).toMatchObject({ players: 0, rows: [] });
    }
  });

  it('takes one answer to a question, however many come at once to whichever instance', async () => {
    const player = await Player.signedUp(site, place.database);
    const asked = await player.ask();
    const [larger] = await player.ranked(asked);
    const replies = await Promise.all(Array.from({ length: 6 }, () => player.answer(asked.token, larger)));
    const statuses = replies.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(5);
    expect((await player.browser.get('/leaderboards/all')).body).toMatchObject({ rows: [{ score: 1 }] });
  });

  it('shows the same leaderboards on both instances, and everybody his neighbours', async () => {
    const players = [];
    for (const points of [3, 1, 2]) {
      const player = await Player.signedUp(site, place.database);
      for (let point = 0; point < points; point += 1) expect((await player.score()).status).toBe(200);
      players.push(player);
    }
    const [first, last, middle] = players as [Player, Player, Player];
    const rows = [first, middle, last].map(({ name }, index) => ({ rank: index + 1, name, score: 3 - index }));
    for (const window of windows) {
      const replies = [1, 2].map(() => site.visitor().get(`/leaderboards/${window}`));
      for (const { body } of await Promise.all(replies))
        expect(body).toEqual({ window, page: 1, pages: 1, players: 3, rows });
      const { body } = await middle.browser.get(`/leaderboards/${window}/around-me`);
      expect(body).toEqual({
        window,
        players: 3,
        rows: rows.map((row) => (row.name === middle.name ? { ...row, you: true } : row)),
      });
    }
    const { body } = await site.visitor().get('/leaderboards/day?page=2');
    expect(body).toMatchObject({ page: 2, pages: 1, players: 3, rows: [] });
    const newcomer = await Player.signedUp(site, place.database);
    expect((await newcomer.browser.get('/leaderboards/day/around-me')).status).toBe(404);
  });

  it('tells all who watch, on both instances, and forgets who leaves', async () => {
    const streams = [
      await watch(`${site.url}/leaderboards/day/live`),
      await watch(`${site.url}/leaderboards/day/live`),
    ];
    const [one, other] = streams as [(typeof streams)[number], (typeof streams)[number]];
    expect(new Set(streams.map(({ headers }) => headers['x-instance']))).toEqual(new Set(['1', '2']));
    for (const { status, headers } of streams) {
      expect(status).toBe(200);
      expect(headers).toMatchObject({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    }
    for (const { events } of streams) {
      await until(() => events.length > 0, { what: 'the top as it is' });
      expect(events[0]).toEqual({ event: 'top', data: { window: 'day', rows: [] } });
    }
    expect(await watchedOn(site)).toEqual({ 1: 1, 2: 1 });
    const player = await Player.signedUp(site, place.database);
    for (const score of [1, 2]) {
      await player.score();
      const rows = [{ rank: 1, name: player.name, score }];
      for (const { events } of streams)
        await until(() => JSON.stringify(events.at(-1)?.data) === JSON.stringify({ window: 'day', rows }), {
          what: `a top with the score ${score}`,
          within: 20_000,
        });
    }
    one.abort();
    const here = String(one.headers['x-instance']);
    const gone = async () => (await watchedOn(site))[here] === 0;
    await until(gone, { what: 'the first stream to be forgotten' });
    const known = other.events.length;
    await player.score();
    await until(() => other.events.length > known, { what: 'the other one to go on', within: 20_000 });
    other.abort();
    const nobody = async () => Object.values(await watchedOn(site)).every((count) => count === 0);
    await until(nobody, { what: 'both streams to be forgotten' });
  });

  it('knows which cities are looked at, on both instances', async () => {
    const visitor = site.visitor();
    for (const id of [paris, nice, paris, suva, paris, nice])
      expect((await visitor.get(`/cities/${id}`)).status).toBe(200);
    // No city, no look.
    expect((await visitor.get('/cities/1')).status).toBe(404);
    const trending = async () => (await visitor.get('/trending')).body['cities'] as { id: number; weight: number }[];
    const counted = async () => {
      const found = await trending();
      return found.length === 3 && found.reduce((sum, { weight }) => sum + weight, 0) > 5.9 && found;
    };
    const found = await until(counted, { what: 'six looks' });
    expect(found.map(({ id }) => id)).toEqual([paris, nice, suva]);
    expect(found[0]).toEqual({ id: paris, name: 'Paris', country: 'FR', weight: expect.closeTo(3, 1) });
    expect(await trending()).toEqual(found);
  });
});

describe('the game of the atlas', () => {
  const backend = chaos(memory());
  let database: Database;
  let site: OpenSite;
  beforeAll(async () => {
    database = await openSqlite({ limit: 500 });
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    const peer = { ...backend, close: async () => {} };
    site = await openSite(createSite(database, { backends: [peer, peer] }));
  });
  afterEach(async () => {
    backend.chaos.set({ throws: 0 });
    await site.close();
  });

  it('is played by those who are logged in, and shown to all', async () => {
    const visitor = site.visitor();
    const { status, body } = await visitor.get('/quiz');
    expect(status).toBe(200);
    const answer = { token: body['token'], city: (body['cities'] as { id: number }[])[0]?.id };
    expect((await visitor.send('POST', '/quiz/answer', answer)).status).toBe(401);
    expect((await visitor.get('/leaderboards/day/around-me')).status).toBe(401);
    for (const path of ['/leaderboards/day', '/leaderboards/week', '/leaderboards/all', '/trending'])
      expect((await visitor.get(path)).status).toBe(200);
  });

  it('believes no token that was made up, and no city that was not asked for', async () => {
    const player = await Player.signedUp(site, database);
    const asked = await player.ask();
    const [larger] = await player.ranked(asked);
    const parts = asked.token.split('.');
    const changed = (place: number, text: string) => parts.with(place, text).join('.');
    const wrong = [
      '',
      '.',
      'x',
      parts.slice(0, 4).join('.'),
      changed(0, '1'),
      changed(2, String(Date.now() + 3_600_000)),
      changed(3, 'AAAAAAAAAAAAAAAA'),
      changed(4, 'A'.repeat(43)),
      `${asked.token}=`,
    ];
    for (const token of wrong) expect((await player.answer(token, larger)).status, token).toBe(400);
    expect((await player.answer(asked.token, 1)).status).toBe(400);
    expect((await player.answer(asked.token, larger)).status).toBe(200);
  });

  it.each([
    ['no body', undefined],
    ['no token', { city: paris }],
    ['no city', { token: 'x' }],
    ['a token that is none', { token: 7, city: paris }],
    ['a token that is too long', { token: 'x'.repeat(201), city: paris }],
    ['a city that is a text', { token: 'x', city: String(paris) }],
    ['something else', { token: 'x', city: paris, score: 100 }],
  ])('refuses an answer with %s', async (_what, body) => {
    const player = await Player.signedUp(site, database);
    expect((await player.browser.send('POST', '/quiz/answer', body)).status).toBe(400);
  });

  it.each(['/leaderboards/year', '/leaderboards/DAY', '/leaderboards/year/live', '/leaderboards/day?page=0'])(
    'knows no %s',
    async (path) => {
      expect((await site.visitor().get(path)).status).toBe(400);
    },
  );

  it.each([
    ['POST', '/quiz', 'GET, HEAD'],
    ['GET', '/quiz/answer', 'POST'],
    ['POST', '/leaderboards/day', 'GET, HEAD'],
    ['DELETE', '/leaderboards/day/around-me', 'GET, HEAD'],
    ['POST', '/leaderboards/day/live', 'GET, HEAD'],
    ['PUT', '/trending', 'GET, HEAD'],
  ])('knows no %s %s', async (method, path, allowed) => {
    const { status, headers } = await site.visitor().send(method, path);
    expect([status, headers.get('Allow')]).toEqual([405, allowed]);
  });

  it('answers 503 with Retry-After while its store fails, and shows cities all the same', async () => {
    const player = await Player.signedUp(site, database);
    backend.chaos.set({ throws: 1 });
    for (const path of ['/leaderboards/day', '/trending']) {
      const { status, headers, body } = await player.browser.get(path);
      expect(status).toBe(503);
      expect(headers.get('Retry-After')).toBe('1');
      expect(body).toMatchObject({ status: 503, detail: 'The scores cannot be reached.' });
    }
    expect((await player.browser.get('/leaderboards/day/around-me')).status).toBe(503);
    expect((await player.score()).status).toBe(503);
    expect((await player.browser.get(`/cities/${paris}`)).status).toBe(200);
    backend.chaos.set({ throws: 0 });
    expect((await player.score()).status).toBe(200);
  });
});
