/** Shows that decisions keep coming, in time and within bounds, whatever happens to the Redis behind them. */

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { LimitPlan } from 'hotshelf/limits';
import { startProxy, type Proxy } from '../kit/proxy.ts';
import { startRedis, type RedisServer } from '../kit/redis.ts';
import { stalledMs, watchStalls } from '../kit/stalls.ts';
import { sleep } from '../kit/wait.ts';
import { startWorker, type Worker } from '../kit/workers.ts';
import type { HammerHandlers, Shot } from './hammer.worker.ts';

let workers: Worker<HammerHandlers>[];
const file = new URL('./hammer.worker.ts', import.meta.url);
beforeAll(async () => {
  workers = await Promise.all([startWorker<HammerHandlers>(file), startWorker<HammerHandlers>(file)]);
});
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
});

/** What a fault may add to 99 of 100 takes. */
const addedMs = 50;
const backWithinMs = 1000;

const healthyMs = 1500;
const faultyMs = 4000;
const afterwardsMs = 2500;

const minute: LimitPlan = { name: 'minute', limit: 150, window: '1m' };

interface Fault {
  readonly begin: () => Promise<unknown>;
  readonly end: () => Promise<unknown>;
}

const faults: Record<string, (server: RedisServer, proxy: Proxy) => Fault> = {
  'that hangs (SIGSTOP)': (server) => ({ begin: () => server.pause(), end: async () => server.resume() }),
  'that dies (kill -9) and comes back empty': (server) => ({ begin: () => server.kill(), end: () => server.restart() }),
  'behind a half-open connection': (_server, proxy) => ({
    begin: async () => proxy.blackhole(),
    end: () => proxy.heal(),
  }),
};

const now = () => Number(process.hrtime.bigint()) / 1e6;

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** What happens to two processes that take 150 times a second together. */
async function suffer(faultOf: (server: RedisServer, proxy: Proxy) => Fault) {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const proxy = await startProxy({ target: server });
  onTestFinished(() => proxy.stop());
  const fault = faultOf(server, proxy);
  await Promise.all(workers.map((worker) => worker.call('open', { url: proxy.url('redis'), plans: [minute] })));

  const forMs = healthyMs + faultyMs + afterwardsMs;
  /** One key that will be exhausted, and others that never are. */
  const shooting = workers.map(async (worker) => {
    const busy = worker.call('pace', { key: 'busy', forMs, perSecond: 60 });
    const own = worker.call('pace', { key: `own:${worker.pid}`, forMs, perSecond: 15 });
    return { busy: await busy, own: await own };
  });
  await sleep(healthyMs);
  const brokenAt = now();
  await fault.begin();
  await sleep(faultyMs);
  await fault.end();
  const healedAt = now();
  // The proxy is part of this process.
  const watch = watchStalls(now);
  const backAt = await Promise.all(workers.map((worker) => worker.call('back')));
  watch.stop();
  const shots = await Promise.all(shooting);
  const stalls = await Promise.all(workers.map((worker) => worker.call('close')));

  /** Without what the process itself lost. */
  const took = (some: readonly Shot[], place: number) =>
    some.map(({ before, after }) => after - before - stalledMs(stalls[place] ?? [], before, after));
  const all = shots.map(({ busy, own }) => [...busy, ...own]);
  const healthy = all.flatMap((some, place) => took(some.filter(before(brokenAt)), place));
  return {
    takes: all.flat().length,
    addedMs: percentile(all.flatMap(took), 0.99) - percentile(healthy, 0.99),
    recoveryMs: backAt.map((at, place) => {
      return at - healedAt - stalledMs([...(stalls[place] ?? []), ...watch.stalls], healedAt, at);
    }),
    broken: all.flat().filter((shot) => !before(brokenAt)(shot) && before(healedAt)(shot)),
    busy: shots.flatMap(({ busy }) => busy),
    late: shots.flatMap(({ own }, place) => own.filter((shot) => !before(backAt[place] ?? 0)(shot))),
  };
}

const before = (at: number) => (shot: Shot) => shot.before < at;

describe.each(Object.entries(faults))('a Redis %s', (_name, faultOf) => {
  it('is not missed: decisions in time, within limit times nodes, and back within a second', async () => {
    const seen = await suffer(faultOf);
    expect(seen.takes).toBeGreaterThan(1000);
    expect(seen.addedMs).toBeLessThanOrEqual(addedMs);
    // The fault was really there.
    expect(seen.broken.filter(({ degraded }) => degraded === 'local').length).toBeGreaterThan(seen.broken.length * 0.7);
    // Two nodes, each within the limit.
    const admitted = seen.busy.filter(({ allowed }) => allowed).length;
    expect(admitted).toBeGreaterThanOrEqual(minute.limit);
    expect(admitted).toBeLessThanOrEqual(2 * minute.limit);
    expect(Math.max(...seen.recoveryMs)).toBeLessThanOrEqual(backWithinMs);
    // Where there is room the store decides again; a process that had its limit stays with that. On a busy machine a moment in
    // which the store is slow makes a few decisions local: that is what they are for.
    expect(seen.late.length).toBeGreaterThan(20);
    expect(seen.late.filter(({ degraded }) => degraded !== false).length).toBeLessThan(seen.late.length / 2);
  });
});
