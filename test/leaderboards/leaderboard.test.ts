/** Shows every verb of a leaderboard, in fake time. */

import { HotshelfError } from 'hotshelf';
import {
  type BoardRow,
  leaderboard,
  type LeaderboardOptions,
  PartlySubmittedError,
  type WindowKind,
} from 'hotshelf/leaderboards';
import { memory } from 'hotshelf/memory';
import { chaos, fakeClock } from 'hotshelf/testing';
import { describe, expect, it, onTestFinished } from 'vitest';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** A Saturday noon in Paris. */
const noon = Date.parse('2026-11-28T11:00:00Z');

interface Profile {
  readonly name: string;
}

function setUp<Kind extends WindowKind = 'all'>(options: Partial<LeaderboardOptions<Kind>> = {}) {
  const clock = fakeClock({ now: noon });
  const backend = chaos(memory({ clock }), { clock });
  const board = leaderboard<Kind, Profile>('quiz', { backend, clock, ...options });
  onTestFinished(() => board.close());
  return { clock, backend, board };
}

async function rowsOf(rows: AsyncIterable<BoardRow>): Promise<readonly [string, number, number][]> {
  const found: [string, number, number][] = [];
  for await (const { member, score, rank } of rows) found.push([member, score, rank]);
  return found;
}

/** The names of those at the top. */
async function names({ rows }: { readonly rows: readonly BoardRow[] }): Promise<string> {
  return rows.map(({ member }) => member).join(' ');
}

