/** Shows the bound of leaderboards in memory, that they are not evicted, and that they go when their time is over. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { RankingRules } from 'hotshelf';
import { memory, memoryFromUrl, type MemoryBackend } from 'hotshelf/memory';
import { fakeClock } from 'hotshelf/testing';

const rules: RankingRules = { order: 'desc', ties: 'competition', mode: 'best', cap: Infinity };
const everything = { from: 0, count: 1000 };

async function fill(backend: MemoryBackend, key: string, count: number, expiresAt = Infinity): Promise<void> {
  for (let from = 0; from < count; from += 100) {
    const submissions = Array.from({ length: Math.min(100, count - from) }, (_, index) => ({
      member: `m${from + index}`,
      score: from + index,
    }));
    await backend.rankings.submit([{ key, expiresAt }], rules, submissions);
  }
}

async function sizeOf(backend: MemoryBackend, key: string): Promise<number> {
  return (await backend.rankings.page(key, rules, everything)).size;
}

const full = expect.objectContaining({
  code: 'BOARD_FULL',
  message:
    'The leaderboards of this process would have more than 100 members; nothing was written. Give the boards a cap or a lifetime, or raise `maxRankedMembers` of memory().',
});

describe('leaderboards in memory', () => {
  it('are bounded together, and say so', async () => {
    const backend = memory({ maxRankedMembers: 100 });
    expect(backend.rankings.maxMembers).toBe(100);
    await fill(backend, '{a}', 60);
    await fill(backend, '{b}', 40);
    await expect(fill(backend, '{c}', 1)).rejects.toEqual(full);
    const both = [
      { key: '{d}:day', expiresAt: Infinity },
      { key: '{d}:week', expiresAt: Infinity },
    ];
    await backend.rankings.remove(['{a}'], rules, ['m0', 'm1', 'm2']);
    const two = [
      { member: 'ann', score: 1 },
      { member: 'bob', score: 2 },
    ];
    await expect(backend.rankings.submit(both, rules, two)).rejects.toEqual(full);
    expect(await Promise.all(['{a}', '{b}', '{c}', '{d}:day', '{d}:week'].map((key) => sizeOf(backend, key)))).toEqual([
      57, 40, 0, 0, 0,
    ]);
    await backend.rankings.submit(both, rules, two.slice(0, 1));
    await backend.rankings.removeScores(['{b}'], rules, -Infinity, Infinity);
    await fill(backend, '{c}', 41);
    await expect(fill(backend, '{b}', 1)).rejects.toEqual(full);
  });

  it('have room again when the time of others is over, looked at or not', async () => {
    const clock = fakeClock();
    const backend = memory({ maxRankedMembers: 100, clock });
    await fill(backend, '{a}', 100, clock.now() + 5000);
    await clock.advance(4000);
    await expect(fill(backend, '{b}', 1)).rejects.toEqual(full);
    // The wall clock alone: no timer tells of it.
    clock.jump(1000);
    await fill(backend, '{b}', 100, clock.now() + 1000);
    expect([await sizeOf(backend, '{a}'), await sizeOf(backend, '{b}')]).toEqual([0, 100]);
  });

  it('wait with one timer, and with none when no board has an end', async () => {
    const clock = fakeClock();
    const backend = memory({ clock });
    await fill(backend, '{forever}', 10);
    expect(clock.timers).toBe(0);
    for (let index = 1; index <= 20; index += 1) await fill(backend, `{b${index}}`, 1, clock.now() + index * 10_000);
    expect(clock.timers).toBe(1);
    await clock.advance(100_000);
    expect(clock.timers).toBe(1);
    expect([await sizeOf(backend, '{b10}'), await sizeOf(backend, '{b11}')]).toEqual([0, 1]);
    await fill(backend, '{b20}', 1);
    await clock.advance(100_000);
    expect(clock.timers).toBe(0);
    expect([
      await sizeOf(backend, '{b19}'),
      await sizeOf(backend, '{b20}'),
      await sizeOf(backend, '{forever}'),
    ]).toEqual([0, 1, 10]);
    await fill(backend, '{c}', 1, clock.now() + 10_000);
    await backend.close();
    expect(clock.timers).toBe(0);
  });

  it('are not evicted, whatever else is stored', async () => {
    const backend = memory({ maxBytes: 50_000, maxEntries: 20 });
    await fill(backend, '{a}', 500);
    for (let index = 0; index < 500; index += 1) await backend.values.set(`k${index}`, new Uint8Array(300), Infinity);
    expect(await sizeOf(backend, '{a}')).toBe(500);
  });

  it('take what the documentation says', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    for (const [ties, least, most] of [
      ['competition', 90, 170],
      ['dense', 130, 230],
    ] as const) {
      const { rankings } = memory();
      collect();
      const before = process.memoryUsage().heapUsed;
      const count = 200_000;
      for (let from = 0; from < count; from += 100) {
        const submissions = Array.from({ length: 100 }, (_, index) => ({
          member: `user:${from + index}`,
          score: ((from + index) * 7919) % 1_000_003,
        }));
        await rankings.submit([{ key: '{a}', expiresAt: Infinity }], { ...rules, ties }, submissions);
      }
      collect();
      const bytes = (process.memoryUsage().heapUsed - before) / count;
      expect(bytes, `${ties}: ${bytes} bytes each`).toBeGreaterThan(least);
      expect(bytes, `${ties}: ${bytes} bytes each`).toBeLessThan(most);
      expect((await rankings.find('{a}', { ...rules, ties }, ['user:1'])).size).toBe(count);
    }
  });

  it('refuse rules that make another order of a board, and stay as they are', async () => {
    const backend = memory();
    const { rankings } = backend;
    const key = '{a}:day';
    await fill(backend, key, 10);
    for (const other of [
      { ...rules, order: 'asc' },
      { ...rules, ties: 'dense' },
    ] as const) {
      const refused = expect.objectContaining({ code: 'BACKEND_REFUSED' });
      const boards = [
        { key: '{a}:week', expiresAt: Infinity },
        { key, expiresAt: Infinity },
      ];
      await expect(rankings.submit(boards, other, [{ member: 'm1', score: 1 }])).rejects.toEqual(refused);
      await expect(rankings.page(key, other, everything)).rejects.toEqual(refused);
      await expect(rankings.find(key, other, ['m1'])).rejects.toEqual(refused);
      await expect(rankings.remove([key], other, ['m1'])).rejects.toEqual(refused);
      await expect(rankings.removeScores([key], other, 0, 5)).rejects.toEqual(refused);
      await expect(rankings.move(key, { key: '{a}:old', expiresAt: Infinity }, other)).rejects.toEqual(refused);
      await expect(rankings.scan(key, other)[Symbol.asyncIterator]().next()).rejects.toEqual(refused);
    }
    expect([await sizeOf(backend, key), await sizeOf(backend, '{a}:week')]).toEqual([10, 0]);
  });

  it('may change what is only about the next submission', async () => {
    const { rankings } = memory();
    const boards = [{ key: '{a}', expiresAt: Infinity }];
    await rankings.submit(boards, rules, [{ member: 'ann', score: 5 }]);
    const [[answer] = []] = await rankings.submit(boards, { ...rules, mode: 'sum', cap: 3 }, [
      { member: 'ann', score: 2 },
    ]);
    expect(answer).toEqual({ score: 7, previous: 5, rank: 1, improved: true });
  });

  it('end a scan when the backend is closed', async () => {
    const backend = memory();
    await fill(backend, '{a}', 3000);
    const scan = backend.rankings.scan('{a}', rules)[Symbol.asyncIterator]();
    expect((await scan.next()).done).toBe(false);
    await backend.close();
    await expect(scan.next()).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('have a bound in the URL, and refuse one that is none', async () => {
    expect(memoryFromUrl('memory:?maxRankedMembers=7').rankings.maxMembers).toBe(7);
    expect(memory().rankings.maxMembers).toBe(2_000_000);
    for (const maxRankedMembers of [0, 1.5, Infinity, 16_000_001, '5' as never])
      expect(() => memory({ maxRankedMembers })).toThrow('Expected `maxRankedMembers` to be a whole number');
  });
});

describe('uniques in memory', () => {
  const members = (count: number) => Array.from({ length: count }, (_, index) => `u${index}`);

  it('are exact for a thousand', async () => {
    const { uniques } = memory();
    for (let count = 1; count <= 1000; count += 37) {
      await uniques.add('a', members(count), Infinity);
      expect(await uniques.count(['a'])).toBe(count);
    }
  });

  it('share the bounds with everything else, and weigh no more however many come', async () => {
    const backend = memory({ maxBytes: 400_000 });
    for (let key = 0; key < 40; key += 1) {
      for (let from = 0; from < 5000; from += 1000)
        await backend.uniques.add(
          `k${key}`,
          members(1000).map((name) => `${from}${name}`),
          Infinity,
        );
    }
    const counts = await Promise.all(Array.from({ length: 40 }, (_, key) => backend.uniques.count([`k${key}`])));
    const left = counts.filter((count) => count > 0).length;
    // About 17 KB each.
    expect(left).toBeGreaterThan(15);
    expect(left).toBeLessThan(25);
  });
});
