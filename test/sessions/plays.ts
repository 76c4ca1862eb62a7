/** What two instances do to one session at once, over and over: each play returns how often something was lost. */

import type { Worker } from '../kit/workers.ts';
import { Browser } from './calls.ts';
import type { SiteHandlers } from './site.worker.ts';

export interface Instance {
  readonly worker: Worker<SiteHandlers>;
  readonly url: string;
}

/** Two instances of one site. */
export type Fleet = readonly [Instance, Instance];

type Fields = Record<string, unknown>;

/** So many trials run side by side. */
const side = 10;

/** Runs `trial` `count` times and returns the sum of what it returns. */
async function repeat(count: number, trial: (index: number) => Promise<number>): Promise<number> {
  let sum = 0;
  for (let from = 0; from < count; from += side) {
    const some = Array.from({ length: Math.min(side, count - from) }, (_, index) => trial(from + index));
    for (const result of await Promise.all(some)) sum += result;
  }
  return sum;
}

async function visitor(fleet: Fleet, first = '/set?field=0'): Promise<Browser> {
  const browser = new Browser(...fleet.map(({ url }) => url));
  await ok(browser.get(first));
  return browser;
}

async function ok(answer: ReturnType<Browser['get']>): Promise<string> {
  const { status, text } = await answer;
  if (status !== 200) throw new Error(`answered ${status}: ${text}`);
  return text;
}

async function read(browser: Browser): Promise<Fields> {
  return JSON.parse(await ok(browser.get('/read'))) as Fields;
}

/** Ten requests at once, each with a field of its own: the fields that are missing. */
export function lostFields(fleet: Fleet, trials: number): Promise<number> {
  return repeat(trials, async () => {
    const browser = await visitor(fleet);
    await Promise.all(Array.from({ length: 10 }, (_, index) => ok(browser.get(`/set?field=${index + 1}`))));
    const fields = await read(browser);
    return Array.from({ length: 10 }, (_, index) => `f${index + 1}`).filter((name) => fields[name] !== 1).length;
  });
}

/** Ten requests at once that add one to a counter: the increments that are missing. */
export function lostIncrements(fleet: Fleet, trials: number): Promise<number> {
  return repeat(trials, async () => {
    const browser = await visitor(fleet);
    await Promise.all(Array.from({ length: 10 }, () => ok(browser.get('/count'))));
    return 10 - Number((await read(browser))['views'] ?? 0);
  });
}

/** A request that is slow, on one instance, while the session ends on the other: sessions that are alive after both. */
export function revived(fleet: Fleet, trials: number, slowly: '/read' | '/set?field=1', end: 'logout' | 'login') {
  const [one, other] = fleet;
  return repeat(trials, async (index) => {
    const gate = `${slowly}${end}${index}${Math.random()}`;
    const browser = new Browser(other.url);
    await ok(browser.get(`/login?as=user${index}`));
    const old = browser.copy();
    const slow = browser.copy(one.url);
    const path = `${slowly}${slowly.includes('?') ? '&' : '?'}gate=${encodeURIComponent(gate)}`;
    const answer = slow.get(path);
    await one.worker.call('arrived', gate);
    await ok(browser.get(end === 'logout' ? '/logout' : `/login?as=user${index}`));
    await one.worker.call('release', gate);
    await answer;
    return (await read(old))['userId'] === undefined ? 0 : 1;
  });
}

/** A change on the second instance, and a redirect to the first that is followed at once: reads of the session from before. */
export function staleAfterRedirect(fleet: Fleet, trials: number): Promise<number> {
  return repeat(trials, async () => {
    const browser = await visitor(fleet);
    const { status } = await browser.get('/set-and-redirect?field=7');
    if (status !== 302) throw new Error(`answered ${status}`);
    return (await read(browser))['f7'] === 1 ? 0 : 1;
  });
}