describe('a submit', () => {
  it('says what it did: the score, the one before, the rank, and whether it is better', async () => {
    const { board } = setUp();
    expect(await board.submit('anna', 10)).toEqual({ all: { score: 10, previous: null, rank: 1, improved: true } });
    expect(await board.submit('bob', 20)).toEqual({ all: { score: 20, previous: null, rank: 1, improved: true } });
    expect(await board.submit('anna', 5)).toEqual({ all: { score: 10, previous: 10, rank: 2, improved: false } });
    expect(await board.submit('anna', 30)).toEqual({ all: { score: 30, previous: 10, rank: 1, improved: true } });
  });

  it('counts in all windows at once', async () => {
    const { board, clock } = setUp({ windows: ['all', 'hour', 'day', 'week', 'month', 'year'], mode: 'sum' });
    await board.submit('anna', 1);
    await clock.advance(hourMs);
    await board.submit('anna', 1);
    await clock.advance(dayMs);
    await board.submit('anna', 1);
    await clock.advance(2 * dayMs);
    const scores = Object.entries(await board.submit('anna', 1)).map(([kind, { score }]) => [kind, score]);
    // It is Tuesday, the 1st of December.
    expect(Object.fromEntries(scores)).toEqual({ all: 4, hour: 1, day: 1, week: 1, month: 1, year: 4 });
  });

  it('counts in a new day from midnight on, where the people are', async () => {
    const { board, clock } = setUp({ windows: ['day'], timeZone: 'Europe/Paris' });
    await board.submit('anna', 10);
    await clock.advance(12 * hourMs - 1);
    expect((await board.submit('anna', 5)).day).toMatchObject({ previous: 10 });
    await clock.advance(1);
    expect((await board.submit('anna', 5)).day).toMatchObject({ previous: null, rank: 1 });
    // A clock that is put back is in the old day again.
    clock.jump(-1);
    expect((await board.submit('anna', 5)).day).toMatchObject({ previous: 10 });
  });

  it('computes no windows while they last', async () => {
    const { board, clock } = setUp({ windows: ['all', 'hour', 'year'], timeZone: 'Europe/Paris' });
    await board.submit('anna', 1);
    let formatted = 0;
    const format = Intl.DateTimeFormat.prototype;
    const original = Object.getOwnPropertyDescriptor(format, 'format');
    Object.defineProperty(format, 'format', {
      configurable: true,
      get(this: Intl.DateTimeFormat) {
        formatted += 1;
        return original?.get?.call(this);
      },
    });
    onTestFinished(() => void Object.defineProperty(format, 'format', original ?? {}));
    await clock.advance(hourMs - 1);
    for (let score = 0; score < 100; score += 1) await board.submit('anna', score);
    expect(formatted).toBe(0);
    await clock.advance(1);
    await board.submit('anna', 1);
    expect(formatted).toBeGreaterThan(0);
  });

  it('is refused with what nobody can rank, before the store is asked', async () => {
    const { board, backend } = setUp({ bounds: { least: 0, most: 100 } });
    backend.chaos.set({ throws: 1 });
    for (const score of [Number.NaN, Infinity, -Infinity, -1, 100.5, '7' as never, undefined as never])
      await expect(board.submit('anna', score)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    for (const member of ['', 'x'.repeat(257), '\u{1f600}'.repeat(65), '\ud800', 7 as never])
      await expect(board.submit(member, 1)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(
      board.submitMany([
        { member: 'anna', score: 1 },
        { member: 'bob', score: 101 },
      ]),
    ).rejects.toThrow(
      'Leaderboard "quiz": Expected `score` to be a finite number within `bounds`, 0 to 100, got 101 (number).',
    );
    const error = await board.submit('someone@example.com'.repeat(20), 1).catch((error: unknown) => error);
    expect(String(error)).toContain('Leaderboard "quiz"');
    expect(String(error)).not.toContain('someone');
  });

  it('that the cap drops has no rank', async () => {
    const { board } = setUp({ cap: 2 });
    await board.submitMany([
      { member: 'a', score: 3 },
      { member: 'b', score: 2 },
    ]);
    expect(await board.submit('c', 1)).toEqual({ all: { score: 1, previous: null, rank: null, improved: true } });
    expect(await board.size()).toBe(2);
  });

  it('rejects when the store did not take it, and names the board', async () => {
    const { board, backend } = setUp();
    backend.chaos.set({ throws: 1 });
    await expect(board.submit('anna', 1)).rejects.toThrow(/^Leaderboard "quiz": /);
    await expect(board.submit('anna', 1)).rejects.toBeInstanceOf(HotshelfError);
  });
});

describe('many submits', () => {
  const many = Array.from({ length: 300 }, (_, at) => ({ member: `m${at}`, score: at }));

  it('are answered in their order', async () => {
    const { board } = setUp({ windows: ['all', 'day'] });
    const answers = await board.submitMany(many);
    expect(answers).toHaveLength(300);
    expect(answers[299]).toEqual(
      await board.submit('m299', 0).then(({ all, day }) => ({
        all: { ...all, previous: null, improved: true },
        day: { ...day, previous: null, improved: true },
      })),
    );
    expect(await board.size()).toBe(300);
    expect(await board.submitMany([])).toEqual([]);
  });

  it('say how many were acknowledged when the store fails', async () => {
    const { clock } = setUp();
    const inner = memory({ clock });
    let calls = 0;
    const submit = inner.rankings.submit.bind(inner.rankings);
    inner.rankings.submit = async (...input) => {
      calls += 1;
      if (calls === 2) throw new HotshelfError('OUTCOME_UNKNOWN', 'The connection was lost.');
      if (calls === 4) throw new HotshelfError('BACKEND_DOWN', 'It is down.');
      return submit(...input);
    };
    const board = leaderboard('many', { backend: inner, clock, live: false });
    const failed = async (): Promise<PartlySubmittedError> => {
      const error = await board.submitMany(many).catch((error: unknown) => error);
      expect(error).toBeInstanceOf(PartlySubmittedError);
      return error as PartlySubmittedError;
    };
    const unknown = await failed();
    expect(unknown).toMatchObject({ code: 'OUTCOME_UNKNOWN', uncertain: 128 });
    expect(unknown.message).toMatch(/^Leaderboard "many": Of 300 scores 128 were acknowledged, 128 may or may not/);
    expect(unknown.acknowledged).toHaveLength(128);
    expect(unknown.acknowledged[7]).toMatchObject({ all: { score: 7, previous: null } });
    const down = await failed();
    expect(down).toMatchObject({ code: 'BACKEND_DOWN', uncertain: 0 });
    expect(down.acknowledged).toHaveLength(128);
  });
});

describe('a window', () => {
  const days = { windows: ['day', 'all'], timeZone: 'Europe/Paris', keep: 2 } as const;

  it('is the current one of the first kind, unless another one is named', async () => {
    const { board, clock } = setUp(days);
    await board.submit('anna', 1);
    await clock.advance(dayMs);
    await board.submit('bob', 2);
    expect(await names(await board.top())).toBe('bob');
    expect(await names(await board.top(10, { window: 'all' }))).toBe('bob anna');
    expect(await names(await board.top(10, { ago: 1 }))).toBe('anna');
    expect(await names(await board.top(10, { at: noon }))).toBe('anna');
    expect(await names(await board.page({ at: new Date(noon) }))).toBe('anna');
    expect(await names(await board.range({ scores: [0, 9], ago: 1 }))).toBe('anna');
    expect(await board.get('anna')).toBeNull();
    expect(await board.get('anna', { ago: 1 })).toMatchObject({ rank: 1 });
    expect(await board.around('anna', 1, { ago: 1 })).toMatchObject({ size: 1 });
    expect(await board.among(['anna', 'bob'], { window: 'all' })).toHaveLength(2);
    expect(await board.size({ window: 'all' })).toBe(2);
    expect(await rowsOf(board.export({ ago: 1 }))).toEqual([['anna', 1, 1]]);
  });

  it('says when it begins and ends', () => {
    const { board } = setUp(days);
    expect(board.window()).toEqual({
      start: Date.parse('2026-11-27T23:00:00Z'),
      end: Date.parse('2026-11-28T23:00:00Z'),
    });
    expect(board.window({ ago: 2 }).start).toBe(Date.parse('2026-11-25T23:00:00Z'));
    expect(board.window({ window: 'all' })).toEqual({ start: -Infinity, end: Infinity });
  });

  it('is kept for as many further windows as `keep` says, and then gone', async () => {
    const { board, clock, backend } = setUp(days);
    await board.submit('anna', 1);
    const key = 'hs:{board:quiz}:day:20261127T230000Z';
    const rules = { order: 'desc', ties: 'competition', mode: 'best', cap: Infinity } as const;
    const size = async () => (await backend.rankings.page(key, rules, { from: 0, count: 1 })).size;
    await clock.advance(2.5 * dayMs - 1);
    expect(await size()).toBe(1);
    expect(await board.size({ at: noon })).toBe(1);
    await clock.advance(1);
    expect(await size()).toBe(0);
    expect(await board.size({ window: 'all' })).toBe(1);
  });

  it('that the board does not have or keep is refused, with those that there are', async () => {
    const { board } = setUp(days);
    await expect(board.top(10, { window: 'week' as never })).rejects.toThrow(
      'Leaderboard "quiz": Expected `window` to be one of its windows, "day", "all", got "week" (string).',
    );
    await expect(board.top(10, { ago: 3 })).rejects.toThrow('from 0 to 2');
    for (const where of [
      { ago: -1 },
      { ago: 0.5 },
      { window: 'all', ago: 1 },
      { at: Number.NaN },
      { at: '2026' },
      { at: noon, ago: 1 },
    ])
      await expect(board.get('anna', where as never), JSON.stringify(where)).rejects.toMatchObject({
        code: 'OPTION_INVALID',
      });
    await expect(board.page({ windw: 'day' } as never)).rejects.toThrow('Did you mean `window`?');
    await expect(board.size({ windw: 'day' } as never)).rejects.toThrow('Did you mean `window`?');
    expect(() => board.window({ at: 1e15 })).toThrow('Leaderboard "quiz"');
  });
});

describe('what is read', () => {
  async function filled(options: Partial<LeaderboardOptions> = {}) {
    const all = setUp(options);
    await all.board.submitMany(['e', 'd', 'c', 'b', 'a'].map((member, at) => ({ member, score: 10 * (at + 1) })));
    return all;
  }

  it('has ranks, positions and percentiles', async () => {
    const { board } = await filled();
    await board.submit('b2', 40);
    expect(await board.get('a')).toEqual({ member: 'a', score: 50, rank: 1, ahead: 0, size: 6, percentile: 100 });
    expect(await board.get('b')).toMatchObject({ rank: 2, ahead: 1, percentile: (100 * 5) / 6 });
    expect(await board.get('b2')).toMatchObject({ rank: 2, ahead: 1 });
    expect(await board.get('e')).toMatchObject({ rank: 6, ahead: 5, percentile: 100 / 6 });
    expect(await board.get('x')).toBeNull();
    expect(await board.page({ page: 2, count: 2 })).toMatchObject({ from: 2, size: 6, at: noon, stale: false });
  });

  it('is a full window around a member, shifted at both ends', async () => {
    const { board } = await filled();
    const around = async (member: string, each: number) => names((await board.around(member, each)) ?? { rows: [] });
    expect(await around('c', 1)).toBe('b c d');
    expect(await around('a', 1)).toBe('a b c');
    expect(await around('e', 1)).toBe('c d e');
    expect(await around('c', 0)).toBe('c');
    expect(await around('c', 9)).toBe('a b c d e');
    expect(await board.around('x')).toBeNull();
  });

  it('is a leaderboard of friends, without those that are not there', async () => {
    const { board } = await filled();
    expect(await board.among(['e', 'x', 'b', 'e'])).toEqual([
      { member: 'b', score: 40, rank: 2, localRank: 1 },
      { member: 'e', score: 10, rank: 5, localRank: 2 },
    ]);
    expect(await board.among([])).toEqual([]);
  });

  it('goes on behind a cursor, also when the member there is gone and the day is over', async () => {
    const { board, clock } = setUp({ windows: ['day'] });
    await board.submitMany('abcdef'.split('').map((member, at) => ({ member, score: -at })));
    const first = await board.page({ count: 2 });
    expect(await names(first)).toBe('a b');
    await board.remove('b');
    await board.submit('new', 100);
    await clock.advance(dayMs);
    await board.submit('tomorrow', 1);
    const second = await board.range({ after: first.next ?? '', count: 2 });
    expect(await names(second)).toBe('c d');
    const third = await board.range({ after: second.next ?? '', count: 2, ago: 1 });
    expect(await names(third)).toBe('e f');
    expect(third.next).toBeUndefined();
    // Here the window is said, and it is another one.
    await expect(board.range({ after: first.next ?? '', window: 'day' })).rejects.toThrow('unchanged `next`');
  });

  it('stays within a range of scores behind its cursor', async () => {
    const { board } = await filled();
    const first = await board.range({ scores: [20, 40], count: 2 });
    expect(await names(first)).toBe('b c');
    expect(await board.range({ after: first.next ?? '', count: 2 })).toMatchObject({
      rows: [{ member: 'd' }],
      next: undefined,
    });
    expect(await names(await board.range({ scores: [20, 40], skip: 2 }))).toBe('d');
    expect(await names(await board.range({ scores: [-Infinity, 15] }))).toBe('e');
    expect((await board.range({ scores: [60, 70] })).rows).toEqual([]);
    for (const count of [3, 4, 50]) expect((await board.range({ scores: [30, 40], count })).next).toBeUndefined();
  });

  it('refuses cursors that were changed, cut or made for another board', async () => {
    const { board, backend, clock } = await filled({ windows: ['all'] });
    const { next = '' } = await board.page({ count: 2 });
    const other = leaderboard('other', { backend, clock });
    await other.submitMany([
      { member: 'a', score: 1 },
      { member: 'b', score: 2 },
    ]);
    const foreign = (await other.page({ count: 1 })).next ?? '';
    const wrong = [foreign, '', 'x', `${next}A`, ` ${next}`, `${next}=`, next.slice(0, -1), next.slice(1), 7 as never];
    for (let at = 0; at < next.length; at += 1) {
      const letter = next[at] === 'A' ? 'B' : 'A';
      wrong.push(next.slice(0, at) + letter + next.slice(at + 1));
    }
    for (const after of wrong) {
      const error = await board.range({ after }).catch((error: unknown) => error);
      expect(String(error), after).toMatch(/Leaderboard "quiz": Expected `after` to be the unchanged `next`/);
    }
    expect(await names(await board.range({ after: next }))).toBe('c d e');
  });

  it('refuses pages that there cannot be', async () => {
    const { board, backend } = await filled();
    backend.chaos.set({ throws: 1 });
    const calls: (() => Promise<unknown>)[] = [
      ...[0, -1, 1001, 1.5, Number.NaN].flatMap((count) => [() => board.top(count), () => board.page({ count })]),
      ...[0, -1, 1.5].map((page) => () => board.page({ page })),
      () => board.page({ from: -1 }),
      () => board.page({ from: 0, page: 1 } as never),
      () => board.page({ size: 10 } as never),
      () => board.range({} as never),
      () => board.range({ ranks: [1, 2], scores: [1, 2] } as never),
      ...[[0, 1], [2, 1], [1, 1001], [1], 7].map((ranks) => () => board.range({ ranks } as never)),
      ...[[2, 1], [Number.NaN, 1], 'x'].map((scores) => () => board.range({ scores } as never)),
      () => board.range({ scores: [1, 2], skip: -1 }),
      ...[-1, 500, 0.5].map((each) => () => board.around('a', each)),
      () => board.among('a' as never),
      () => board.among(['']),
      () => board.among(Array.from({ length: 1001 }, (_, at) => `m${at}`)),
      () => board.get(''),
      () => board.remove(''),
      () => board.removeScores({}),
      () => board.removeScores({ least: 2, most: 1 }),
      () => board.rotate(''),
      () => board.rotate('s', { keep: -1 }),
    ];
    for (const call of calls)
      await expect(call(), String(call)).rejects.toMatchObject({
        code: 'OPTION_INVALID',
        message: expect.stringMatching(/^Leaderboard "quiz": /) as string,
      });
  });
});

describe('a removal', () => {
  it('takes a member off all windows that are kept', async () => {
    const { board, clock } = setUp({ windows: ['all', 'hour', 'day'], keep: { hour: 30, day: 1 } });
    for (let hour = 0; hour < 26; hour += 1) {
      await board.submitMany([
        { member: 'anna', score: hour },
        { member: 'bob', score: 1 },
      ]);
      await clock.advance(hourMs);
    }
    expect(await board.remove('anna')).toBe(true);
    for (let ago = 0; ago <= 30; ago += 1) expect(await board.get('anna', { window: 'hour', ago })).toBeNull();
    for (const where of [{ window: 'day' }, { window: 'day', ago: 1 }, { window: 'all' }] as const) {
      expect(await board.get('anna', where)).toBeNull();
      expect(await board.get('bob', where)).not.toBeNull();
    }
    expect(await board.remove('anna')).toBe(false);
  });

  it('takes it off one window if that is said', async () => {
    const { board } = setUp({ windows: ['all', 'day'] });
    await board.submit('anna', 1);
    expect(await board.remove('anna', { window: 'day' })).toBe(true);
    expect(await board.get('anna', { window: 'day' })).toBeNull();
    expect(await board.get('anna')).not.toBeNull();
  });

  it('of scores takes off who has them', async () => {
    const { board, clock } = setUp({ windows: ['all', 'day'] });
    await board.submitMany([
      { member: 'cheat', score: 1e9 },
      { member: 'anna', score: 5 },
    ]);
    await clock.advance(dayMs);
    await board.submit('other', 2e9);
    expect(await board.removeScores({ least: 1e6, window: 'day' })).toBe(1);
    expect(await board.removeScores({ least: 1e6 })).toBe(3);
    expect(await rowsOf(board.export())).toEqual([['anna', 5, 1]]);
    expect(await rowsOf(board.export({ window: 'day', ago: 1 }))).toEqual([['anna', 5, 1]]);
    expect(await board.removeScores({ most: 5 })).toBe(2);
  });
});

describe('meta', () => {
  it('is on the rows of its member, until it is removed', async () => {
    const { board, backend } = setUp({ meta: true });
    await board.submitMany([
      { member: 'anna', score: 2 },
      { member: 'bob', score: 1 },
    ]);
    await board.setMeta('anna', { name: 'Anna Ö.' });
    const anna = { member: 'anna', score: 2, rank: 1, meta: { name: 'Anna Ö.' } };
    expect((await board.top()).rows).toEqual([anna, { member: 'bob', score: 1, rank: 2 }]);
    expect(await board.get('anna')).toMatchObject(anna);
    expect((await board.around('bob', 1))?.rows[0]).toEqual(anna);
    expect((await board.among(['anna']))[0]).toEqual({ ...anna, localRank: 1 });
    for await (const row of board.export()) if (row.member === 'anna') expect(row).toEqual(anna);
    await board.setMeta('bob', { name: 'Bob' });
    await board.setMeta('bob', undefined);
    expect(await board.get('bob')).not.toHaveProperty('meta');
    await board.remove('anna');
    await board.submit('anna', 3);
    expect(await board.get('anna')).not.toHaveProperty('meta');
    expect(await backend.values.get('hs:{board:quiz}:meta:anna')).toBeUndefined();
  });

  it('ends after its ttl, and costs a page one more trip', async () => {
    const { board, clock, backend } = setUp({ meta: { ttl: '1h' } });
    await board.submitMany(Array.from({ length: 50 }, (_, at) => ({ member: `m${at}`, score: at })));
    await board.setMeta('m7', { name: 'Seven' });
    let trips = 0;
    const getMany = backend.values.getMany.bind(backend.values);
    backend.values.getMany = (keys) => {
      trips += 1;
      return getMany(keys);
    };
    expect((await board.top(50)).rows[42]).toMatchObject({ member: 'm7', meta: { name: 'Seven' } });
    expect(trips).toBe(1);
    await clock.advance(hourMs + 2000);
    expect((await board.top(50)).rows[42]).not.toHaveProperty('meta');
  });

  it('is none where it is corrupt or not ours', async () => {
    const { board, backend } = setUp({ meta: true });
    await board.submit('anna', 1);
    await board.submit('bob', 2);
    await board.setMeta('anna', { name: 'Anna' });
    const stored = await backend.values.get('hs:{board:quiz}:meta:anna');
    const bytes = Uint8Array.from(stored?.bytes ?? []);
    await backend.values.set('hs:{board:quiz}:meta:bob', bytes, Infinity);
    bytes[bytes.length - 2] = 0;
    await backend.values.set('hs:{board:quiz}:meta:anna', bytes, Infinity);
    for (const row of (await board.top()).rows) expect(row).not.toHaveProperty('meta');
  });

  it('is refused where the board keeps none', async () => {
    const { board } = setUp();
    await expect(board.setMeta('anna', { name: 'Anna' })).rejects.toThrow(
      'Expected `meta` to be an option of the board',
    );
  });
});

describe('a season', () => {
  it('takes all members with it, can be read, and ends', async () => {
    const { board, clock } = setUp({ windows: ['all', 'day'] });
    await board.submitMany([
      { member: 'anna', score: 2 },
      { member: 'bob', score: 1 },
    ]);
    expect(await board.rotate('autumn', { keep: '30d' })).toBe(true);
    expect(await board.size()).toBe(0);
    expect(await board.size({ window: 'day' })).toBe(2);
    await board.submit('carl', 7);
    const autumn = board.archive('autumn');
    expect(await names(await autumn.top())).toBe('anna bob');
    expect(await autumn.get('bob')).toMatchObject({ rank: 2, percentile: 50 });
    expect(await autumn.around('bob', 1)).toMatchObject({ size: 2 });
    expect(await autumn.among(['bob'])).toMatchObject([{ localRank: 1, rank: 2 }]);
    const { next = '' } = await autumn.page({ count: 1 });
    expect(await names(await autumn.range({ after: next }))).toBe('bob');
    expect(await autumn.size()).toBe(2);
    expect(await rowsOf(autumn.export())).toEqual([
      ['anna', 2, 1],
      ['bob', 1, 2],
    ]);
    await expect(board.range({ after: next })).rejects.toThrow('unchanged `next`');
    await clock.advance(30 * dayMs);
    expect(await autumn.size()).toBe(0);
    expect(await names(await board.top())).toBe('carl');
  });

  it('is refused where there is one, and is none without members', async () => {
    const { board } = setUp();
    expect(await board.rotate('s')).toBe(false);
    await board.submit('anna', 1);
    expect(await board.rotate('s', { keep: Infinity })).toBe(true);
    await board.submit('bob', 1);
    await expect(board.rotate('s')).rejects.toMatchObject({ code: 'SEASON_TAKEN' });
    expect(await names(await board.top())).toBe('bob');
    expect(await names(await board.archive('s').top())).toBe('anna');
    expect(() => board.archive('')).toThrow('Leaderboard "quiz"');
    await expect(setUp({ windows: ['day'] }).board.rotate('s')).rejects.toThrow('a list with "all"');
  });
});

describe('a board', () => {
  it('is another one under another name, however it is written', async () => {
    const { backend, clock } = setUp();
    const texts = ['a', 'A', 'a:', 'ä', '{a}', 'a}', ' ', '%61', 'x'.repeat(100), `${'x'.repeat(99)}y`];
    const boards = texts.map((name) => leaderboard(name, { backend, clock, meta: true }));
    for (const [at, board] of boards.entries()) {
      await board.submit('anna', at);
      await board.setMeta('anna', at);
      await board.rotate('s');
      await board.submit('anna', at);
    }
    for (const [at, board] of boards.entries()) {
      expect(await board.get('anna')).toMatchObject({ score: at, meta: at });
      expect(await board.archive('s').get('anna')).toMatchObject({ score: at });
    }
  });

  it('does nothing more once it is closed', async () => {
    const { board } = setUp();
    await board.submit('anna', 1);
    board.close();
    for (const call of [
      () => board.submit('anna', 2),
      () => board.top(),
      () => board.get('anna'),
      () => board.rotate('s'),
    ])
      await expect(call()).rejects.toMatchObject({ code: 'CLOSED', message: 'Leaderboard "quiz": It was closed.' });
    expect(() => board.subscribe(() => {})).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });
});
