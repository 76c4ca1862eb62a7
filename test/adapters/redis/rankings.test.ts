/** Shows how leaderboards are kept on a real Redis, and in how many trips. */

import { afterEach, describe, expect, it } from 'vitest';
import type { RankingRules, Submitted } from '../../../src/backend/rankings.ts';
import { decayed } from '../../../src/backend/rankings/decay.ts';
import { seededRandom } from '../../kit/random.ts';
import type { RedisServer } from '../../kit/redis.ts';
import { backendOn, cleanUp, server, type RedisBackend } from './support.ts';

afterEach(cleanUp);

const best: RankingRules = { order: 'desc', ties: 'competition', mode: 'best', cap: Infinity };
const dense: RankingRules = { ...best, ties: 'dense', mode: 'sum' };
const earliest: RankingRules = { ...best, ties: 'earliest', mode: 'last' };
const key = 'quiz:{eu}:day';
const board = { key, expiresAt: Infinity };

/** How often the server ran a script. */
async function scripts(real: RedisServer): Promise<number> {
  const stats = String(await real.cli('INFO', 'commandstats'));
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}

async function rankOf({ rankings }: RedisBackend, rules: RankingRules, member: string): Promise<number | undefined> {
  return (await rankings.find(key, rules, [member])).standings[0]?.rank;
}

