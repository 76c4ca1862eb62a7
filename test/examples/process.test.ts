import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { isRunning } from '../kit/pids.ts';
import { startPostgres, startRedis } from '../kit/servers.ts';
import { until } from '../kit/wait.ts';
import { type AtlasOptions, type AtlasProcess, startAtlas, workersOf } from './process.ts';
import { nice, paris, suva } from './site.ts';

const small = ['--limit', '2000'];
const endLimitMs = 10_000;

// Each test starts one to three processes; that takes a second each, and much longer on a busy machine.
describe('the process of the atlas', { timeout: 360_000 }, () => {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  });

  const start = async (options: AtlasOptions): Promise<AtlasProcess> => {
    const atlas = await startAtlas(options);
    cleanups.push(() => atlas.remove());
    return atlas;
  };
  const startServer = async <Server extends { stop(): Promise<void> }>(starting: Promise<Server>): Promise<Server> => {
    const server = await starting;
    cleanups.push(() => server.stop());
    return server;
  };
  const endInTime = async (atlas: AtlasProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    atlas.process.kill(signal);
    await until(() => atlas.howItEnded(), { what: 'the atlas to end', within: endLimitMs });
    expect(atlas.howItEnded()).toBe('exited with code 0');
  };

  it('says where it is and what to try, and ends on Ctrl-C', async () => {
    const atlas = await start({ args: small });
    await atlas.untilInstancesAnswer(2);
    await until(() => atlas.logTail().includes('Try'), { what: 'the welcome' });
    expect(atlas.logTail()).toContain(`Atlas is ready at http://localhost:${new URL(atlas.url).port}`);
    expect(atlas.logTail()).toContain('2 in one process');
    expect(atlas.logTail().match(/^ {2}curl /gm)).toHaveLength(3);
    await endInTime(atlas, 'SIGINT');
  });

  it('stays one process without a server to share, and says so', async () => {
    const atlas = await start({ args: [...small, '--instances', '3'] });
    await atlas.untilInstancesAnswer(3);
    await until(() => atlas.logTail().includes('Try'), { what: 'the welcome' });
    expect(atlas.logTail()).toMatch(/3 in one process.*HOTSHELF_URL/);
  });

  it.each([
    [['--instances', 'many'], {}, 2],
    [['--what'], {}, 2],
    [[], { PORT: '-1' }, 2],
    [[], { HOTSHELF_URL: 'etcd://localhost' }, 2],
    [[], { HOTSHELF_URL: 'redis://:s3cret@[' }, 2],
    [[], { DATABASE_URL: 'oracle://localhost' }, 2],
    [[], { SESSION_SECRET: 's3cret' }, 2],
    [[], { DATABASE_URL: 'postgres://someone:s3cret@127.0.0.1:1/atlas' }, 1],
  ] as [string[], NodeJS.ProcessEnv, number][])('refuses %j %j with one line', async (args, env, code) => {
    const atlas = await start({ args, env });
    await atlas.ended;
    expect(atlas.howItEnded()).toBe(`exited with code ${code}`);
    expect(atlas.logTail().split('\n')).toHaveLength(1);
    expect(atlas.logTail()).not.toMatch(/s3cret|^ +at /);
  });

  it('says in one line that its port is taken', async () => {
    const server = createServer().listen(0);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const atlas = await start({ port });
    await atlas.ended;
    expect(atlas.howItEnded()).toBe('exited with code 1');
    expect(atlas.logTail()).toBe(`Port ${port} is taken. Name another one: PORT=${port + 1} npm start`);
    server.close();
  });

  it('explains itself', async () => {
    const atlas = await start({ args: ['--help'] });
    await atlas.ended;
    expect(atlas.howItEnded()).toBe('exited with code 0');
    expect(atlas.logTail()).toContain('--instances <n>');
  });

  it('runs instances in processes of their own on a Redis, with the SQLite of their parent', async () => {
    const redis = await startServer(startRedis());
    const atlas = await start({ args: [...small, '--instances', '2'], env: { HOTSHELF_URL: redis.url } });
    await atlas.untilInstancesAnswer(2);

    const [miss, hit] = [await atlas.get(`/cities/${paris}`), await atlas.get(`/cities/${paris}`)];
    expect(miss.headers.get('Cache-Status')).toBe('hotshelf; fwd=miss; stored');
    expect(hit.headers.get('Cache-Status')).toMatch(/^hotshelf; hit; ttl=/);
    expect(hit.headers.get('X-Instance')).not.toBe(miss.headers.get('X-Instance'));
    expect(hit.body).toEqual(miss.body);

    expect(await atlas.change(paris, { name: 'Lutetia' })).toBe(200);
    for (const reply of [await atlas.get(`/cities/${paris}`), await atlas.get(`/cities/${paris}`)]) {
      expect(reply.body['name']).toBe('Lutetia');
    }
    await endInTime(atlas);
  });

  it('starts an instance again that was killed, and takes its workers along when it ends', async () => {
    const redis = await startServer(startRedis());
    const atlas = await start({ args: [...small, '--instances', '2'], env: { HOTSHELF_URL: redis.url } });
    await atlas.untilInstancesAnswer(2);
    const [victim] = await workersOf(atlas);
    process.kill(victim as number, 'SIGKILL');
    await until(
      async () => (await workersOf(atlas)).length === 2 && !(await workersOf(atlas)).includes(victim as number),
      {
        what: 'another worker',
      },
    );
    await atlas.untilInstancesAnswer(2);
    const workers = await workersOf(atlas);
    await endInTime(atlas);
    expect(workers.filter((pid) => isRunning(pid))).toEqual([]);
  });

  it('leaves no worker behind when it is killed itself', async () => {
    const redis = await startServer(startRedis());
    const atlas = await start({ args: [...small, '--instances', '2'], env: { HOTSHELF_URL: redis.url } });
    await atlas.untilInstancesAnswer(2);
    const workers = await workersOf(atlas);
    expect(workers).toHaveLength(2);
    await atlas.end('SIGKILL');
    await until(() => !workers.some((pid) => isRunning(pid)), { what: 'the workers to end' });
  });

  it.each([
    ['in one process', []],
    ['in two processes', ['--instances', '2']],
  ])('ends in time while the Redis hangs, %s', async (_where, args) => {
    const redis = await startServer(startRedis());
    const atlas = await start({ args: [...small, ...args], env: { HOTSHELF_URL: redis.url } });
    await atlas.untilInstancesAnswer(2);
    await atlas.get(`/cities/${paris}`);
    await redis.pause();
    const readers = Array.from({ length: 20 }, () => atlas.get(`/cities/${paris}`));
    expect((await Promise.all(readers)).map(({ status }) => status)).toEqual(readers.map(() => 200));

    // A change that has certainly arrived when the end begins, and is complete only afterwards.
    const change = request(`${atlas.url}/cities/${paris}`, {
      method: 'PATCH',
      headers: { 'Content-Type': 'application/json', Expect: '100-continue' },
    });
    change.flushHeaders();
    await once(change, 'continue');
    atlas.process.kill('SIGTERM');
    await until(() => atlas.logTail().includes('Finishing'), { what: 'the end to begin' });
    change.end('{"name":"Lutetia"}');
    const [answer] = (await once(change, 'response')) as [IncomingMessage];
    answer.resume();
    expect(answer.statusCode, atlas.logTail()).toBe(200);
    await until(() => atlas.howItEnded(), { what: 'the atlas to end', within: endLimitMs });
    expect(atlas.howItEnded()).toBe('exited with code 0');
  });

  it('is ready without the Redis, answers from the database, and says so', async () => {
    const redis = await startServer(startRedis());
    const atlas = await start({ args: small, env: { HOTSHELF_URL: redis.url } });
    await atlas.untilInstancesAnswer(2);
    expect((await atlas.get('/readyz')).body).toMatchObject({ ready: true, cache: { name: 'redis', ok: true } });
    await redis.kill();
    const { status, body } = await atlas.get('/readyz');
    expect(status).toBe(200);
    expect(body).toMatchObject({ ready: true, database: { ok: true }, cache: { name: 'redis', ok: false } });
    const city = await atlas.get(`/cities/${paris}`);
    expect(city.status).toBe(200);
    expect(city.headers.get('Cache-Status')).toMatch(/^hotshelf; fwd=bypass/);
    await redis.restart();
    const hit = async (): Promise<boolean> =>
      (await atlas.get(`/cities/${paris}`)).headers.get('Cache-Status')?.includes('; hit') ?? false;
    await until(hit, { what: 'a hit on the Redis that is back' });
    await endInTime(atlas);
  });

  it.each([
    ['in one process', []],
    ['in two processes on a Redis', ['--instances', '2']],
  ])('answers what it knows when the database hangs, and 503 what it does not know, %s', async (_where, args) => {
    const env = args.length === 0 ? {} : { HOTSHELF_URL: (await startServer(startRedis())).url };
    const atlas = await start({ args: [...small, ...args, '--ttl', '1s', '--break-origin', '10s'], env });
    await atlas.untilInstancesAnswer(2);
    const known = {
      [`/cities/${paris}`]: /^hotshelf; fwd=stale; ttl=-?\d+; detail="load (failed|slow)"$/,
      // Kept as a whole, and confirmed by a handler that finds the stale page.
      '/countries/FR/cities': /^hotshelf; fwd=stale/,
    };
    for (const path of Object.keys(known)) expect((await atlas.get(path)).status).toBe(200);
    await until(async () => (await atlas.get('/readyz')).status === 503, {
      what: 'the database to hang',
      within: 180_000,
    });

    for (const [path, cacheStatus] of Object.entries(known)) {
      const { status, body, headers } = await untilStale(atlas, path);
      expect(status).toBe(200);
      expect(JSON.stringify(body)).toContain('"name":"Paris"');
      expect(headers.get('Cache-Status')).toMatch(cacheStatus);
    }
    await expectNoAnswer(atlas, `/cities/${nice}`);
    expect(await atlas.change(paris, { name: 'Lutetia' })).toBe(503);
    await endInTime(atlas);
  });

  it('answers what it knows while its PostgreSQL is away, and is ready again when it is back', async () => {
    const postgres = await startServer(startPostgres());
    const atlas = await start({ args: [...small, '--ttl', '1s'], env: { DATABASE_URL: postgres.url } });
    await atlas.untilInstancesAnswer(2);
    expect((await atlas.get(`/cities/${paris}`)).status).toBe(200);
    const readiness = async (): Promise<number> => (await atlas.get('/readyz')).status;
    expect(await readiness()).toBe(200);
    await postgres.kill();
    await until(async () => (await readiness()) === 503, { what: 'the atlas to notice' });
    expect((await untilStale(atlas, `/cities/${paris}`)).body['name']).toBe('Paris');
    await expectNoAnswer(atlas, `/cities/${suva}`);
    await postgres.restart();
    await until(async () => (await readiness()) === 200, { what: 'the atlas to be ready again' });
    await endInTime(atlas);
  });
});

/** Resolves with the first answer from a stale entry; every answer before must be a good one. */
async function untilStale(atlas: AtlasProcess, path: string): ReturnType<AtlasProcess['get']> {
  const statuses = new Set<number>();
  const stale = await until(
    async () => {
      const reply = await atlas.get(path);
      statuses.add(reply.status);
      return reply.headers.get('Cache-Status')?.includes('fwd=stale') && reply;
    },
    { what: `a stale answer to ${path}` },
  );
  expect([...statuses]).toEqual([200]);
  return stale;
}

async function expectNoAnswer(atlas: AtlasProcess, path: string): Promise<void> {
  const { status, body, headers } = await atlas.get(path);
  expect(status).toBe(503);
  expect(headers.get('Content-Type')).toMatch(/^application\/problem\+json/);
  expect(body).toMatchObject({ status: 503, detail: 'The database does not answer.', instance: path });
}
