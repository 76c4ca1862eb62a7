/** Shows what a kept top costs, how old it may be, and what becomes of it when the store fails. */

import { leaderboard, type LeaderboardOptions } from 'hotshelf/leaderboards';
import { memory } from 'hotshelf/memory';
import { chaos, fakeClock } from 'hotshelf/testing';
import { describe, expect, it } from 'vitest';
import { sleep } from '../../src/support/clock.ts';

async function setUp(options: Partial<LeaderboardOptions> = {}) {
  const clock = fakeClock();
  const inner = memory({ clock });
  let reads = 0;
  const page = inner.rankings.page.bind(inner.rankings);
  inner.rankings.page = (...input) => {
    reads += 1;
    return page(...input);
  };
  const backend = chaos(inner, { clock });
  const board = leaderboard('quiz', { backend, clock, cacheTop: true, ...options });
  for (const [at, member] of 'abcde'.split('').entries()) await board.submit(member, -at);
  const top = async (count: number) => {
    const { rows, stale } = await board.top(count);
    return `${rows.map(({ member }) => member).join('')}${stale ? ' stale' : ''}`;
  };
  return { clock, backend, board, top, reads: () => reads };
}

describe('a kept top', () => {
  it('is read once for all who ask while it lasts', async () => {
    const { clock, top, reads } = await setUp();
    expect(await Promise.all(Array.from({ length: 100 }, () => top(3)))).toEqual(
      Array.from({ length: 100 }, () => 'abc'),
    );
    expect(reads()).toBe(1);
    for (let time = 0; time < 10; time += 1) {
      await clock.advance(49);
      expect(await top(3)).toBe('abc');
    }
    expect(reads()).toBe(1);
    await clock.advance(10);
    expect(await top(3)).toBe('abc');
    expect(reads()).toBe(2);
  });

  it('is read by everybody without the option (control)', async () => {
    const { top, reads } = await setUp({ cacheTop: false });
    await Promise.all(Array.from({ length: 100 }, () => top(3)));
    expect(reads()).toBe(100);
  });

  it('lags behind what is submitted by no more than it lasts', async () => {
    const { clock, board, top } = await setUp({ cacheTop: { for: '250ms' } });
    expect(await top(2)).toBe('ab');
    await clock.advance(1);
    await board.submit('new', 10);
    expect(await top(2)).toBe('ab');
    await clock.advance(248);
    expect(await top(2)).toBe('ab');
    await clock.advance(1);
    expect(await top(2)).toBe('newa');
  });

  it('lasts from when it was asked for, not from when it came', async () => {
    const { clock, backend, board, top } = await setUp();
    const page = backend.rankings.page.bind(backend.rankings);
    backend.rankings.page = async (...input) => {
      const answer = await page(...input);
      await sleep(clock, 300);
      return answer;
    };
    const first = top(1);
    await clock.advance(300);
    expect(await first).toBe('a');
    backend.rankings.page = page;
    await board.submit('new', 10);
    await clock.advance(199);
    expect(await top(1)).toBe('a');
    await clock.advance(1);
    expect(await top(1)).toBe('new');
  });

  it('is one for each number of members, up to the size; more are read each time', async () => {
    const { top, reads } = await setUp({ cacheTop: { size: 3 } });
    for (const count of [1, 2, 3, 3, 2, 1]) expect(await top(count)).toBe('abc'.slice(0, count));
    expect(reads()).toBe(3);
    for (let time = 0; time < 2; time += 1) expect(await top(4)).toBe('abcd');
    expect(reads()).toBe(5);
    await expect(top(0)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  it('goes on with a cursor', async () => {
    const { board } = await setUp();
    await board.top(2);
    const { next = '' } = await board.top(2);
    expect((await board.range({ after: next, count: 2 })).rows).toMatchObject([{ member: 'c' }, { member: 'd' }]);
  });

  it('is another one in another window', async () => {
    const clock = fakeClock({ now: Date.parse('2026-11-28T23:59:59.900Z') });
    const board = leaderboard('quiz', { backend: memory({ clock }), windows: ['day'], clock, cacheTop: true });
    await board.submit('anna', 1);
    expect(await board.top(1)).toMatchObject({ size: 1 });
    await clock.advance(100);
    expect(await board.top(1)).toMatchObject({ size: 0 });
    expect(await board.top(1, { ago: 1 })).toMatchObject({ size: 1 });
  });

  it('is served stale, and says so, for its grace while the store fails', async () => {
    const { clock, backend, top } = await setUp({ cacheTop: { for: '500ms', grace: '2s' } });
    expect(await top(1)).toBe('a');
    backend.chaos.set({ throws: 1 });
    await clock.advance(499);
    expect(await top(1)).toBe('a');
    await clock.advance(1);
    expect(await top(1)).toBe('a stale');
    await clock.advance(1999);
    expect(await top(1)).toBe('a stale');
    await clock.advance(1);
    await expect(top(1)).rejects.toThrow(/^Leaderboard "quiz": /);
    backend.chaos.set({ throws: 0 });
    expect(await top(1)).toBe('a');
  });

  it('does not ask a store that fails for everybody', async () => {
    const { clock, backend, board, reads } = await setUp({ cacheTop: { for: '500ms' } });
    await board.top(1);
    await clock.advance(500);
    let failures = 0;
    const page = backend.rankings.page.bind(backend.rankings);
    backend.rankings.page = (...input) => {
      failures += 1;
      return page(...input);
    };
    backend.chaos.set({ throws: 1 });
    for (let time = 0; time < 20; time += 1) {
      await Promise.all([board.top(1), board.top(1)]);
      await clock.advance(50);
    }
    expect(failures).toBe(2);
    expect(reads()).toBe(1);
  });

  it('is no help to who has none yet, and hides no mistake', async () => {
    const { backend, top } = await setUp();
    backend.chaos.set({ throws: 1 });
    await expect(top(1)).rejects.toThrow('Leaderboard "quiz"');
    backend.chaos.set({ throws: 0 });
    expect(await top(1)).toBe('a');
  });
});
