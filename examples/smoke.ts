/**
 * Starts the atlas as a user would, uses it, ends it, and says what it saw; exits with 1 if anything was not as it should be.
 *
 * Run: node --import tsx examples/smoke.ts [options of the atlas]
 * HOTSHELF_URL and DATABASE_URL mean what they mean to the atlas.
 */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

interface Reply {
  readonly status: number;
  readonly instance: string;
  readonly cacheStatus: string;
  readonly type: string;
  /** For the field `Cookie`; empty if none was set. */
  readonly cookie: string;
  readonly body: Record<string, unknown>;
}

const suva = 2_198_148;
const startLimitMs = 60_000;
const endLimitMs = 10_000;
const hitLimitMs = 2000;

const url = `http://127.0.0.1:${await freePort()}`;
const atlas = start();
try {
  await waitUntilReady();
  await readsAreShared();
  await changesAreSeenAtOnce();
  await listsAreRight();
  await sessionsAreShared();
  await gameIsPlayed();
  await mistakesAreExplained();
  await countsAreKept();
  await endsInTime();
  console.log('All is well');
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  atlas.kill('SIGKILL');
}

function start(): ChildProcess {
  const main = fileURLToPath(new URL('atlas/main.ts', import.meta.url));
  const args = ['--conditions=hotshelf:source', '--import', 'tsx', main, ...process.argv.slice(2)];
  return spawn(process.execPath, args, { stdio: 'inherit', env: { ...process.env, PORT: new URL(url).port } });
}

/** Ready is when both instances are: behind a front that takes turns, one answers first. */
async function waitUntilReady(): Promise<void> {
  const deadline = performance.now() + startLimitMs;
  const ready = new Set<string>();
  while (ready.size < 2) {
    const reply = await send('/readyz').catch(() => undefined);
    if (reply?.status === 200) ready.add(reply.instance);
    assert(atlas.exitCode === null, `the atlas ended with code ${atlas.exitCode}`);
    assert(performance.now() < deadline, `the atlas was not ready within ${startLimitMs} ms`);
    await pause(20);
  }
}

async function readsAreShared(): Promise<void> {
  // The change makes it cold, also on a server that is warm from an earlier run.
  await change({ name: 'Suva' });
  const first = await send(`/cities/${suva}`);
  assert.match(first.cacheStatus, /^hotshelf; fwd=miss; stored/);
  const second = await send(`/cities/${suva}`);
  assert.match(second.cacheStatus, /^hotshelf; hit/);
  assert.notEqual(second.instance, first.instance);
  assert.deepEqual(second.body, first.body);
  console.log(`ok: instance ${first.instance} loaded Suva, instance ${second.instance} had a hit on it`);
}

async function changesAreSeenAtOnce(): Promise<void> {
  const name = `Suva ${Date.now()}`;
  await change({ name });
  const replies = [await send(`/cities/${suva}`), await send(`/cities/${suva}`)];
  for (const { body } of replies) assert.equal(body['name'], name);
  assert.notEqual(replies[0]?.instance, replies[1]?.instance);
  await change({ name: 'Suva' });
  console.log('ok: both instances answered with the new name at once');
}

async function listsAreRight(): Promise<void> {
  for (const path of ['/countries/FJ/cities', '/cities/near?lat=-18.14&lon=178.44']) {
    const { status, body } = await send(path);
    assert.equal(status, 200);
    assert.match(JSON.stringify(body['cities']), /"name":"Suva"/);
    await waitForHit(path);
  }
  console.log('ok: Suva is on the list of its country, and near itself');
}

/** An answer is kept just after it was sent. */
async function waitForHit(path: string): Promise<void> {
  const deadline = performance.now() + hitLimitMs;
  while (!(await send(path)).cacheStatus.startsWith('hotshelf; hit')) {
    assert(performance.now() < deadline, `there was no hit on ${path} within ${hitLimitMs} ms`);
    await pause(20);
  }
}

async function sessionsAreShared(): Promise<void> {
  const user = { name: `smoke-${Date.now()}`, password: 'correct horse battery' };
  const { status, cookie } = await send('/signup', post(user));
  assert.equal(status, 201);
  const headers = { Cookie: cookie };
  const favourite = await send(`/favourites/${suva}`, { method: 'PUT', headers });
  assert.equal(favourite.status, 204);
  await Promise.all(Array.from({ length: 10 }, () => send(`/cities/${suva}`, { headers })));
  const replies = [await send('/me', { headers }), await send('/me', { headers })];
  assert.notEqual(replies[0]?.instance, replies[1]?.instance);
  for (const { body } of replies) assert.deepEqual([body['favourites'], body['views']], [[suva], 10]);
  assert.equal((await send('/login', post(user))).status, 200);
  const everywhere = await send('/logout/everywhere', { method: 'POST', headers });
  assert.deepEqual(everywhere.body, { ended: 2 });
  assert.equal((await send('/me', { headers })).status, 401);
  console.log(
    'ok: a login on one instance was one on the other, 10 views at once were 10, and the end was one everywhere',
  );
}

