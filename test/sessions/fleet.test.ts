/** A login on one instance is a login on all, and an instance that dies takes no session with it. */

import { expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../kit/servers.ts';
import { until } from '../kit/wait.ts';
import { Browser } from './calls.ts';
import { instanceOf } from './fleet.ts';

const patience = { timeout: 180_000 };

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
  const visitors = Array.from({ length: 20 }, () => new Browser(one.url, other.url));
  await Promise.all(visitors.map(async (browser, index) => void (await browser.get(`/login?as=user${index}`))));
  const counts = visitors.map(() => 0);
  let isRunning = true;
  let failed = 0;

  /** Goes to the instances in turns, and to the other one when a connection fails, as a load balancer does. */
  const visit = async (browser: Browser, index: number): Promise<void> => {
    for (let count = 1; isRunning; count += 1) {
      try {
        const { status } = await browser.get(`/set?field=${count}`);
        if (status !== 200) throw new Error(`answered ${status}`);
        counts[index] = count;
      } catch {
        // The same once more: to set a field twice is to set it once.
        failed += 1;
        count -= 1;
      }
    }
  };
  const reached = (least: number) =>
    until(() => counts.every((count) => count >= least), { what: `${least} changes of each`, within: 90_000 });

  const visits = visitors.map(visit);
  await reached(5);
  await one.worker.kill();
  await reached(Math.max(...counts) + 5);
  isRunning = false;
  await Promise.all(visits);
  for (const [index, browser] of visitors.entries()) {
    const session: unknown = JSON.parse((await browser.copy(other.url).get('/read')).text);
    const fields = Array.from({ length: counts[index] ?? 0 }, (_, field) => [`f${field + 1}`, 1] as const);
    expect(session).toEqual({ userId: `user${index}`, ...Object.fromEntries(fields) });
  }
  // The instance really was at work when it died.
  expect(failed).toBeGreaterThan(5);
});
