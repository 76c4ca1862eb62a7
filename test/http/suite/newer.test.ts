/** Plays what the newest edition of the published suite asks and the packaged one does not. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sleep } from '../../kit/wait.ts';
import type { Case } from './case.ts';
import { cases } from './cases.ts';
import { createFetch } from './fetch.ts';
import { forms } from './forms.ts';
import { everything, guardOf } from './guards.ts';
import { hosts, type Origin, startOrigin, type OriginOptions } from './origin.ts';
import { tests } from './play.ts';
import { playCase } from './steps.ts';

const fetch = createFetch();
const origins: Origin[] = [];
afterAll(async () => {
  fetch.close();
  await Promise.all(origins.map((origin) => origin.close()));
});

async function start(options: OriginOptions): Promise<Origin> {
  const origin = await startOrigin(options);
  origins.push(origin);
  return origin;
}

/** Cases begin one after the other: a thousand at once would get in each other's way. */
let turn = Promise.resolve();

/** What was wrong, by the case. */
async function play(options: OriginOptions): Promise<Map<Case, string[]>> {
  const origin = await start(options);
  const wrongs = cases.map(async (one) => {
    await (turn = turn.then(() => sleep(2)));
    return [one, await playCase(origin, one, fetch)] as const;
  });
  return new Map(await Promise.all(wrongs));
}

const wantsReuse = ({ steps }: Case): boolean => steps.some(({ expect: { from } }) => from === 'cache');
const places = hosts.flatMap((host) =>
  forms.filter((form) => form !== 'send' || host !== 'node:http').map((form) => ({ host, form })),
);
const nameOf = ({ host, form }: OriginOptions): string => `${host}, ${form}`;

describe('the newest edition of the published suite', () => {
  // All play side by side: most of the time goes by in pauses.
  const plays = new Map<string, Promise<Map<Case, string[]>>>();
  beforeAll(async () => {
    for (const place of places) plays.set(nameOf(place), play({ ...place, guard: guardOf(everything) }));
    plays.set('the defaults', play({ host: 'Express 5', form: 'end', guard: guardOf({}) }));
    plays.set('no cache', play({ host: 'node:http', form: 'end' }));
    await Promise.all(plays.values());
  }, 720_000);
  const wrongsOf = async (name: string): Promise<[id: string, wrongs: string[]][]> =>
    [...((await plays.get(name)) ?? [])]
      .filter(([, wrongs]) => wrongs.length > 0)
      .map(([{ id }, wrongs]) => [id, wrongs]);

  it('requires 160 and calls 105 optimal, in its packaged tests and in our own words', () => {
    const all = [...tests, ...cases];
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    const count = (kind: string): number => all.filter((one) => one.kind === kind).length;
    expect([count('required'), count('optimal')]).toEqual([160, 105]);
  });

  it.each(cases.map((one) => [one.id, one.says, one] as const))('%s: %s', async (_id, _says, one) => {
    const played = await plays.get('Express 5, end');
    expect(played?.get(one)).toEqual([]);
  });

  it.each([...places.map(nameOf), 'the defaults'])('finds the same with %s', async (name) => {
    expect(await wrongsOf(name)).toEqual([]);
  });

  it('misses every case that wants a reuse, and no other, without a cache', async () => {
    const missed = (await wrongsOf('no cache')).map(([id]) => id);
    expect(missed).toEqual(cases.filter(wantsReuse).map(({ id }) => id));
  });

  it('collapses two requests at once into one', async () => {
    const origin = await start({ host: 'Express 5', form: 'end', guard: guardOf(everything) });
    let calls = 0;
    origin.play('slow', (_req, _res, { write }) => {
      calls++;
      const lines = [['Cache-Control', 'max-age=60']] as const;
      void sleep(300).then(() => write({ status: 200, lines, body: Buffer.from('slow') }));
    });
    const both = await Promise.all([1, 2].map(() => fetch(`${origin.url}/case/slow`)));
    expect([await both[0]?.text(), await both[1]?.text(), calls]).toEqual(['slow', 'slow', 1]);
  });
});
