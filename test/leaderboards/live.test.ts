/** Shows what subscribers of a top are told, when, and what does not end it. */

import { leaderboard, type LeaderboardOptions, type TopChange, type WindowKind } from 'hotshelf/leaderboards';
import { memory } from 'hotshelf/memory';
import { chaos, fakeClock } from 'hotshelf/testing';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { SubscribeOptions } from '../../src/backend/bus.ts';
import { diffTops } from '../../src/leaderboards/live/diff.ts';

afterEach(() => vi.restoreAllMocks());

function setUp<Kind extends WindowKind = 'all'>(
  options: Partial<LeaderboardOptions<Kind>> = {},
  { withBus = true, now = 1_700_000_000_000 } = {},
) {
  const clock = fakeClock({ now });
  const inner = memory({ clock });
  const gaps: NonNullable<SubscribeOptions['onGap']>[] = [];
  let published = 0;
  let listeners = 0;
  const publish = inner.bus.publish.bind(inner.bus);
  let muted = false;
  inner.bus.publish = (...input) => {
    if (muted) return Promise.reject(new Error('down'));
    published += 1;
    return publish(...input);
  };
  const subscribe = inner.bus.subscribe.bind(inner.bus);
  inner.bus.subscribe = async (topic, listener, more) => {
    const subscription = await subscribe(topic, listener, more);
    if (more?.onGap !== undefined) gaps.push(more.onGap);
    listeners += 1;
    return {
      close: async () => {
        listeners -= 1;
        await subscription.close();
      },
    };
  };
  let reads = 0;
  const page = inner.rankings.page.bind(inner.rankings);
  inner.rankings.page = (...input) => {
    reads += 1;
    return page(...input);
  };
  const { bus, ...rest } = chaos(inner, { clock });
  const backend = withBus ? { ...rest, bus } : rest;
  const make = () => {
    const board = leaderboard<Kind>('quiz', { backend, clock, ...options });
    onTestFinished(() => board.close());
    return board;
  };
  const told: string[] = [];
  /** `a>b` is the top; then those that came, left and moved. */
  const listener = ({ rows, entered, left, moved }: TopChange<unknown>) => {
    const names = (list: readonly { readonly member: string }[]) => list.map(({ member }) => member).join('>');
    told.push(`${names(rows)} +${names(entered)} -${names(left)} ~${names(moved.map(({ row }) => row))}`);
  };
  const heard = () => told.splice(0);
  const counts = () => ({ published, listeners, reads });
  const mute = (isMuted: boolean) => void (muted = isMuted);
  return { clock, backend, mute, make, listener, heard, counts, gaps, chaos: backend.chaos };
}

