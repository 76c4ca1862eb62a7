/** Counts what two processes with four clients each get out of one Redis. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LimitPlan } from 'hotshelf/limits';
import { limiter } from 'hotshelf/limits';
import { memory } from 'hotshelf/memory';
import { fakeClock } from 'hotshelf/testing';
import { startRedis, type RedisServer } from '../kit/redis.ts';
import { startWorker, type Worker } from '../kit/workers.ts';
import type { HammerHandlers, Shot } from './hammer.worker.ts';

let server: RedisServer;
let workers: Worker<HammerHandlers>[];
const file = new URL('./hammer.worker.ts', import.meta.url);

beforeAll(async () => {
  server = await startRedis();
  workers = await Promise.all([startWorker<HammerHandlers>(file), startWorker<HammerHandlers>(file)]);
});
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  await server.stop();
});

/** Whole ms, and clocks of two processes of one machine. */
const slackMs = 3;

/** The most that was certainly admitted within `windowMs`: the n-th take was made between the n-th begin and the n-th end. */
function mostWithin(shots: readonly Shot[], windowMs: number): number {
  const begins = shots.map(({ before }) => before).sort((a, b) => a - b);
  const ends = shots.map(({ after }) => after).sort((a, b) => a - b);
  let most = 0;
  for (const [from, begin] of begins.entries()) {
    let to = from;
    while (to < ends.length && (ends[to] ?? 0) - begin < windowMs - slackMs) to += 1;
    most = Math.max(most, to - from);
  }
  return most;
}

async function hammer(plan: LimitPlan, forMs: number): Promise<Shot[]> {
  const key = `${plan.algorithm ?? 'default'}:${Math.random()}`;
  await Promise.all(
    // Patient: this is not about a machine that is busy.
    workers.map((worker) =>
      worker.call('open', { urls: Array.from({ length: 4 }, () => server.url), plans: [plan], deadline: '2s' }),
    ),
  );
  const until = Date.now() + forMs;
  const shots = (await Promise.all(workers.map((worker) => worker.call('hammer', { key, until })))).flat();
  await Promise.all(workers.map((worker) => worker.call('close')));
  return shots;
}

describe('eight clients in two processes, limit 100 a second', () => {
  it('admit exactly 500 in 5 s, and never more than 100 in any second', async () => {
    const shots = await hammer({ name: 'second', limit: 100, window: '1s' }, 5200);
    expect(shots.every(({ degraded }) => degraded === false)).toBe(true);
    const start = Math.min(...shots.map(({ before }) => before));
    expect(shots.filter(({ after }) => after - start <= 5000)).toHaveLength(500);
    expect(mostWithin(shots, 1000)).toBeLessThanOrEqual(100);
  });

  it('admit more than that in some second where windows are fixed: the control', async () => {
    const shots = await hammer({ name: 'second', limit: 100, window: '1s', algorithm: 'fixed-window' }, 2500);
    // Twice the limit within two windows that touch: as much as nobody wants.
    expect(mostWithin(shots, 1100)).toBeGreaterThan(100);
  });
});

describe('an attack on the boundary', () => {
  const attack = async (algorithm: LimitPlan['algorithm']) => {
    const clock = fakeClock({ now: 1_700_000_000_000 });
    const plan = { name: 'second', limit: 100, window: '1s', ...(algorithm && { algorithm }) } as const;
    const one = limiter({ backend: memory({ clock }), name: 'attack', plans: [plan], clock });
    let admitted = 0;
    for (const [afterMs, takes] of [
      [0, 1],
      [930, 100],
      [110, 100],
    ] as const) {
      await clock.advance(afterMs);
      for (let take = 0; take < takes; take += 1) if ((await one.take('k')).allowed) admitted += 1;
    }
    return admitted;
  };

  it('gets the limit and no more', async () => {
    expect(await attack(undefined)).toBe(100);
  });

  it('gets nearly twice the limit where windows are fixed: the control', async () => {
    expect(await attack('fixed-window')).toBe(200);
  });
});