describe('a board', () => {
  it('shows its scores to whoever looks with redis-cli', async () => {
    const real = await server();
    const { rankings } = await backendOn(real.url);
    await rankings.submit([board], best, [
      { member: 'annie', score: 7.25 },
      { member: 'bob', score: 3 },
    ]);
    expect(await real.cli('ZREVRANGE', key, 0, -1, 'WITHSCORES')).toEqual(['annie', '7.25', 'bob', '3']);
    expect(await real.cli('KEYS', '*')).toEqual([key]);
  });

  it('has a lifetime that all its keys share, set anew by every submission, and takes it along when it moves', async () => {
    const real = await server();
    const { rankings } = await backendOn(real.url);
    const at = Date.now() + 3_600_000;
    for (const [rules, suffix] of [
      [best, ''],
      [dense, ' scores'],
      [earliest, ' reached'],
    ] as const) {
      const keys = [`{${rules.ties}}:day`, `{${rules.ties}}:day${suffix}`];
      const moved = [`{${rules.ties}}:hall`, `{${rules.ties}}:hall${suffix}`];
      const times = (some: readonly string[]) => Promise.all(some.map((one) => real.cli('PEXPIRETIME', one)));
      const submit = (expiresAt: number) =>
        rankings.submit([{ key: keys[0] ?? '', expiresAt }], rules, [{ member: 'annie', score: 1 }]);
      await submit(at);
      expect(await times(keys)).toEqual([at, at]);
      await submit(at + 1);
      expect(await times(keys)).toEqual([at + 1, at + 1]);
      await submit(Infinity);
      expect(await times(keys)).toEqual([-1, -1]);
      expect(await rankings.move(keys[0] ?? '', { key: moved[0] ?? '', expiresAt: at }, rules)).toBe('moved');
      expect(await times(moved)).toEqual([at, at]);
      expect(await times(keys)).toEqual([-2, -2]);
    }
  });

  it('leaves nothing behind when its last member goes, however that happens', async () => {
    const real = await server();
    const { rankings } = await backendOn(real.url);
    const submissions = Array.from({ length: 100 }, (_, at) => ({ member: `m${at}`, score: at % 7 }));
    for (const rules of [best, dense, earliest]) {
      await rankings.submit([board], rules, submissions);
      const members = submissions.map(({ member }) => member);
      expect(await rankings.remove([key], rules, [...members, 'nobody', 'm1'])).toEqual([100]);
      expect(await real.cli('KEYS', '*'), rules.ties).toEqual([]);
      await rankings.submit([board], rules, submissions);
      expect(await rankings.removeScores([key], rules, 0, 3)).toEqual([58]);
      expect(await rankings.removeScores([key], rules, -Infinity, Infinity)).toEqual([42]);
      expect(await real.cli('KEYS', '*'), rules.ties).toEqual([]);
    }
  });

  it('takes any number of members with scores between two off', async () => {
    const real = await server();
    const { rankings } = await backendOn(real.url);
    for (let from = 0; from < 3500; from += 100) {
      const some = Array.from({ length: 100 }, (_, at) => ({ member: `m${from + at}`, score: from + at }));
      await rankings.submit([board], earliest, some);
    }
    expect(await rankings.removeScores([key], earliest, 1, 3400)).toEqual([3400]);
    expect(await real.cli('ZCARD', key)).toBe(100);
    // And the time that the last of them came.
    expect(await real.cli('HLEN', `${key} reached`)).toBe(101);
  });

  it('adds up what fades exactly as the arithmetic here does, and lets newcomers inherit', async () => {
    const real = await server();
    const { rankings } = await backendOn(real.url);
    const rules: RankingRules = { ...best, mode: 'decay', halfLifeMs: 5000, cap: 3 };
    const clock = async () => {
      const time = (await real.cli('TIME')) as string[];
      return Math.floor(Number(time[0]) * 1000 + Number(time[1]) / 1000);
    };
    const random = seededRandom(7);
    const scores = new Map<string, number>();
    for (let round = 0; round < 200; round += 1) {
      const [member, weight] = [`m${Math.floor(random() * 5)}`, random() * 10 + Number.MIN_VALUE];
      const isNew = !scores.has(member);
      const last = [...scores].toSorted(([a, one], [b, other]) => one - other || (a < b ? -1 : 1))[0];
      const inherits = isNew && scores.size === 3;
      const previous = (inherits ? last?.[1] : scores.get(member)) ?? null;
      const before = await clock();
      const [[submitted]] = (await rankings.submit([board], rules, [{ member, score: weight }])) as [[Submitted]];
      const after = await clock();
      expect(submitted.previous).toBe(isNew ? null : previous);
      const slack = 1e-9 * submitted.score;
      expect(submitted.score).toBeGreaterThanOrEqual(decayed(previous, weight, before, 5000) - slack);
      expect(submitted.score).toBeLessThanOrEqual(decayed(previous, weight, after, 5000) + slack);
      if (inherits) scores.delete(last?.[0] ?? '');
      scores.set(member, submitted.score);
      const { rows } = await rankings.page(key, rules, { from: 0, count: 9 });
      expect(new Map(rows.map((row) => [row.member, row.score]))).toEqual(scores);
    }
  });

  it('counts the time on when the clock of the server is set back', async () => {
    const real = await server();
    const backend = await backendOn(real.url);
    await backend.rankings.submit([board], earliest, [{ member: 'z', score: 5 }]);
    const ahead = Date.now() * 1000 + 3_600_000_000;
    await real.cli('HSET', `${key} reached`, '', ahead);
    for (const member of ['y', 'x', 'w']) await backend.rankings.submit([board], earliest, [{ member, score: 5 }]);
    const { rows } = await backend.rankings.page(key, earliest, { from: 0, count: 9 });
    expect(rows.map(({ member }) => member)).toEqual(['z', 'y', 'x', 'w']);
    expect(await real.cli('HGET', `${key} reached`, '')).toBe(String(ahead + 3));
  });

  it.each([dense, earliest, { ...dense, order: 'asc' }, { ...earliest, order: 'asc' }] as const)(
    'is whole again when the server dropped one of its keys: ties $ties, order $order',
    async (rules) => {
      const real = await server();
      const backend = await backendOn(real.url);
      const [at, name] = [Date.now() + 3_600_000, `${key} ${rules.ties === 'dense' ? 'scores' : 'reached'}`];
      const timed = [{ key, expiresAt: at }];
      const fill = async () => {
        for (let from = 0; from < 2500; from += 100) {
          const some = Array.from({ length: 100 }, (_, place) => ({
            member: `m${from + place}`,
            score: (from + place) % 1300,
          }));
          await backend.rankings.submit(timed, rules, some);
        }
      };
      await fill();
      const page = () => backend.rankings.page(key, rules, { from: 0, count: 1000 });
      const whole = await page();
      await real.cli('DEL', name);
      expect((await page()).rows).toEqual(whole.rows);
      expect(Math.abs(Number(await real.cli('PEXPIRETIME', name)) - at)).toBeLessThan(60_000);
      await real.cli('DEL', name);
      const [[again]] = (await backend.rankings.submit(timed, { ...rules, mode: 'last' }, [
        { member: 'm7', score: 7 },
      ])) as [[Submitted]];
      expect(again.previous).toBe(7);
      expect((await page()).rows).toEqual(whole.rows);
      await real.cli('DEL', key);
      await backend.rankings.submit(timed, rules, [{ member: 'm9', score: 5 }]);
      expect((await page()).rows).toEqual([{ member: 'm9', score: 5, rank: 1 }]);
      expect(await backend.rankings.remove([key], rules, ['m9'])).toEqual([1]);
      expect(await real.cli('KEYS', '*')).toEqual([]);
    },
  );
});

