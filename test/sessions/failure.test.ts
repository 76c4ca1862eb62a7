/** What requests get while the server of the sessions does not answer: an error, soon, and never somebody else's luck. */

import { describe, expect, it, onTestFinished } from 'vitest';
import { startMemcached, startRedis, startRedisCluster } from '../kit/servers.ts';
import { until } from '../kit/wait.ts';
import { Browser } from './calls.ts';
import { instanceOf } from './fleet.ts';

/** The bounds are in ms of a machine that others use too: one noisy moment is not yet a broken promise. */
const patience = { timeout: 180_000, retry: 2 };

interface Breakable {
  readonly url: string;
  /** SIGSTOP: connections stay open and nobody answers. */
  pause(): Promise<unknown>;
  resume(): void;
}

const servers: Record<string, () => Promise<Breakable>> = {
  async Redis() {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    return server;
  },
  async Memcached() {
    const server = await startMemcached();
    onTestFinished(() => server.stop());
    return server;
  },
  async 'a Redis Cluster'() {
    const cluster = await startRedisCluster({ nodeTimeout: 60_000 });
    onTestFinished(() => cluster.stop());
    return {
      url: `redis+cluster://${cluster.masters.map(({ host, port }) => `${host}:${port}`).join(',')}`,
      pause: () => Promise.all(cluster.masters.map((master) => master.pause())),
      resume: () => cluster.masters.forEach((master) => master.resume()),
    };
  },
};

async function timed(browser: Browser, path: string) {
  const startedAt = performance.now();
  const { status, headers } = await browser.get(path);
  return { status, retryAfter: headers.get('retry-after'), ms: performance.now() - startedAt };
}

describe.each(Object.entries(servers))('while %s hangs', (_name, start) => {
  it('a request is answered with 503 soon, and nobody is logged out by it', patience, async () => {
    const server = await start();
    const { url } = await instanceOf({ url: server.url, kind: 'hotshelf' });
    const browser = new Browser(url);
    expect((await browser.get('/login?as=ada')).status).toBe(200);
    for (let warm = 0; warm < 5; warm += 1) expect((await browser.get('/read')).status).toBe(200);
    await server.pause();
    const answers = [];
    for (let count = 0; count < 12; count += 1) answers.push(await timed(browser, '/read'));
    server.resume();
    expect(answers.map(({ status, retryAfter }) => `${status} ${retryAfter}`)).toEqual(answers.map(() => '503 1'));
    expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(300);
    // The breaker is open after three deadlines in a row.
    expect(Math.max(...answers.slice(-6).map(({ ms }) => ms))).toBeLessThan(50);
    const text = await until(
      async () => {
        const answer = await browser.get('/read');
        return answer.status === 200 && answer.text;
      },
      { what: 'the site to work again' },
    );
    expect(JSON.parse(text)).toEqual({ userId: 'ada' });
  });

  it('a change that cannot be saved is a 503 soon, and no 200', patience, async () => {
    const server = await start();
    const { url, worker } = await instanceOf({ url: server.url, kind: 'hotshelf' });
    const browser = new Browser(url);
    await browser.get('/login?as=ada');
    const answer = browser.copy().get('/set?field=1&gate=slow');
    await worker.call('arrived', 'slow');
    await server.pause();
    const startedAt = performance.now();
    await worker.call('release', 'slow');
    expect((await answer).status).toBe(503);
    expect(performance.now() - startedAt).toBeLessThan(320);
    server.resume();
  });
});

describe('while Redis is full', () => {
  const change = async (kind: 'hotshelf' | 'connect-redis') => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const { url } = await instanceOf({ url: server.url, kind });
    const browser = new Browser(url);
    await browser.get('/login?as=ada');
    await server.cli('CONFIG', 'SET', 'maxmemory', '1');
    const { status } = await browser.get('/set?field=1').catch(() => ({ status: 'no answer' }));
    await server.cli('CONFIG', 'SET', 'maxmemory', '0');
    return { status, session: JSON.parse((await browser.get('/read')).text) as unknown };
  };

  it('a change that is not saved is a 503, and the session stays as it was', patience, async () => {
    expect(await change('hotshelf')).toEqual({ status: 503, session: { userId: 'ada' } });
  });

  it('it is a 200 with connect-redis (control)', patience, async () => {
    expect(await change('connect-redis')).toEqual({ status: 200, session: { userId: 'ada' } });
  });
});
