/** Shows that nobody sees a leaderboard on Redis half done: other writers, other kinds of keys, slots that move. */

import { afterEach, describe, expect, it } from 'vitest';
import { slotOf } from '../../../adapters/redis/slot.ts';
import type { RankingRules, RankingStanding } from '../../../src/backend/rankings.ts';
import { startRedisCluster } from '../../kit/cluster.ts';
import { seededRandom } from '../../kit/random.ts';
import type { RedisServer } from '../../kit/redis.ts';
import { until } from '../../kit/wait.ts';
import { backendOn, cleanUp, errorOf, later, server, type RedisBackend } from './support.ts';

afterEach(cleanUp);

const best: RankingRules = { order: 'desc', ties: 'competition', mode: 'best', cap: Infinity };
const dense: RankingRules = { ...best, ties: 'dense', mode: 'sum' };
const earliest: RankingRules = { ...best, ties: 'earliest', mode: 'last' };
const key = 'quiz:{eu}:day';
const board = { key, expiresAt: Infinity };

describe('several writers', () => {
  const random = seededRandom(3);
  const some = (count: number) =>
    Array.from({ length: count }, () => ({
      member: `m${Math.floor(random() * 40)}`,
      score: Math.floor(random() * 5) - 2,
    }));

  /** Says where the side structures of a board differ from the board. */
  async function damage(real: RedisServer, { ties }: RankingRules): Promise<string[]> {
    const flat = (await real.cli('ZRANGE', key, 0, -1, 'WITHSCORES')) as string[];
    const elements = flat.filter((_, at) => at % 2 === 0);
    if (ties === 'dense') {
      const scores = new Set(flat.filter((_, at) => at % 2 === 1));
      const kept = (await real.cli('ZRANGE', `${key} scores`, 0, -1)) as string[];
      return [...kept.filter((one) => !scores.has(one)), ...[...scores].filter((one) => !kept.includes(one))];
    }
    const reached = (await real.cli('HGETALL', `${key} reached`)) as string[];
    const expected = reached.flatMap((member, at) => (at % 2 === 1 || member === '' ? [] : [reached[at + 1] + member]));
    return [...expected.filter((one) => !elements.includes(one)), ...elements.filter((one) => !expected.includes(one))];
  }

  it.each([dense, earliest, { ...dense, cap: 12 }, { ...earliest, cap: 12, order: 'asc' } as const])(
    'never tear a board with ties $ties, order $order and a cap of $cap',
    async (rules) => {
      const real = await server();
      const backends = await Promise.all(Array.from({ length: 3 }, () => backendOn(real.url)));
      const write = async ({ rankings }: RedisBackend) => {
        for (let round = 0; round < 60; round += 1) {
          await Promise.all([rankings.submit([board], rules, some(9)), rankings.submit([board], rules, some(1))]);
          await rankings.remove([key], rules, ['m1', 'm2']);
          if (round % 8 === 0) await rankings.removeScores([key], rules, 0, 1);
        }
      };
      await Promise.all(backends.map(write));
      expect(Number(await real.cli('ZCARD', key))).toBeGreaterThan(5);
      expect(await damage(real, rules)).toEqual([]);
    },
  );

  it('would, if their commands came one by one', async () => {
    const real = await server();
    const put = async (member: string, score: number) => {
      await real.cli('ZADD', key, score, member);
      await real.cli('ZADD', `${key} scores`, score, score);
    };
    await put('annie', 2);
    await put('annie', 3);
    const isOver = (await real.cli('ZCOUNT', key, 2, 2)) === 0;
    await put('bob', 2);
    if (isOver) await real.cli('ZREM', `${key} scores`, 2);
    expect(await damage(real, dense)).toEqual(['2']);
  });

  it('hide nobody from a scan who is on the board all the while, although elements change with the scores', async () => {
    const real = await server();
    const [{ rankings }, writer] = [await backendOn(real.url), await backendOn(real.url)];
    const members = Array.from({ length: 3000 }, (_, at) => `m${at}`);
    let score = 0;
    const resubmit = async () => {
      score += 1;
      const parts = Array.from({ length: 30 }, (_, part) => members.slice(part * 100, part * 100 + 100));
      const all = parts.map((part) => part.map((member) => ({ member, score })));
      await Promise.all(all.map((submissions) => writer.rankings.submit([board], earliest, submissions)));
    };
    await resubmit();
    const found = new Set<string>();
    let pages = 0;
    for await (const entries of rankings.scan(key, earliest)) {
      pages += 1;
      for (const entry of entries) found.add(entry.member);
      await resubmit();
    }
    expect(pages).toBeGreaterThan(3);
    expect(members.filter((member) => !found.has(member))).toEqual([]);
    // What a scan of the sorted set itself finds.
    const missed = new Set(members);
    let cursor = '0';
    do {
      const [next, flat] = (await real.cli('ZSCAN', key, cursor, 'COUNT', 500)) as [string, string[]];
      for (const element of flat) missed.delete(element.slice(16));
      await resubmit();
      cursor = next;
    } while (cursor !== '0');
    expect(missed.size).toBeGreaterThan(0);
  });
});

