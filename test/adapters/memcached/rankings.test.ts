/** Shows what leaderboards on Memcached cost, where their bounds are, and what becomes of them when somebody else interferes. */

import { describe, expect, it } from 'vitest';
import { HotshelfError, type RankingRules, systemClock } from 'hotshelf';
import { outcomeOf } from './outcome.ts';
import { backendOn, commandsOf, day, groupKey, isUp, server, sum, underneath, week } from './support.ts';

const ann = [{ member: 'ann', score: 1 }];
const top = { from: 0, count: 10 };

async function messageOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no error',
    (error: unknown) => (error instanceof HotshelfError ? `${error.code}: ${error.message}` : String(error)),
  );
}

describe('what one process asks in one tick', () => {
  it('is one write for all submits of a group, whatever their boards', async () => {
    const real = await server();
    const { rankings } = await backendOn(real);
    const submits = () =>
      Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          rankings.submit(index % 2 ? [day] : [day, week], sum, [{ member: `m${index % 7}`, score: 1 }]),
        ),
      );
    // A read, a look for others who write, and the value.
    expect(await commandsOf(real, submits)).toEqual({ get: 2, set: 1, delete: 0 });
    // What this process stored itself it need not read.
    expect(await commandsOf(real, submits)).toEqual({ get: 1, set: 1, delete: 0 });
    expect((await rankings.find(day.key, sum, ['m0', 'm1'])).standings).toMatchObject([{ score: 30 }, { score: 30 }]);
    expect((await rankings.page(week.key, sum, top)).size).toBe(7);
  });

  it('is one read for all that is asked about a group', async () => {
    const real = await server();
    const { rankings } = await backendOn(real);
    await rankings.submit([day, week], sum, ann);
    const reads = () =>
      Promise.all(
        [day, week].flatMap(({ key }) => [
          ...Array.from({ length: 50 }, () => rankings.page(key, sum, top)),
          rankings.find(key, sum, ['ann', 'bob']),
        ]),
      );
    expect(await commandsOf(real, reads)).toEqual({ get: 1, set: 0, delete: 0 });
  });

  it('writes nothing where nothing changes', async () => {
    const real = await server();
    const { rankings } = await backendOn(real);
    const best: RankingRules = { ...sum, mode: 'best' };
    await rankings.submit([day], best, [{ member: 'ann', score: 5 }]);
    const worse = () =>
      Promise.all([
        rankings.submit([day], best, [{ member: 'ann', score: 4 }]),
        rankings.remove([day.key, week.key], best, ['bob']),
        rankings.move(week.key, day, best),
      ]);
    expect((await commandsOf(real, worse)).set).toBe(0);
    expect((await rankings.page(day.key, best, top)).rows).toEqual([{ member: 'ann', score: 5, rank: 1 }]);
    await rankings.removeScores([day.key], best, 5, 5);
    expect(await underneath(real).read(groupKey)).toBeUndefined();
  });
});

describe('a board that is full', () => {
  it('is said with all ways out, and refuses only the call that would be too much', async () => {
    const real = await server();
    const { rankings } = await backendOn(real, { maxBoardMembers: 2 });
    const submit = (member: string) => rankings.submit([day], sum, [{ member, score: 1 }]);
    const said = await Promise.all(['ann', 'bob', 'cem', 'ann', 'dee'].map((member) => messageOf(submit(member))));
    expect(said.map((text) => text.slice(0, 10))).toEqual([
      'no error',
      'no error',
      'BOARD_FULL',
      'no error',
      'BOARD_FULL',
    ]);
    for (const way of ['cap', '`maxBoardMembers`', 'redis']) expect(said[2]).toContain(way);
    expect((await rankings.find(day.key, sum, ['ann', 'cem'])).standings).toMatchObject([{ score: 2 }, null]);
  });

  it('is asked about again, and not remembered, when somebody else may have made room', async () => {
    const real = await server();
    const [one, other] = [await backendOn(real, { maxBoardMembers: 2 }), await backendOn(real)];
    await one.rankings.submit([day], sum, [...ann, { member: 'bob', score: 1 }]);
    await other.rankings.remove([day.key], sum, ['bob']);
    const [[submitted] = []] = await one.rankings.submit([day], sum, [{ member: 'cem', score: 3 }]);
    expect(submitted).toMatchObject({ rank: 1 });
  });
});

