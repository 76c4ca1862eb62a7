/** Shows that a leaderboard is the same for two processes on every backend, while both write. */

import { setImmediate as turn } from 'node:timers/promises';
import {
  type BoardRow,
  leaderboard,
  type Leaderboard,
  type LeaderboardOptions,
  union,
  type WindowKind,
} from 'hotshelf/leaderboards';
import { fakeClock } from 'hotshelf/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../kit/wait.ts';
import { everywhere, usePlace } from './counting/servers.ts';

const dayMs = 86_400_000;
let boards = 0;

/** Submits more and more members until `end`, and says which were acknowledged. */
function submitters(boards: readonly Leaderboard[]) {
  let over = false;
  const submitted: string[] = [];
  const submit = async (board: Leaderboard, who: number) => {
    for (let at = 0; !over; at += 1) {
      await board.submit(`${who}-${at}`, at);
      submitted.push(`${who}-${at}`);
      // A backend in this process would let nobody else run.
      await turn();
    }
  };
  onTestFinished(() => void (over = true));
  const work = boards.map(submit);
  const end = async () => {
    over = true;
    await Promise.all(work);
  };
  return { submitted, end };
}

async function membersOf(rows: AsyncIterable<BoardRow>): Promise<string[]> {
  const members: string[] = [];
  for await (const { member } of rows) members.push(member);
  return members;
}