describe('a key that holds something else', () => {
  it('is refused by name of what to do, before anything is written, and stays as it is', async () => {
    const real = await server();
    const { rankings } = await backendOn(real.url);
    const boards = [{ key: 'quiz:{eu}:all', expiresAt: Date.now() + 1e6 }, board];
    const one = [{ member: 'annie', score: 1 }];
    for (const rules of [best, dense, earliest]) {
      for (const name of [
        key,
        ...(rules === dense ? [`${key} scores`] : rules === earliest ? [`${key} reached`] : []),
      ]) {
        await real.cli('FLUSHALL');
        if (name !== key) await rankings.submit([board], rules, [{ member: 'bob', score: 1 }]);
        await real.cli('DEL', name);
        await real.cli('RPUSH', name, 'x');
        const refused: Record<string, () => Promise<unknown>> = {
          submit: () => rankings.submit(boards, rules, one),
          page: () => rankings.page(key, rules, { from: 0, count: 1 }),
          find: () => rankings.find(key, rules, ['annie']),
          remove: () => rankings.remove([key], rules, ['annie']),
          removeScores: () => rankings.removeScores([key], rules, 0, 1),
          scan: () => rankings.scan(key, rules)[Symbol.asyncIterator]().next(),
          'move from': () => rankings.move(key, { key: 'quiz:{eu}:x', expiresAt: Infinity }, rules),
          'move to': async () => {
            await rankings.submit([{ key: 'quiz:{eu}:from', expiresAt: Infinity }], rules, one);
            return rankings.move('quiz:{eu}:from', board, rules);
          },
        };
        for (const [verb, work] of Object.entries(refused)) {
          const { code, message } = await errorOf(work());
          expect([code, message], verb).toEqual(['BACKEND_REFUSED', expect.stringContaining('keys of its own')]);
        }
        expect(await real.cli('LRANGE', name, 0, -1)).toEqual(['x']);
        expect(await real.cli('PTTL', name)).toBe(-1);
        expect(await real.cli('EXISTS', 'quiz:{eu}:all')).toBe(0);
      }
    }
  });
});

describe('a Cluster', () => {
  it('keeps each group of boards on one master, and is followed when a slot moves', async () => {
    const cluster = later((one) => one.stop(), await startRedisCluster());
    const [node] = cluster.masters;
    const { rankings } = await backendOn(`redis+cluster://${node?.host}:${node?.port}`);
    const boards = (at: number) =>
      [`quiz:{${at}}:day`, `quiz:{${at}}:all`].map((name) => ({ key: name, expiresAt: Infinity }));
    const submit = (at: number) => rankings.submit(boards(at), earliest, [{ member: 'annie', score: at }]);
    await Promise.all(Array.from({ length: 30 }, (_, at) => submit(at)));
    const sizes = await Promise.all(cluster.masters.map((master) => master.cli('DBSIZE')));
    expect(sizes.reduce((sum: number, size) => sum + Number(size), 0)).toBe(30 * 4);
    expect(sizes.every((size) => Number(size) > 0)).toBe(true);

    const from = await cluster.masterOf('{7}');
    const to = cluster.masters.find((master) => master !== from);
    if (to === undefined) throw new Error('no other master');
    const slot = slotOf('{7}');
    const [fromId, toId] = [String(await from.cli('CLUSTER', 'MYID')), String(await to.cli('CLUSTER', 'MYID'))];
    await to.cli('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
    await from.cli('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
    const keys = ['quiz:{7}:day', 'quiz:{7}:all'].flatMap((name) => [name, `${name} reached`]);
    for (const name of keys) await from.cli('MIGRATE', to.host, to.port, name, 0, 1000);
    // The slot has not moved yet: the keys are asked for there.
    expect((await submit(7)).flat().map(({ previous }) => previous)).toEqual([7, 7]);
    const agrees = async (master: RedisServer): Promise<boolean> => {
      const word = await master.cli('EXISTS', keys[0] ?? '').catch(String);
      const agreed = master === to ? word === 1 : String(word).includes(`:${to.port}`);
      if (!agreed) await master.cli('CLUSTER', 'SETSLOT', slot, 'NODE', toId).catch(() => {});
      return agreed;
    };
    const allAgree = async () => (await Promise.all([to, from, ...cluster.masters].map(agrees))).every(Boolean);
    await until(allAgree, { what: 'all masters to agree on the slot', every: 50 });
    expect((await submit(7)).flat().map(({ previous }) => previous)).toEqual([7, 7]);
    const found = await rankings.find('quiz:{7}:day', earliest, ['annie']);
    expect(found.standings).toEqual([{ score: 7, rank: 1, ahead: 0 } satisfies RankingStanding]);
    expect(await to.cli('ZCARD', 'quiz:{7}:day')).toBe(1);
  });
});