describe('a group that is larger than a value may be', () => {
  it('takes what fits, says what to do about the rest, and can be made smaller', async () => {
    const real = await server();
    const { rankings } = await backendOn(real, { maxValueBytes: 2000 });
    const submit = (index: number) =>
      messageOf(rankings.submit([day, week], sum, [{ member: `player-${index}`, score: index }]));
    const said: string[] = [];
    for (let round = 0; round < 4; round += 1)
      said.push(...(await Promise.all(Array.from({ length: 20 }, (_, index) => submit(round * 20 + index)))));
    const refused = said.filter((text) => text !== 'no error');
    expect(refused.length).toBeGreaterThan(5);
    for (const way of ['BOARD_FULL', 'fewer windows', 'shorter time', 'cap', '-I', 'redis'])
      expect(refused[0]).toContain(way);
    const { size } = await rankings.page(day.key, sum, top);
    expect(size).toBe(80 - refused.length);
    expect((await underneath(real).read(groupKey))?.length).toBeLessThanOrEqual(2000);
    // Those who are there already need no more room.
    expect(await submit(0)).toBe('no error');
    expect(await rankings.removeScores([week.key], sum, -Infinity, Infinity)).toEqual([size]);
    expect(await submit(1000)).toBe('no error');
  });
});

describe('a value that is no group of boards', () => {
  it('is refused by every verb, and stays as it is', async () => {
    const real = await server();
    const { rankings } = await backendOn(real);
    const raw = underneath(real);
    await rankings.submit([day, week], sum, ann);
    const good = (await raw.read(groupKey)) ?? Buffer.alloc(0);
    const flipped = (at: number) => Buffer.from(good.map((byte, index) => (index === at ? byte ^ 1 : byte)));
    const later = flipped(2);
    for (const bad of [Buffer.from('something else'), Buffer.alloc(0), good.subarray(0, -1), later, flipped(40)]) {
      await raw.write(groupKey, bad);
      const refused: Record<string, () => Promise<unknown>> = {
        submit: () => rankings.submit([day], sum, ann),
        page: () => rankings.page(day.key, sum, top),
        find: () => rankings.find(day.key, sum, ['ann']),
        remove: () => rankings.remove([day.key], sum, ['ann']),
        removeScores: () => rankings.removeScores([day.key], sum, 0, 1),
        move: () => rankings.move(day.key, { ...day, key: 'quiz:{eu}:other' }, sum),
        scan: () => rankings.scan(day.key, sum)[Symbol.asyncIterator]().next(),
      };
      for (const [verb, work] of Object.entries(refused))
        expect(await messageOf(work()), verb).toMatch(/^BACKEND_REFUSED: .*nothing was overwritten\..*§boards/);
      expect(await raw.read(groupKey)).toEqual(bad);
    }
    await raw.remove(groupKey);
    expect(await rankings.submit([day], sum, ann)).toMatchObject([[{ score: 1, previous: null }]]);
  });

  it('is refused where only the rules of the board are others', async () => {
    const real = await server();
    const { rankings } = await backendOn(real);
    await rankings.submit([day], sum, ann);
    for (const rules of [
      { ...sum, order: 'asc' },
      { ...sum, ties: 'earliest' },
      { ...sum, mode: 'decay', halfLifeMs: 1000 },
    ] as const)
      expect(await messageOf(rankings.submit([week, day], rules, ann))).toContain('BACKEND_REFUSED');
    expect((await rankings.page(week.key, sum, top)).size).toBe(0);
    expect((await rankings.page(day.key, { ...sum, mode: 'best' }, top)).size).toBe(1);
  });
});

