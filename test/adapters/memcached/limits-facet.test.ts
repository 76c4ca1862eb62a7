/** Shows what limits on Memcached keep: never too much, also with clocks that differ, lost answers and many processes. */

import { afterEach, describe, expect, it } from 'vitest';
import type { Plan, Taken } from 'hotshelf';
import { memcached, type MemcachedOptions } from 'hotshelf/memcached';
import { systemClock } from '../../../src/support/clock.ts';
import { startMemcached } from '../../kit/memcached.ts';
import { startProxy } from '../../kit/proxy.ts';
import { sleep, until } from '../../kit/wait.ts';
import { outcomeOf } from './outcome.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function server() {
  const made = await startMemcached();
  cleanups.push(() => made.stop());
  return made;
}

async function backendOn(address: { host: string; port: number }, options: MemcachedOptions = {}) {
  const backend = memcached([{ host: address.host, port: address.port }], { deadline: '2s', ...options });
  cleanups.push(() => backend.close());
  await until(async () => (await backend.health()).ok, { what: 'the server to answer' });
  return backend;
}

/** A machine whose wall clock is off by `ms`. */
const clockOff = (ms: number) => ({ ...systemClock, now: () => systemClock.now() + ms });

const allowed = (taken: readonly Taken[]) => taken.filter((one) => one.allowed).length;

describe('limits on Memcached', () => {
  it('admit no more than the limit to processes whose clocks differ by less than a tenth of the window', async () => {
    const real = await server();
    const plan: Plan = { algorithm: 'sliding-window', limit: 50, windowMs: 2000 };
    const backends = await Promise.all(
      [-90, -40, 0, 60, 90].map((ms) => backendOn(real, { clock: clockOff(ms), blockLocally: false })),
    );
    const taken: Taken[] = [];
    for (const end = Date.now() + 1500; Date.now() < end;) {
      taken.push(...(await Promise.all(backends.map(({ limits }) => limits.take(['k'], [plan], 1)))));
    }
    expect(allowed(taken)).toBe(50);
  });

  it('give back to all plans what one of them refused', async () => {
    const real = await server();
    const { limits } = await backendOn(real);
    const hour = 3_600_000;
    const plans: readonly Plan[] = [
      { algorithm: 'sliding-window', limit: 100, windowMs: hour },
      { algorithm: 'token-bucket', limit: 100, windowMs: hour, burst: 100 },
      { algorithm: 'fixed-window', limit: 3, windowMs: 24 * hour },
    ];
    const keys = ['{k}a', '{k}b', '{k}c'];
    const taken = await Promise.all(Array.from({ length: 40 }, () => limits.take(keys, plans, 1)));
    expect(allowed(taken)).toBe(3);
    expect((await limits.look(keys, plans, 0)).standings.map(({ remaining }) => remaining)).toEqual([97, 97, 0]);
  });

  it('are in each other’s way but exact where processes share a bucket', async () => {
    const real = await server();
    const plan: Plan = { algorithm: 'token-bucket', limit: 30, windowMs: 3_600_000, burst: 30 };
    const backends = await Promise.all(Array.from({ length: 4 }, () => backendOn(real)));
    const taken = await Promise.all(
      backends.flatMap(({ limits }) => Array.from({ length: 20 }, () => limits.take(['k'], [plan], 1))),
    );
    expect(allowed(taken)).toBe(30);
  });

  it('never charge twice when answers are lost', async () => {
    const real = await server();
    const proxy = await startProxy({ target: real });
    cleanups.push(() => proxy.stop());
    const backend = await backendOn(proxy, { deadline: '250ms' });
    const plan: Plan = { algorithm: 'sliding-window', limit: 1_000_000, windowMs: 3_600_000 };
    const isUp = async () => (await outcomeOf(backend.values.get('any'))).code === undefined;
    let answered = 0;
    let unknown = 0;
    for (let round = 0; round < 30; round += 1) {
      await until(isUp, { what: 'the backend to be back', every: 2 });
      if (round % 2 === 0) proxy.truncateNextReply(round % 5, 'close');
      const { code } = await outcomeOf(backend.limits.take(['k'], [plan], 1));
      if (code === undefined) answered += 1;
      else if (code === 'OUTCOME_UNKNOWN') unknown += 1;
    }
    expect(unknown).toBeGreaterThan(10);
    await until(isUp, { what: 'the backend to be back' });
    await sleep(100);
    const [standing] = (await backend.limits.look(['k'], [plan], 1)).standings;
    const charged = 1_000_000 - (standing?.remaining ?? 0);
    expect(charged).toBeGreaterThanOrEqual(answered);
    expect(charged).toBeLessThanOrEqual(answered + unknown);
  });

  it('give every key a lifetime', async () => {
    const real = await server();
    const { limits } = await backendOn(real);
    const plan: Plan = { algorithm: 'sliding-window', limit: 5, windowMs: 60_000 };
    const plans: readonly Plan[] = [
      plan,
      { ...plan, algorithm: 'token-bucket', burst: 5 },
      { ...plan, algorithm: 'fixed-window' },
    ];
    for (const one of plans) {
      await limits.take([one.algorithm], [one], 3);
      await limits.charge([one.algorithm], [one], 9);
      await limits.give([one.algorithm], [one], 1);
    }
    await limits.shut('gate', 1000);
    const dump = await real.cli('lru_crawler', 'metadump', 'all');
    const ends = [...dump.matchAll(/^key=(\S+) exp=(-?\d+)/gm)];
    expect(ends).toHaveLength(4);
    for (const [, key, exp] of ends) expect(Number(exp), key).toBeGreaterThan(Date.now() / 1000);
  });
});