describe.each(everywhere)('two processes on %s', (place) => {
  const backends = usePlace(place, ['rankings', 'values']);

  /** One board, as two processes have it. */
  function pair<Kind extends WindowKind = 'all'>(options: Partial<LeaderboardOptions<Kind>> = {}) {
    const name = `${place} ${(boards += 1)}`;
    const [one, other] = backends();
    const make = (backend: LeaderboardOptions['backend']) => {
      const board = leaderboard<Kind>(name, { ...options, backend });
      onTestFinished(() => board.close());
      return board;
    };
    return [make(one), make(other)] as const;
  }

  it('share a board in everything that it can do', async () => {
    // The windows are those of the clock here; how long they are kept, the server says.
    const clock = fakeClock({ now: Date.now() });
    const [mine, theirs] = pair({
      windows: ['day', 'all'],
      mode: 'sum',
      timeZone: 'Asia/Kathmandu',
      meta: true,
      clock,
    });
    await mine.submitMany(Array.from({ length: 300 }, (_, at) => ({ member: `m${at}`, score: at })));
    expect(await theirs.submit('m7', 1000.5)).toMatchObject({
      day: { score: 1007.5, previous: 7, rank: 1, improved: true },
      all: { score: 1007.5 },
    });
    await mine.setMeta('m7', { name: 'Seven' });
    expect(await theirs.top(2)).toMatchObject({
      rows: [
        { member: 'm7', score: 1007.5, rank: 1, meta: { name: 'Seven' } },
        { member: 'm299', rank: 2 },
      ],
      size: 300,
    });
    expect(await theirs.get('m299')).toMatchObject({ rank: 2, ahead: 1, percentile: (100 * 299) / 300 });
    expect(await theirs.around('m0', 2)).toMatchObject({ from: 295, size: 300 });
    expect(await theirs.among(['m1', 'm7', 'nobody'])).toMatchObject([
      { member: 'm7', localRank: 1 },
      { member: 'm1', rank: 299 },
    ]);
    expect((await theirs.range({ scores: [10, 12] })).rows.map(({ score }) => score)).toEqual([12, 11, 10]);
    const { next = '' } = await mine.page({ count: 100 });
    clock.jump(dayMs);
    expect(await theirs.size()).toBe(0);
    expect(await theirs.range({ after: next, count: 2 })).toMatchObject({ from: 100, size: 300 });
    expect(await theirs.size({ ago: 1 })).toBe(300);
    expect(await mine.removeScores({ least: 290 })).toBe(22);
    expect(await theirs.remove('m5')).toBe(true);
    expect(await theirs.get('m5', { ago: 1 })).toBeNull();
    expect(await mine.rotate('autumn')).toBe(true);
    expect(await theirs.archive('autumn').size()).toBe(288);
    expect(await theirs.size({ window: 'all' })).toBe(0);
    await theirs.submit('m1', 1);
    await expect(theirs.rotate('autumn')).rejects.toMatchObject({ code: 'SEASON_TAKEN' });
    const both = union([mine, theirs], { window: 'all', weights: [1, 3] });
    expect(await both.top()).toMatchObject({ rows: [{ member: 'm1', score: 4, rank: 1 }], size: 1 });
  });

  it('lose nothing that was acknowledged when a season ends beside their submits', { timeout: 60_000 }, async () => {
    const [mine, theirs] = pair({ live: false });
    const { submitted, end } = submitters([mine, theirs, mine, theirs]);
    const seasons = ['1', '2', '3', '4', '5'];
    for (const [at, season] of seasons.entries()) {
      await until(() => submitted.length > 20 * (at + 1), { what: 'some submits', within: 20_000 });
      // There may be nothing yet since the last one.
      await until(() => (at % 2 === 0 ? mine : theirs).rotate(season), { what: 'a season', within: 20_000 });
    }
    await end();
    const found = await membersOf(mine.export());
    for (const season of seasons) found.push(...(await membersOf(theirs.archive(season).export())));
    expect(found.toSorted()).toEqual(submitted.toSorted());
  });

  it('lose some when a season is copied and then removed (control)', { timeout: 60_000 }, async () => {
    const [mine, theirs] = pair({ live: false });
    const [season] = pair({ live: false });
    const { submitted, end } = submitters([mine, theirs, theirs]);
    const hasLost = async (): Promise<boolean> => {
      const missing = new Set(submitted);
      const copied = await membersOf(mine.export());
      // A moment in which others submit, as any network gives it.
      await turn();
      await season.submitMany(copied.map((member) => ({ member, score: 1 })));
      await mine.removeScores({ least: -1 });
      for (const board of [mine, season]) for (const member of await membersOf(board.export())) missing.delete(member);
      return missing.size > 0;
    };
    await until(hasLost, { what: 'a lost submit', within: 30_000 });
    await end();
  });

  it('export everybody once who stays, while others move', { timeout: 60_000 }, async () => {
    const [mine, theirs] = pair({ mode: 'last', live: false });
    const stable = Array.from({ length: 600 }, (_, at) => ({ member: `stable${at}`, score: at }));
    const movers = Array.from({ length: 100 }, (_, at) => ({ member: `mover${at}`, score: at }));
    await mine.submitMany([...stable, ...movers]);
    let over = false;
    let moves = 0;
    const writer = async () => {
      for (; !over; moves += 1) {
        await theirs.submit(`mover${moves % 100}`, (moves * 7919) % 601);
        await turn();
      }
    };
    onTestFinished(() => void (over = true));
    const writing = writer();
    for (let time = 0; time < 10; time += 1) {
      await until(() => moves > 10 * time, { what: 'some moves', within: 20_000 });
      const members = await membersOf(mine.export());
      expect(new Set(members).size).toBe(members.length);
      expect(members).toHaveLength(700);
      expect(members.filter((member) => member.startsWith('stable'))).toEqual(
        stable.map(({ member }) => member).toReversed(),
      );
    }
    over = true;
    await writing;
  });

  it('repeat and miss some page by page (control)', async () => {
    const [mine, theirs] = pair({ mode: 'last', live: false });
    await mine.submitMany(Array.from({ length: 100 }, (_, at) => ({ member: `m${at}`, score: at })));
    const paged: string[] = [];
    for (let page = 1; page <= 4; page += 1) {
      const { rows } = await mine.page({ page, count: 25 });
      paged.push(...rows.map(({ member }) => member));
      // From the end to the top.
      await theirs.submit(`m${page}`, 1000 + page);
    }
    expect(new Set(paged).size).toBeLessThan(paged.length);
    expect(paged).not.toContain('m1');
  });

  it('see each other at the top', { timeout: 60_000 }, async () => {
    const [mine, theirs] = pair({ live: { every: '50ms', poll: '200ms' } });
    const tops: string[] = [];
    const end = mine.subscribe(({ rows }) => tops.push(rows.map(({ member }) => member).join(' ')), { size: 2 });
    await until(() => tops.length > 0, { what: 'the first look' });
    await theirs.submit('anna', 1);
    await until(() => tops.at(-1) === 'anna', { what: 'anna at the top' });
    await theirs.submitMany([
      { member: 'bob', score: 2 },
      { member: 'carl', score: 3 },
    ]);
    await until(() => tops.at(-1) === 'carl bob', { what: 'carl and bob at the top' });
    await theirs.remove('carl');
    await until(() => tops.at(-1) === 'bob anna', { what: 'carl gone' });
    end();
  });
});

describe.each(['Redis', 'a Redis Cluster'])('on %s', (place) => {
  const backends = usePlace(place, ['rankings', 'values']);

  it('a key that holds something else is refused, with the name of the board, and stays as it is', async () => {
    const [backend] = backends();
    const board = leaderboard('taken', { backend, live: false });
    await backend.values.set('hs:{board:taken}:all', Buffer.from('theirs'), Infinity);
    for (const call of [
      () => board.submit('anna', 1),
      () => board.top(),
      () => board.get('anna'),
      () => board.remove('anna'),
      () => board.rotate('s'),
    ])
      await expect(call()).rejects.toMatchObject({
        code: 'BACKEND_REFUSED',
        message: expect.stringMatching(/^Leaderboard "taken": .*another kind/) as string,
      });
    const stored = await backend.values.get('hs:{board:taken}:all');
    expect(Buffer.from(stored?.bytes ?? []).toString()).toBe('theirs');
  });
});