describe('a group', () => {
  it('lives as long as the last of its boards', async () => {
    const real = await server();
    const { rankings } = await backendOn(real);
    const hour = 3_600_000;
    const expiry = async () => {
      const dump = await real.cli('lru_crawler', 'metadump', 'all');
      return Number(/boards exp=(-?\d+)/.exec(dump)?.[1]);
    };
    await rankings.submit([{ ...day, expiresAt: Date.now() + hour }], sum, ann);
    expect(await expiry()).toBeGreaterThan(Date.now() / 1000 + 3590);
    expect(await expiry()).toBeLessThan(Date.now() / 1000 + 3610);
    await rankings.submit([{ ...week, expiresAt: Date.now() + 1000 * hour }], sum, ann);
    expect(await expiry()).toBeGreaterThan(Date.now() / 1000 + 999 * 3600);
    // Longer than Memcached can say.
    await rankings.submit([{ ...week, expiresAt: Number.MAX_SAFE_INTEGER }], sum, ann);
    expect(await expiry()).toBe(-1);
    await rankings.remove([week.key], sum, ['ann']);
    expect(await expiry()).toBeLessThan(Date.now() / 1000 + 3610);
  });

  it('has room again when the time of a board has passed', async () => {
    const real = await server();
    let now = Date.now();
    const { rankings } = await backendOn(real, { clock: { ...systemClock, now: () => now } });
    await rankings.submit([{ ...day, expiresAt: now + 500 }, week], sum, ann);
    const raw = underneath(real);
    const before = (await raw.read(groupKey))?.length ?? 0;
    now += 500;
    expect((await rankings.find(day.key, sum, ['ann'])).standings).toEqual([null]);
    await rankings.submit([week], sum, ann);
    expect((await raw.read(groupKey))?.length).toBeLessThan(before);
  });

  it('orders those who reached a score by when it was accepted, whatever the clocks say', async () => {
    const real = await server();
    const rules: RankingRules = { ...sum, ties: 'earliest', mode: 'last' };
    const clockOff = (ms: number) => ({ clock: { ...systemClock, now: () => systemClock.now() + ms } });
    const backends = await Promise.all([3_600_000, -3_600_000, 0].map((ms) => backendOn(real, clockOff(ms))));
    const order: string[] = [];
    for (let index = 0; index < 12; index += 1) {
      const member = `m${(index * 5) % 12}`;
      order.push(member);
      await backends[index % 3]?.rankings.submit([day], rules, [{ member, score: 7 }]);
    }
    const page = await backends[1]?.rankings.page(day.key, rules, { from: 0, count: 20 });
    expect(page?.rows.map(({ member }) => member)).toEqual(order);
  });

  it('is gone with the server, and begins anew without an error', async () => {
    const real = await server();
    const backend = await backendOn(real, { deadline: '250ms' });
    const { rankings } = backend;
    await rankings.submit([day], sum, ann);
    await real.restart();
    await isUp(backend);
    expect((await rankings.find(day.key, sum, ['ann'])).standings).toEqual([null]);
    expect(await rankings.page(day.key, sum, { around: 'ann', count: 3 })).toMatchObject({ rows: [], size: 0 });
    expect(await rankings.submit([day, week], sum, ann)).toMatchObject([[{ rank: 1 }, { previous: null }]]);
    await real.restart();
    await isUp(backend);
    // From what this process wrote to the server before, nothing comes back.
    expect(await rankings.submit([day], sum, ann)).toMatchObject([[{ score: 1, previous: null }]]);
  });

  it('does not hear what a caller makes of its arguments later', async () => {
    const real = await server();
    const { rankings } = await backendOn(real);
    const submissions = [...ann];
    const done = rankings.submit([day], sum, submissions);
    submissions.length = 0;
    expect((await done).length).toBe(1);
    expect((await outcomeOf(rankings.submit([day], sum, submissions))).code).toBe('OPTION_INVALID');
  });
});