describe('a subscriber', () => {
  it('is told the top at once, and then what changes', async () => {
    const { clock, make, listener, heard } = setUp();
    const [board, other] = [make(), make()];
    await other.submitMany([
      { member: 'a', score: 30 },
      { member: 'b', score: 20 },
      { member: 'c', score: 10 },
    ]);
    board.subscribe(listener, { size: 2 });
    await clock.advance(0);
    expect(heard()).toEqual(['a>b +a>b - ~']);
    await clock.advance(1000);
    expect(heard()).toEqual([]);
    await other.submit('c', 25);
    await clock.advance(250);
    expect(heard()).toEqual(['a>c +c -b ~']);
    await other.submit('c', 40);
    await clock.advance(250);
    expect(heard()).toEqual(['c>a + - ~c>a']);
    await other.remove('a');
    await clock.advance(250);
    expect(heard()).toEqual(['c>b +b -a ~']);
    await other.rotate('s');
    await clock.advance(250);
    expect(heard()).toEqual([' + -c>b ~']);
  });

  it('is told of an empty top too', async () => {
    const { clock, make, listener, heard } = setUp();
    make().subscribe(listener);
    await clock.advance(0);
    expect(heard()).toEqual([' + - ~']);
  });

  it('is told of nothing behind the top', async () => {
    const { clock, make, listener, heard } = setUp();
    const board = make();
    await board.submitMany([
      { member: 'a', score: 3 },
      { member: 'b', score: 2 },
    ]);
    board.subscribe(listener, { size: 1 });
    await clock.advance(0);
    heard();
    await board.submit('c', 1);
    await board.submit('b', 2.5);
    await clock.advance(5000);
    expect(heard()).toEqual([]);
  });

  it('is told once of what came in a short time, which was published and read once in `every`', async () => {
    const { clock, make, listener, heard, counts } = setUp();
    const [board, other] = [make(), make()];
    board.subscribe(listener, { size: 1 });
    await clock.advance(0);
    const before = counts();
    for (let score = 1; score <= 1000; score += 1) {
      await other.submit('a', score);
      await clock.advance(1);
    }
    await clock.advance(500);
    const after = counts();
    expect(after.published - before.published).toBe(5);
    expect(after.reads - before.reads).toBeLessThanOrEqual(6);
    expect(heard().length).toBeLessThanOrEqual(6);
    expect((await board.top(1)).rows).toMatchObject([{ score: 1000 }]);
  });

  it('is told of the last one of a burst', async () => {
    const { clock, make } = setUp({ mode: 'last' });
    const [board, other] = [make(), make()];
    const scores: number[] = [];
    board.subscribe(({ rows }) => scores.push(rows[0]?.score ?? 0), { size: 1 });
    await clock.advance(0);
    for (const score of [5, 4, 3]) await other.submit('a', score);
    await clock.advance(600);
    expect(scores.at(-1)).toBe(3);
  });

  it('shares its looks and its ear with all others of the process', async () => {
    const { clock, make, listener, heard, counts } = setUp();
    const board = make();
    await board.submitMany('abcdefgh'.split('').map((member, at) => ({ member, score: -at })));
    await clock.advance(1000);
    const before = counts();
    for (let size = 1; size <= 5; size += 1) board.subscribe(listener, { size });
    await clock.advance(0);
    expect(counts()).toEqual({ ...before, reads: before.reads + 1, listeners: 1 });
    expect(heard().map((text) => text.split(' ')[0])).toEqual(['a', 'a>b', 'a>b>c', 'a>b>c>d', 'a>b>c>d>e']);
    await board.submit('d', 100);
    await clock.advance(250);
    expect(heard()).toHaveLength(5);
  });

  it('that comes later is told the whole top, also when it wants more', async () => {
    const { clock, make, listener, heard } = setUp();
    const board = make();
    await board.submitMany([
      { member: 'a', score: 2 },
      { member: 'b', score: 1 },
    ]);
    board.subscribe(listener, { size: 1 });
    await clock.advance(0);
    heard();
    board.subscribe(listener, { size: 2 });
    await clock.advance(0);
    expect(heard()).toEqual(['a>b +a>b - ~']);
  });

  it('sees what was submitted while it looked', async () => {
    const { clock, backend, make, listener, heard } = setUp();
    const board = make();
    const page = backend.rankings.page.bind(backend.rankings);
    let answer = () => {};
    backend.rankings.page = async (...input) => {
      const before = await page(...input);
      await new Promise<void>((resolve) => (answer = resolve));
      return before;
    };
    board.subscribe(listener);
    await clock.advance(0);
    await board.submit('a', 1);
    await clock.advance(1000);
    backend.rankings.page = page;
    answer();
    await clock.advance(0);
    expect(heard()).toEqual([' + - ~', 'a +a - ~']);
  });

  it('that comes during a look for fewer waits for one of its own', async () => {
    const { clock, backend, make, listener, heard } = setUp();
    const board = make();
    await board.submitMany([
      { member: 'a', score: 2 },
      { member: 'b', score: 1 },
    ]);
    const page = backend.rankings.page.bind(backend.rankings);
    let answer = () => {};
    backend.rankings.page = async (...input) => {
      await new Promise<void>((resolve) => (answer = resolve));
      return page(...input);
    };
    board.subscribe(listener, { size: 1 });
    await clock.advance(0);
    board.subscribe(listener, { size: 2 });
    backend.rankings.page = page;
    answer();
    await clock.advance(250);
    expect(heard()).toEqual(['a +a - ~', 'a>b +a>b - ~']);
  });

  it('hears nothing after it unsubscribed, and the last one leaves nothing behind', async () => {
    const { clock, make, listener, heard, counts } = setUp();
    const board = make();
    const ends = [board.subscribe(listener), board.subscribe(listener, { size: 3 })];
    await clock.advance(0);
    heard();
    ends[0]?.();
    await board.submit('a', 1);
    await clock.advance(250);
    expect(heard()).toHaveLength(1);
    ends[1]?.();
    ends[1]?.();
    const { reads } = counts();
    await board.submit('b', 2);
    await clock.advance(60_000);
    expect(heard()).toEqual([]);
    expect(counts()).toMatchObject({ reads, listeners: 0 });
    expect(clock.timers).toBe(0);
  });

  it('hears nothing after the board was closed', async () => {
    const { clock, make, listener, heard, counts } = setUp();
    const board = make();
    board.subscribe(listener);
    board.close();
    await clock.advance(60_000);
    expect(heard()).toEqual([]);
    expect(counts().listeners).toBe(0);
    expect(clock.timers).toBe(0);
  });

  it('looks again after a gap, and more often while it lasts', async () => {
    const { clock, backend, make, listener, heard, gaps } = setUp();
    const [board, other] = [make(), make()];
    board.subscribe(listener);
    await clock.advance(300);
    heard();
    const deaf = leaderboard('quiz', { backend, clock, live: false });
    gaps[0]?.('lost');
    await deaf.submit('a', 1);
    await clock.advance(1000);
    expect(heard()).toEqual(['a +a - ~']);
    await deaf.submit('b', 2);
    gaps[0]?.('restored');
    await clock.advance(250);
    expect(heard()).toEqual(['b>a +b - ~a']);
    await other.submit('a', 3);
    await clock.advance(250);
    expect(heard()).toEqual(['a>b + - ~a>b']);
  });

  it('sees what nobody told of, after ten polls at the latest', async () => {
    const { clock, backend, make, listener, heard } = setUp();
    const silent = leaderboard('quiz', { backend, clock, live: false });
    make().subscribe(listener);
    await clock.advance(300);
    heard();
    await silent.submit('a', 1);
    await clock.advance(9000);
    expect(heard()).toEqual([]);
    await clock.advance(1500);
    expect(heard()).toEqual(['a +a - ~']);
  });

  it('polls where there is no bus', async () => {
    const { clock, make, listener, heard, counts } = setUp({ live: { poll: '2s' } }, { withBus: false });
    const board = make();
    board.subscribe(listener);
    await clock.advance(0);
    heard();
    await board.submit('a', 1);
    await clock.advance(1999);
    expect(heard()).toEqual([]);
    await clock.advance(1);
    expect(heard()).toEqual(['a +a - ~']);
    const { reads } = counts();
    await clock.advance(20_000);
    expect(counts().reads - reads).toBe(10);
  });

  it('sees that a window has ended, when it ends', async () => {
    const now = Date.parse('2026-11-28T22:59:55Z');
    const { clock, make, listener, heard } = setUp({ windows: ['all', 'day'], timeZone: 'Europe/Paris' }, { now });
    const board = make();
    await board.submit('a', 1);
    board.subscribe(listener, { window: 'day' });
    await clock.advance(4999);
    expect(heard()).toEqual(['a +a - ~']);
    await clock.advance(1);
    expect(heard()).toEqual([' + -a ~']);
  });

  it('is not ended by a store that fails, and is told what failed', async () => {
    const { clock, make, listener, heard, chaos } = setUp();
    const board = make();
    const problems: unknown[] = [];
    chaos.set({ throws: 1 });
    board.subscribe(listener, { onProblem: (error) => problems.push(error) });
    await clock.advance(3000);
    expect(heard()).toEqual([]);
    expect(problems.length).toBeGreaterThan(3);
    for (const error of problems) expect(error).toMatchObject({ code: expect.stringMatching(/^[A-Z_]+$/) as string });
    chaos.set({ throws: 0 });
    await board.submit('a', 1);
    await clock.advance(10_000);
    expect(heard().at(-1)).toBe('a +a - ~');
    chaos.set({ throws: 1 });
    await clock.advance(30_000);
    chaos.set({ throws: 0 });
    await board.submit('b', 2);
    await clock.advance(10_000);
    expect(heard()).toEqual(['b>a +b - ~a']);
  });

  it('that throws harms neither the others nor itself', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const { clock, make, listener, heard } = setUp();
    const board = make();
    const fails = () => {
      throw new Error('mine');
    };
    board.subscribe(fails, { onProblem: fails });
    board.subscribe(listener);
    await clock.advance(0);
    await board.submit('a', 1);
    await clock.advance(250);
    expect(heard()).toEqual([' + - ~', 'a +a - ~']);
    expect(warn).toHaveBeenCalledTimes(2);
  });

  it('is refused with sizes, windows and options that there are not', () => {
    const { make, listener } = setUp();
    const board = make();
    for (const options of [{ size: 0 }, { size: 1001 }, { window: 'day' }, { sise: 3 }])
      expect(() => board.subscribe(listener, options as never)).toThrow(
        expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining('"quiz"') as string }),
      );
    expect(() => board.subscribe('x' as never)).toThrow('Expected `listener` to be a function');
  });
});

