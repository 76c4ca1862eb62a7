import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../kit/servers.ts';
import { until } from '../kit/wait.ts';
import { type AtlasProcess, startAtlas, workersOf } from './process.ts';
import { ReturningVisitor } from './returning-visitor.ts';
import { newName, Visitor } from './visitor.ts';

const visitorCount = 6;

// Each test starts two processes or more; that takes a second each, and much longer on a busy machine.
describe('stateless instances of the atlas over one Redis', { timeout: 360_000 }, () => {
  const cleanups: (() => Promise<void>)[] = [];
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  });

  const start = async (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<AtlasProcess> => {
    // Patient with a machine that runs everything at once.
    const HOTSHELF_URL = `${redis.url}?deadline=2s`;
    const atlas = await startAtlas({
      args: ['--limit', '2000', '--rate', '1000000', ...args],
      env: { HOTSHELF_URL, ...env },
    });
    cleanups.push(() => atlas.remove());
    await atlas.untilInstancesAnswer(2);
    return atlas;
  };

  it('lose no session and nothing in it when one is killed under load', async () => {
    const atlas = await start(['--instances', '2']);
    const { body } = await atlas.get('/countries/CN/cities');
    const ids = (body['cities'] as { id: number }[]).map(({ id }) => id);
    const visitors = await Promise.all(
      Array.from({ length: visitorCount }, () => ReturningVisitor.signedUp(atlas.url)),
    );
    const busy = visitors.map((visitor) => visitor.lookAround(ids));
    const after = (views: number) =>
      until(() => visitors.every(({ seen }) => seen >= views), { what: `${views} views each`, within: 180_000 });

    await after(5);
    const [victim = 0] = await workersOf(atlas);
    process.kill(victim, 'SIGKILL');
    await until(async () => !(await workersOf(atlas)).includes(victim), { what: 'the end of the instance' });
    await after(Math.max(...visitors.map(({ seen }) => seen)) + 5);
    await atlas.untilInstancesAnswer(2);
    for (const visitor of visitors) visitor.isHere = false;
    await Promise.all(busy);

    for (const { browser, name, seen, asked, kept, problems } of visitors) {
      const replies = [await browser.get('/me'), await browser.get('/me')];
      expect(new Set(replies.map(({ headers }) => headers.get('X-Instance')))).toEqual(new Set(['1', '2']));
      for (const { status, body } of replies) {
        expect(status).toBe(200);
        expect(body).toMatchObject({ user: { name }, favourites: expect.arrayContaining([...kept]) });
        // A view whose answer was lost with the instance may have been counted or not.
        expect(body['views']).toBeGreaterThanOrEqual(seen);
        expect(body['views']).toBeLessThanOrEqual(asked);
      }
      expect(problems.filter((status) => status !== 502 && status !== 503)).toEqual([]);
    }
  });

  it.each([
    ['are kept by a secret over a restart', { SESSION_SECRET: 'a secret that is long enough for production' }, 200],
    ['end with their secret, where nobody chose one', {}, 401],
  ])('have sessions that %s', async (_what, env, status) => {
    const first = await start([], env);
    const visitor = new Visitor(first.url);
    expect((await visitor.signUp(newName())).status).toBe(201);
    for (const _instance of ['one', 'the other']) expect((await visitor.get('/me')).status).toBe(200);
    expect(first.logTail()).toMatch(status === 200 ? /sessions +signed with SESSION_SECRET/ : /signed with a random/);
    await first.end('SIGTERM');
    const second = await start([], env);
    expect((await new Visitor(second.url, visitor.cookie).get('/me')).status).toBe(status);
  });
});