describe('the trips', () => {
  it('are one for all submissions of a tick to the same boards, each answered for itself and in order', async () => {
    const real = await server();
    const { rankings } = await backendOn(real.url);
    const boards = [board, { key: 'quiz:{eu}:all', expiresAt: Infinity }];
    await rankings.submit(boards, dense, [{ member: 'warm', score: 1 }]);
    const before = await scripts(real);
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => rankings.submit([...boards], { ...dense }, [{ member: 'annie', score: 1 }])),
    );
    expect((await scripts(real)) - before).toBe(1);
    const told = answers.map((answer) => answer.flat().map(({ previous, score }) => [previous, score]));
    expect(told).toEqual(
      Array.from({ length: 100 }, (_, at) => Array.from({ length: 2 }, () => [at === 0 ? null : at, at + 1])),
    );
  });

  it('are one for each kind of submission, and those to a board that several name are applied as they came', async () => {
    const real = await server();
    const { rankings } = await backendOn(real.url);
    const other = { key: 'quiz:{eu}:all', expiresAt: Infinity };
    const apart = { key: 'quiz:{us}:day', expiresAt: Infinity };
    const rules = { ...best, mode: 'last' } as const;
    await rankings.submit([board], rules, [{ member: 'warm', score: 1 }]);
    const before = await scripts(real);
    /** Returns the score before. */
    const submit = async (boards: (typeof board)[], score: number) =>
      (await rankings.submit(boards, rules, [{ member: 'annie', score }]))[0]?.[0]?.previous;
    const previous = await Promise.all([
      submit([board], 1),
      submit([apart], 2),
      submit([board], 3),
      submit([apart], 4),
      submit([board, other], 5),
      submit([apart], 6),
      submit([board], 7),
    ]);
    expect(previous).toEqual([null, null, 1, 2, 3, 4, 5]);
    expect((await scripts(real)) - before).toBe(4);
  });

  it('are one for all questions of a tick about one board', async () => {
    const real = await server();
    const backend = await backendOn(real.url);
    const members = Array.from({ length: 100 }, (_, at) => `m${at}`);
    await backend.rankings.submit(
      [board],
      best,
      members.map((member, at) => ({ member, score: -at })),
    );
    await rankOf(backend, best, 'm1');
    const before = await scripts(real);
    const ranks = await Promise.all([...members, 'nobody'].map((member) => rankOf(backend, best, member)));
    expect(ranks).toEqual([...members.map((_, at) => at + 1), undefined]);
    expect((await scripts(real)) - before).toBe(1);
  });

  it('are as many as it takes to let others have their turn', async () => {
    const real = await server();
    const { rankings } = await backendOn(real.url);
    await rankings.submit([board], best, [{ member: 'warm', score: 1 }]);
    const before = await scripts(real);
    const some = Array.from({ length: 128 }, (_, at) => ({ member: `m${at}`, score: at }));
    await Promise.all(Array.from({ length: 9 }, () => rankings.submit([board], best, some)));
    expect((await scripts(real)) - before).toBe(3);
  });
});