describe('a submitter', () => {
  it('publishes nothing for what changes nothing, and nothing with `live: false`', async () => {
    const { clock, make, counts } = setUp();
    const board = make();
    await board.submit('a', 5);
    await clock.advance(1000);
    const { published } = counts();
    expect(published).toBe(1);
    await board.submit('a', 4);
    await board.remove('b');
    await clock.advance(1000);
    expect(counts().published).toBe(1);
    const silent = setUp({ live: false });
    await silent.make().submit('a', 1);
    await silent.clock.advance(1000);
    expect(silent.counts().published).toBe(0);
  });

  it('publishes later what it could not publish', async () => {
    const { clock, make, counts, mute } = setUp();
    const board = make();
    mute(true);
    await board.submit('a', 1);
    await clock.advance(1000);
    expect(counts().published).toBe(0);
    mute(false);
    await clock.advance(250);
    expect(counts().published).toBe(1);
    await clock.advance(5000);
    expect(counts().published).toBe(1);
    expect(clock.timers).toBe(0);
  });

  it('publishes what it owes when it is closed', async () => {
    const { clock, make, counts } = setUp();
    const board = make();
    await board.submit('a', 1);
    await board.submit('a', 2);
    expect(counts().published).toBe(1);
    board.close();
    await clock.advance(0);
    expect(counts().published).toBe(2);
    expect(clock.timers).toBe(0);
  });
});

describe('the difference of two tops', () => {
  const row = (member: string, score: number, rank: number) => ({ member, score, rank });

  it('is nothing if nothing has changed', () => {
    expect(diffTops([], [])).toBeUndefined();
    expect(diffTops([row('a', 2, 1), row('b', 1, 2)], [row('a', 2, 1), row('b', 1, 2)])).toBeUndefined();
  });

  it('says who came, who left, and who has another score or rank, as they are and as they were', () => {
    const before = [row('a', 4, 1), row('b', 3, 2), row('c', 2, 3)];
    const rows = [row('d', 5, 1), row('a', 4, 2), row('b', 3.5, 3)];
    expect(diffTops(before, rows)).toEqual({
      rows,
      entered: [rows[0]],
      left: [before[2]],
      moved: [
        { row: rows[1], previous: before[0] },
        { row: rows[2], previous: before[1] },
      ],
    });
  });
});
