/** Shows that several boards read as one are what a plain merge of them is. */

import * as fc from 'fast-check';
import { type BoardRow, leaderboard, type LeaderboardOptions, union, type UnionOptions } from 'hotshelf/leaderboards';
import { memory } from 'hotshelf/memory';
import { chaos, fakeClock } from 'hotshelf/testing';
import { describe, expect, it } from 'vitest';
import { PlainBoard } from './plain-board.ts';

function setUp(options: Partial<LeaderboardOptions<'all' | 'day'>> = {}) {
  const clock = fakeClock();
  const backend = chaos(memory({ clock }), { clock });
  const make = (name: string) =>
    leaderboard<'all' | 'day'>(name, { backend, clock, windows: ['all', 'day'], ...options });
  const [europe, asia] = [make('europe'), make('asia')];
  return { clock, backend, europe, asia, make };
}

async function all(rows: AsyncIterable<BoardRow>): Promise<BoardRow[]> {
  const found: BoardRow[] = [];
  for await (const row of rows) found.push(row);
  return found;
}

const scores = fc.dictionary(fc.constantFrom(...'abcdefgh'.split('')), fc.integer({ min: -3, max: 5 }));
const aggregates = { sum: (a: number, b: number) => a + b, max: Math.max, min: Math.min };

describe('a union', () => {
  it('is the plain merge, for every question', async () => {
    const property = fc.asyncProperty(
      fc.array(fc.tuple(scores, fc.integer({ min: -2, max: 2 })), { minLength: 1, maxLength: 4 }),
      fc.constantFrom('sum', 'max', 'min'),
      fc.constantFrom('desc', 'asc'),
      fc.constantFrom('competition', 'dense'),
      async (parts, aggregate, order, ties) => {
        const { make, clock } = setUp({ order, ties });
        const boards = parts.map((_, at) => make(`board-${at}`));
        const merged = new Map<string, number>();
        for (const [at, [score, weight]] of parts.entries()) {
          await boards[at]?.submitMany(Object.entries(score).map(([member, score]) => ({ member, score })));
          for (const [member, one] of Object.entries(score)) {
            const other = merged.get(member);
            const weighted = one * weight + 0;
            merged.set(member, other === undefined ? weighted : aggregates[aggregate](other, weighted));
          }
        }
        const plain = new PlainBoard({ order, ties, mode: 'last' });
        for (const [member, score] of merged) plain.submit(member, score);
        const rows = plain.rows();
        const size = rows.length;
        const weights = parts.map(([, weight]) => weight);
        const reader = union(boards, { aggregate, weights, clock });

        expect(await all(reader.export())).toEqual(rows);
        expect(await reader.top(3)).toMatchObject({ rows: rows.slice(0, 3), size, from: 0 });
        expect((await reader.page({ page: 2, count: 3 })).rows).toEqual(rows.slice(3, 6));
        const { next } = await reader.page({ count: 2 });
        expect(next === undefined).toBe(size <= 2);
        if (next !== undefined) expect((await reader.range({ after: next })).rows).toEqual(rows.slice(2));
        expect((await reader.range({ scores: [-1, 2] })).rows).toEqual(plain.between(-1, 2));
        expect((await reader.range({ scores: [-1, 2], skip: 1, count: 1 })).rows).toEqual(
          plain.between(-1, 2).slice(1, 2),
        );
        expect(await reader.among('aceg'.split(''))).toEqual(plain.among('aceg'.split('')));
        for (const [at, row] of rows.entries()) {
          const ahead = plain.ahead(row.member);
          expect(await reader.get(row.member)).toEqual({
            ...row,
            ahead,
            size,
            percentile: (100 * (size - ahead)) / size,
          });
          const from = Math.max(0, Math.min(at - 1, size - 3));
          expect((await reader.around(row.member, 1))?.rows).toEqual(rows.slice(from, from + 3));
        }
        expect(await reader.get('x')).toBeNull();
        expect(await reader.around('x')).toBeNull();
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });

  it('is computed once for all who ask, and again after its time', async () => {
    const { europe, asia, backend, clock } = setUp();
    await europe.submit('anna', 1);
    await asia.submit('anna', 2);
    let scans = 0;
    const scan = backend.rankings.scan.bind(backend.rankings);
    backend.rankings.scan = (...input) => {
      scans += 1;
      return scan(...input);
    };
    const both = union([europe, asia], { clock, for: '1s' });
    await Promise.all([both.top(), both.size(), both.get('anna'), both.among(['anna']), all(both.export())]);
    expect(scans).toBe(2);
    await asia.submit('anna', 10);
    await clock.advance(999);
    expect(await both.get('anna')).toMatchObject({ score: 3 });
    await clock.advance(1);
    expect(await both.get('anna')).toMatchObject({ score: 11 });
    expect(scans).toBe(4);
  });

  it('is that of a window, which ends as the boards have it', async () => {
    const { europe, asia, clock } = setUp();
    const [today, yesterday] = [
      union([europe, asia], { window: 'day', clock, for: 1 }),
      union([europe, asia], { window: 'day', ago: 1, clock, for: 1 }),
    ];
    await europe.submit('anna', 1);
    expect(await today.size()).toBe(1);
    await clock.advance(86_400_000);
    expect(await today.size()).toBe(0);
    expect(await yesterday.top()).toMatchObject({ rows: [{ member: 'anna', rank: 1 }] });
  });

  it('fails as its boards do, and is computed again then', async () => {
    const { europe, asia, backend, clock } = setUp();
    await europe.submit('anna', 1);
    const both = union([europe, asia], { clock });
    backend.chaos.set({ throws: 1 });
    await expect(both.top()).rejects.toThrow(/^Leaderboard "europe \+ asia": /);
    backend.chaos.set({ throws: 0 });
    expect(await both.size()).toBe(1);
  });

  it('has sums within doubles', async () => {
    const { europe, asia, clock } = setUp();
    await europe.submit('anna', 1e308);
    await asia.submit('anna', 1e308);
    expect(await union([europe, asia], { clock, weights: [2, 1] }).get('anna')).toMatchObject({
      score: Number.MAX_VALUE,
    });
  });

  it('refuses cursors of other boards, or of another question', async () => {
    const { europe, asia, clock } = setUp();
    for (const [at, member] of 'abcd'.split('').entries()) await europe.submit(member, at);
    const { next = '' } = await union([europe, asia], { clock }).page({ count: 1 });
    expect(next).not.toBe('');
    const others = [union([asia, europe], { clock }), union([europe, asia], { clock, aggregate: 'max' }), europe];
    for (const other of others)
      await expect(other.range({ after: next })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  it.each<[string, UnionOptions<'all'>]>([
    ['too few weights', { weights: [1] }],
    ['a weight that is no number', { weights: [1, Number.NaN] }],
    ['an aggregate that nobody knows', { aggregate: 'avg' as never }],
    ['a window that the boards do not have', { window: 'week' as never }],
    ['an unknown option', { weight: [1, 1] } as never],
    ['no time', { for: 0 }],
  ])('refuses %s', (_what, options) => {
    const { europe, asia } = setUp();
    expect(() => union([europe, asia], options)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  it('refuses what are no boards, no boards at all, and boards of two orders', () => {
    const { europe } = setUp();
    const times = setUp({ order: 'asc' }).europe;
    for (const boards of [[], [{}], 'x', [europe, undefined], [europe, times]])
      expect(() => union(boards as never)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });
});
