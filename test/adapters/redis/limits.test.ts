/** Shows what limits cost on a real Redis, that its script agrees with the arithmetic here, and what faults leave behind. */

import { redisOptions } from 'hotshelf/redis';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import type { Plan, Taken } from 'hotshelf';
import { add, advance, free, give, isAhead } from '../../../src/backend/limits/arithmetic.ts';
import type { Usage } from '../../../src/backend/limits/usage.ts';
import { LimitsBatch } from '../../../adapters/redis/limits-batch.ts';
import { writeNames, type Answer, type Mode } from '../../../adapters/redis/limits-text.ts';
import { nodesBehind } from '../../../adapters/redis/backend.ts';
import { startRedisCluster } from '../../kit/cluster.ts';
import { seededRandom } from '../../kit/random.ts';
import type { RedisServer } from '../../kit/redis.ts';
import { sleep, until } from '../../kit/wait.ts';
import { backendOn, cleanUp, errorOf, later, outcomeOf, patient, proxyOf, server, up } from './support.ts';

afterEach(cleanUp);

const hour: Plan = { algorithm: 'sliding-window', limit: 5, windowMs: 3_600_000 };
const plans: readonly Plan[] = [
  hour,
  { algorithm: 'token-bucket', limit: 5, windowMs: 3_600_000, burst: 5 },
  { algorithm: 'fixed-window', limit: 5, windowMs: 366 * 86_400_000 },
];