async function gameIsPlayed(): Promise<void> {
  const user = { name: `player-${Date.now()}`, password: 'correct horse battery' };
  const headers = { Cookie: (await send('/signup', post(user))).cookie };
  const watching = await watchLeaderboard();
  const { body: asked } = await send('/quiz', { headers });
  const ids = (asked['cities'] as readonly { id: number }[]).map(({ id }) => id);
  const cities = await Promise.all(ids.map(async (id) => (await send(`/cities/${id}`)).body));
  const sizes = cities.map(({ population }) => Number(population));
  const answer = { token: asked['token'], city: ids[sizes.indexOf(Math.max(...sizes))] };
  const { status, body } = await send('/quiz/answer', post(answer, headers));
  assert.deepEqual([status, body['right']], [200, true]);
  for (const path of ['/leaderboards/day/around-me', '/leaderboards/all/around-me']) {
    const mine = (rows: unknown) => (rows as readonly Record<string, unknown>[]).find(({ you }) => you === true);
    const row = mine((await send(path, { headers })).body['rows']);
    assert.deepEqual([row?.['name'], row?.['score']], [user.name, 1]);
  }
  await waitForTrend(suva);
  assert.match(await watching.first, /^data: \{"window":"day","rows":\[/m);
  watching.leave();
  console.log(`ok: of ${cities.map(({ name }) => String(name)).join(' and ')} one is larger, and that was a point`);
}

/** Opens the live leaderboard; `first` is what it says first. */
async function watchLeaderboard(): Promise<{ first: Promise<string>; leave: () => void }> {
  const leaving = new AbortController();
  const { status, body } = await fetch(`${url}/leaderboards/day/live`, { signal: leaving.signal });
  assert(status === 200 && body !== null);
  const first = async (): Promise<string> => {
    let text = '';
    for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.includes('data: ')) break;
    }
    return text;
  };
  return { first: first(), leave: () => leaving.abort() };
}

/** A look is counted just after the city was shown. */
async function waitForTrend(id: number): Promise<void> {
  const deadline = performance.now() + hitLimitMs;
  const isThere = async () => JSON.stringify((await send('/trending')).body['cities']).includes(`"id":${id},`);
  while (!(await isThere())) {
    assert(performance.now() < deadline, `city ${id} was not trending within ${hitLimitMs} ms`);
    await pause(20);
  }
}

async function mistakesAreExplained(): Promise<void> {
  for (const [path, status] of [
    ['/cities/first', 400],
    ['/cities/2147483647', 404],
    ['/nowhere', 404],
  ] as const) {
    const reply = await send(path);
    assert.equal(reply.status, status);
    assert.equal(reply.body['status'], status);
    assert.match(reply.type, /^application\/problem\+json/);
    console.log(`ok: ${path} is ${status}: ${String(reply.body['detail'])}`);
  }
}

async function countsAreKept(): Promise<void> {
  for (const { instance, body } of [await send('/stats'), await send('/stats')]) {
    console.log(`ok: instance ${instance} counted ${JSON.stringify(body)}`);
    assert.equal(body['instance'], instance);
  }
}

async function endsInTime(): Promise<void> {
  const startedAt = performance.now();
  const ended = once(atlas, 'exit');
  atlas.kill('SIGTERM');
  const [code] = (await Promise.race([ended, pause(endLimitMs, ['still running'], { ref: false })])) as [unknown];
  assert.equal(code, 0);
  console.log(`ok: ended with code 0, ${Math.round(performance.now() - startedAt)} ms after SIGTERM`);
}

async function change(values: { name: string }): Promise<void> {
  const { status } = await send(`/cities/${suva}`, { ...post(values), method: 'PATCH' });
  assert.equal(status, 200);
}

function post(values: object, headers: Readonly<Record<string, string>> = {}): RequestInit {
  const body = JSON.stringify(values);
  return { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body };
}

async function send(path: string, init?: RequestInit): Promise<Reply> {
  const response = await fetch(url + path, init);
  const { status, headers } = response;
  const text = await response.text();
  return {
    status,
    instance: headers.get('X-Instance') ?? '',
    cacheStatus: headers.get('Cache-Status') ?? '',
    type: headers.get('Content-Type') ?? '',
    cookie: headers.getSetCookie()[0]?.replace(/;.*/, '') ?? '',
    body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>,
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
