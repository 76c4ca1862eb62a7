/** A login on one instance is a login on all, and an instance that dies takes no session with it. */

import { expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../kit/servers.ts';
import { sleep } from '../kit/wait.ts';
import { Browser } from './calls.ts';
import { instanceOf } from './fleet.ts';

const patience = { timeout: 60_000 };

it('a login on one instance is a login on the other, and so is a logout', patience, async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const opening = { url: `${server.url}?deadline=2s`, kind: 'hotshelf' } as const;
  const [one, other] = await Promise.all([instanceOf(opening), instanceOf(opening)]);
  const [here, roundRobin] = [new Browser(one.url), new Browser(one.url, other.url)];
  await here.get('/login?as=ada');
  const there = here.copy(other.url);
  expect(JSON.parse((await there.get('/read')).text)).toEqual({ userId: 'ada' });
  await there.get('/logout');
  expect(JSON.parse((await here.get('/read')).text)).toEqual({});
  await roundRobin.get('/login?as=bob');
  for (let turn = 0; turn < 6; turn += 1) {
    expect(JSON.parse((await roundRobin.get('/read')).text)).toEqual({ userId: 'bob' });
  }
});

it('an instance that is killed in the middle of its work loses no session and no change', patience, async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const opening = { url: `${server.url}?deadline=2s`, kind: 'hotshelf' } as const;
  const [one, other] = await Promise.all([instanceOf(opening), instanceOf(opening)]);
  let isRunning = true;
  let failed = 0;

  /** Goes to the instances in turns, and to the other one when a connection fails, as a load balancer does. */
  const visit = async (index: number): Promise<number> => {
    const browser = new Browser(one.url, other.url);
    expect((await browser.get(`/login?as=user${index}`)).status).toBe(200);
    let acknowledged = 0;
    for (let count = 1; isRunning || count < 20; count += 1) {
      try {
        const { status } = await browser.get(`/set?field=${count}`);
        if (status !== 200) throw new Error(`answered ${status}`);
        acknowledged = count;
      } catch {
        // The same once more: to set a field twice is to set it once.
        failed += 1;
        count -= 1;
      }
      await sleep(2);
    }
    const session = JSON.parse((await browser.copy(other.url).get('/read')).text) as Record<string, unknown>;
    const fields = Array.from({ length: acknowledged }, (_, field) => [`f${field + 1}`, 1] as const);
    expect(session).toEqual({ userId: `user${index}`, ...Object.fromEntries(fields) });
    return acknowledged;
  };

  const visits = Array.from({ length: 20 }, (_, index) => visit(index));
  await sleep(500);
  await one.worker.kill();
  await sleep(500);
  isRunning = false;
  const counts = await Promise.all(visits);
  expect(counts.every((count) => count > 10)).toBe(true);
  // The instance really was at work when it died.
  expect(failed).toBeGreaterThan(5);
});