/** How often the server was called with this command. */
async function calls(real: RedisServer, command: string): Promise<number> {
  const stats = String(await real.cli('INFO', 'commandstats'));
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

function allowed(taken: readonly Taken[]): number {
  return taken.filter((one) => one.allowed).length;
}

describe('the script', () => {
  it('agrees with the arithmetic here, question by question', async () => {
    const real = await server();
    const batch = new LimitsBatch(nodesBehind(await backendOn(real.url), 'the test'));
    const ask = (mode: Mode, keys: string[], some: readonly Plan[], cost: number) =>
      new Promise<{ answer: Answer; now: number }>((resolve, reject) => {
        batch.ask({
          question: { mode, names: writeNames('', keys, ''), plans: some, cost },
          answer: (answer, now) => resolve({ answer, now }),
          fail: reject,
        });
      });
    const random = seededRandom(11);
    const pick = <One>(...some: readonly One[]): One => some[Math.floor(random() * some.length)] as One;
    const shapes = [10, 40, 105, 300].flatMap((windowMs): Plan[] => [
      { algorithm: 'sliding-window', limit: 6, windowMs },
      { algorithm: 'token-bucket', limit: 6, windowMs, burst: 4 },
      { algorithm: 'fixed-window', limit: 6, windowMs },
    ]);
    const model = new Map<string, Usage>();
    const kinds = new Map<string, number>();
    for (let round = 0; round < 2500; round += 1) {
      const chosen = pick(1, 1, 2, 3);
      const some = Array.from({ length: chosen }, () => {
        const plan = pick(...shapes);
        if (random() < 0.8) return plan;
        return plan.algorithm === 'token-bucket' ? { ...plan, burst: pick(2, 6) } : { ...plan, limit: pick(3, 9) };
      });
      const keys = some.map((plan, place) => `{k${pick(1, 2)}}:${place}:${plan.algorithm}:${plan.windowMs}`);
      if (new Set(keys.map((key) => key.slice(0, 4))).size > 1 || new Set(keys).size < keys.length) continue;
      const mode = pick<Mode>('take', 'take', 'take', 'take', 'look', 'charge', 'give', 'reset');
      const cost = pick(0, 1, 1, 2, 3, 7);
      const { answer, now } = await ask(mode, keys, some, cost);
      const stored = some.map((_, place) => model.get(keys[place] ?? '') ?? []);
      const usages = some.map((plan, place) => advance(plan, stored[place] ?? [], now));
      const fits = some.every((plan, place) => free(plan, usages[place] ?? []) >= cost);
      const what = `${mode} ${cost} ${fits}`;
      kinds.set(what, (kinds.get(what) ?? 0) + 1);
      for (const [place, plan] of some.entries()) {
        const [key = '', usage = []] = [keys[place], usages[place]];
        let next = usage;
        if (mode === 'reset') next = [];
        else if (mode === 'give') next = give(plan, usage, cost);
        else if (mode === 'charge') next = add(plan, usage, now, Math.max(0, Math.min(cost, free(plan, usage))));
        else if (mode === 'take' && fits) next = add(plan, usage, now, cost);
        expect(isAhead(stored[place] ?? [], usage)).toBe(false);
        model.set(key, next);
        if (mode === 'give' || mode === 'reset') continue;
        expect(answer.allowed, what).toBe(fits);
        const told = answer.usages[place] ?? [];
        expect(free(plan, told), `${what} of ${JSON.stringify(plan)}`).toBe(free(plan, next));
        // Where there was no room, it must be known when there will be.
        if (!fits && free(plan, usage) < cost) expect(trimmed(told)).toEqual(trimmed(next));
      }
      if (random() < 0.2) await sleep(pick(1, 3, 12, 40));
    }
    for (const what of ['take 1 true', 'take 1 false', 'take 7 false', 'look 3 false', 'charge 7 false', 'give 2 true'])
      expect(kinds.get(what) ?? 0, what).toBeGreaterThan(0);
  });

  it('gives every key a lifetime, whatever is done to it', async () => {
    const real = await server();
    const { limits } = await backendOn(real.url);
    for (const plan of plans) {
      for (const [name, work] of Object.entries({
        take: () => limits.take([`{${plan.algorithm}}take`], [plan], 2),
        charge: () => limits.charge([`{${plan.algorithm}}charge`], [plan], 9),
        give: async () => {
          await limits.take([`{${plan.algorithm}}give`], [plan], 3);
          await limits.give([`{${plan.algorithm}}give`], [plan], 1);
        },
      })) {
        await work();
        const ttl = Number(await real.cli('PTTL', `{${plan.algorithm}}${name}`));
        expect(ttl, `${plan.algorithm} after ${name}`).toBeGreaterThan(0);
        expect(ttl).toBeLessThanOrEqual(Math.ceil(1.1 * plan.windowMs));
      }
      await limits.give([`{${plan.algorithm}}give`], [plan], 9);
      await limits.give([`{${plan.algorithm}}none`], [plan], 9);
      await limits.look([`{${plan.algorithm}}none`], [plan], 1);
      await limits.take([`{${plan.algorithm}}none`], [plan], 6);
      expect(await real.cli('EXISTS', `{${plan.algorithm}}give`, `{${plan.algorithm}}none`)).toBe(0);
    }
  });

  it('is not stuck when the clock of the server is set back', async () => {
    const real = await server();
    const { limits } = await backendOn(real.url, { ...patient, blockLocally: false });
    const plan: Plan = { algorithm: 'sliding-window', limit: 5, windowMs: 200 };
    const later = Date.now() + 3_600_000;
    await real.cli('SET', 'sliding', `s200:${Math.floor((later * 10) / 200)},5`);
    await real.cli('SET', 'bucket', `t200:${later},1000`);
    await real.cli('SET', 'fixed', `f200:${Math.floor(later / 200)},5`);
    const all: readonly (readonly [string, Plan])[] = [
      ['sliding', plan],
      ['bucket', { ...plan, algorithm: 'token-bucket', burst: 5 }],
      ['fixed', { ...plan, algorithm: 'fixed-window' }],
    ];
    for (const [key, one] of all) expect((await limits.take([key], [one], 5)).allowed, key).toBe(false);
    for (const [key, one] of all) {
      await until(async () => (await limits.take([key], [one], 5)).allowed, { what: key, within: 2000 });
      expect(Number(await real.cli('PTTL', key))).toBeGreaterThan(0);
    }
  });

  it('refuses a key that holds something else, and answers everybody else of the tick', async () => {
    const real = await server();
    const { limits } = await backendOn(real.url);
    await real.cli('RPUSH', 'list', 'x');
    const [one, list, other] = await Promise.allSettled([
      limits.take(['one'], [hour], 5),
      limits.take(['list'], [hour], 5),
      limits.take(['other'], [hour], 5),
    ]);
    expect([one.status, list.status, other.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await errorOf(limits.take(['list'], [hour], 5))).code).toBe('BACKEND_REFUSED');
    expect(await real.cli('LLEN', 'list')).toBe(1);
    expect((await limits.take(['one'], [hour], 1)).allowed).toBe(false);
  });

  it('counts under a prefix that is longer in bytes than in characters', async () => {
    const real = await server();
    const client = later(
      (one) => one.disconnect(),
      new Redis({ ...redisOptions(), port: real.port, keyPrefix: 'büro€:' }),
    );
    const { limits } = await backendOn(client, { ...patient, blockLocally: false });
    const takes = Array.from({ length: 6 }, (_, at) => limits.take([`{k${at % 2}}`], [hour], 1, `{k${at % 2}}!`));
    expect(allowed(await Promise.all(takes))).toBe(6);
    expect((await limits.look(['{k0}'], [hour], 1)).standings[0]?.remaining).toBe(hour.limit - 3);
    expect(await real.cli('EXISTS', 'büro€:{k0}', 'büro€:{k1}')).toBe(2);
  });

  it('checks what it was asked before as if it had not been', async () => {
    const real = await server();
    const { limits } = await backendOn(real.url);
    await limits.take(['{k}'], [hour], 1, '{k}!');
    await limits.shut('{k}other', 60_000);
    const wrong = [
      () => limits.take(['{k}'], [hour], -1, '{k}!'),
      () => limits.take(['{k}'], [{ ...hour, limit: 0 }], 1, '{k}!'),
      () => limits.take(['{k}'], [hour, hour], 1, '{k}!'),
      () => limits.take(['{k}', '{k} '], [hour, hour], 1, '{k}!'),
      () => limits.take(['{k}'], [hour], 1, '{other}!'),
    ];
    for (const take of wrong) expect(['OPTION_INVALID', 'KEY_INVALID']).toContain(await outcomeOf(take()));
    expect((await limits.take(['{k}'], [hour], 1, '{k}other')).shutMs).toBeGreaterThan(0);
    expect((await limits.take(['{k}'], [hour], 1)).shutMs).toBe(0);
    expect((await limits.look(['{k}'], [hour], 1, '{k}!')).standings[0]?.remaining).toBe(hour.limit - 2);
  });

  it('starts anew over bytes that are no usage', async () => {
    const real = await server();
    const { limits } = await backendOn(real.url);
    for (const [index, bytes] of ['', 'x', 's3600000:', 's3600000:x,y', 's3600000:1.5,-3', ',,,', '\0'].entries()) {
      await real.cli('SET', `k${index}`, bytes);
      expect((await limits.take([`k${index}`], [hour], 1)).allowed, JSON.stringify(bytes)).toBe(true);
    }
  });
});

describe('the trips', () => {
  it('are one for all takes of a tick, and none for what is exhausted', async () => {
    const real = await server();
    const { limits } = await backendOn(real.url);
    await limits.take(['warm'], [hour], 1);
    const before = await calls(real, 'evalsha');
    const first = await Promise.all(Array.from({ length: 100 }, (_, at) => limits.take([`k${at % 10}`], [hour], 1)));
    expect(allowed(first)).toBe(50);
    expect((await calls(real, 'evalsha')) - before).toBe(1);
    const again = await Promise.all(Array.from({ length: 1000 }, (_, at) => limits.take([`k${at % 10}`], [hour], 1)));
    expect(allowed(again)).toBe(0);
    expect(again.every(({ standings }) => (standings[0]?.retryAfterMs ?? 0) > 3_000_000)).toBe(true);
    // Unless this machine took more than a second for it.
    expect((await calls(real, 'evalsha')) - before).toBeLessThanOrEqual(2);
  });

  it('are one for each take where nothing is blocked locally', async () => {
    const real = await server();
    const { limits } = await backendOn(`${real.url}?blockLocally=false`, {});
    for (let take = 0; take < 5; take += 1) await limits.take(['k'], [hour], 1);
    const before = await calls(real, 'evalsha');
    for (let take = 0; take < 20; take += 1) expect((await limits.take(['k'], [hour], 1)).allowed).toBe(false);
    expect((await calls(real, 'evalsha')) - before).toBe(20);
  });

  it('are made again as soon as this process gives something back, and within a second if another one does', async () => {
    const real = await server();
    const [{ limits }, other] = [await backendOn(real.url), await backendOn(real.url)];
    await limits.take(['k'], [hour], 5);
    expect((await limits.take(['k'], [hour], 1)).allowed).toBe(false);
    await limits.give(['k'], [hour], 1);
    expect((await limits.take(['k'], [hour], 1)).allowed).toBe(true);
    expect((await limits.take(['k'], [hour], 1)).allowed).toBe(false);
    await other.limits.reset(['k'], [hour]);
    await until(async () => (await limits.take(['k'], [hour], 1)).allowed, { what: 'room', within: 2000 });
  });

  it('are one for each slot of a Cluster', async () => {
    const cluster = later((one) => one.stop(), await startRedisCluster());
    const [node] = cluster.masters;
    const { limits } = await backendOn(`redis+cluster://${node?.host}:${node?.port}`);
    const taken = await Promise.all(
      Array.from({ length: 300 }, (_, at) =>
        limits.take([`a:{user:${at % 30}}`, `b:{user:${at % 30}}`], [hour, { ...hour, limit: 4 }], 1),
      ),
    );
    expect(allowed(taken)).toBe(30 * 4);
  });
});

describe('faults', () => {
  it('of the script cache are not seen', async () => {
    const real = await server();
    const { limits } = await backendOn(real.url, { ...patient, blockLocally: false });
    const plan = { ...hour, limit: 1000 };
    let flushes = 0;
    const taken: Taken[] = [];
    for (let round = 0; round < 60; round += 1) {
      const some = Promise.all(Array.from({ length: 20 }, () => limits.take(['k'], [plan], 1)));
      if (round % 3 === 0) flushes += (await real.cli('SCRIPT', 'FLUSH')) === 'OK' ? 1 : 0;
      taken.push(...(await some));
    }
    expect(flushes).toBe(20);
    expect(allowed(taken)).toBe(1000);
  });

  it('of the wire never charge twice', async () => {
    const real = await server();
    const proxy = await proxyOf(real);
    const backend = await backendOn(`redis://127.0.0.1:${proxy.port}`, {});
    const plan = { ...hour, limit: 1_000_000 };
    // The server knows the script from now on.
    await backend.limits.take(['k'], [plan], 1);
    let answered = 1;
    let unknown = 0;
    for (let round = 0; round < 30; round += 1) {
      await until(up(backend), { what: 'the backend to be back', every: 2 });
      if (round % 2 === 0) proxy.truncateNextReply(round % 4, 'close');
      const outcome = await outcomeOf(backend.limits.take(['k'], [plan], 1));
      if (outcome === 'ok') answered += 1;
      if (outcome === 'OUTCOME_UNKNOWN') unknown += 1;
    }
    expect(unknown).toBeGreaterThan(10);
    await until(up(backend), { what: 'the backend to be back' });
    await sleep(200);
    const [standing] = (await backend.limits.look(['k'], [plan], 1)).standings;
    // Each take reached the server once: what was lost is the reply.
    expect(1_000_000 - (standing?.remaining ?? 0)).toBe(answered + unknown);
  });
});

/** Parts in which nothing was taken at the end mean nothing, and neither does a usage of nothing else. */
function trimmed(usage: Usage): Usage {
  const last = usage.findLastIndex((count, at) => at > 0 && count > 0);
  return last === -1 ? [] : usage.slice(0, last + 1);
}
