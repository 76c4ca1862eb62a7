/** Shows which options a leaderboard refuses, what it says then, and what it warns of. */

import type { Backend } from 'hotshelf';
import { type BoardReader, leaderboard, type Leaderboard, type LeaderboardOptions, union } from 'hotshelf/leaderboards';
import { memory } from 'hotshelf/memory';
import { afterEach, describe, expect, expectTypeOf, it, vi } from 'vitest';
import { keepDefaults } from '../../src/leaderboards/time/options.ts';

afterEach(() => vi.restoreAllMocks());

const backend = memory();

describe('a leaderboard', () => {
  it.each<[string, object, string]>([
    ['an unknown option', { tiez: 'dense' }, 'leaderboard() has no option `tiez`. Did you mean `ties`?'],
    ['its name among the options', { name: 'quiz' }, 'leaderboard() has no option `name`.'],
    ['no backend', { backend: undefined }, 'Leaderboard "quiz": Expected `backend` to be a backend, such as memory()'],
    [
      'an unknown order',
      { order: 'up' },
      'Leaderboard "quiz": Expected `order` to be "desc" or "asc", got "up" (string).',
    ],
    ['an unknown tie mode', { ties: 'first' }, 'Expected `ties` to be "competition", "dense" or "earliest"'],
    ['an unknown mode', { mode: 'max' }, 'Expected `mode` to be "best", "last" or "sum"'],
    ['the mode of trending()', { mode: 'decay' }, 'Expected `mode` to be "best", "last" or "sum"'],
    ['no windows', { windows: [] }, 'Expected `windows` to be a list of different windows'],
    ['a window twice', { windows: ['day', 'day'] }, 'a list of different windows'],
    ['an unknown window', { windows: ['dya'] }, 'a list of "all", "hour", "day", "week", "month", "year", got "dya"'],
    ['an unknown time zone', { timeZone: 'Paris' }, 'a time zone that Node knows, such as "Europe/Paris"'],
    ['an unknown start of the week', { weekStart: 'tuesday' }, 'one of "monday", "sunday", "saturday"'],
    ['a negative number of windows', { keep: -1 }, 'Expected `keep` to be a whole number from 0 to 1000'],
    ['too many windows', { keep: { day: 1001 } }, 'Expected `keep.day` to be a whole number from 0 to 1000'],
    ['to keep what does not end', { keep: { all: 1 } }, '`keep` has no option `all`'],
    ['a cap of none', { cap: 0 }, 'Expected `cap` to be a whole number from 1'],
    ['bounds the wrong way round', { bounds: { least: 2, most: 1 } }, 'Expected `bounds` to be { least, most }'],
    ['bounds that are no numbers', { bounds: { least: Number.NaN } }, 'Expected `bounds`'],
    ['unknown bounds', { bounds: { min: 1 } }, '`bounds` has no option `min`'],
    ['a top of none', { cacheTop: { size: 0 } }, 'Expected `cacheTop.size` to be a whole number from 1 to 1000'],
    ['a top that lasts long', { cacheTop: { for: '1m' } }, 'Expected `cacheTop.for` to be at most 10 s'],
    ['a top that does not last', { cacheTop: { for: 0 } }, 'Expected `cacheTop.for` to be a duration'],
    ['an unknown part', { cacheTop: { ttl: '1s' } }, '`cacheTop` has no option `ttl`'],
    ['no pauses', { live: { every: 0 } }, 'Expected `live.every` to be a duration'],
    ['a meta that does not last', { meta: { ttl: 0 } }, 'Expected `meta.ttl` to be a duration'],
    ['what is no object', { meta: 'yes' }, 'Expected the options of `meta` to be an object.'],
    ['no clock', { clock: {} }, 'Expected `clock` to be a Clock'],
  ])('refuses %s', (_what, options, message) => {
    expect(() => leaderboard('quiz', { backend, ...options })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(message) as string }),
    );
  });

  it.each(['', 'x'.repeat(101), undefined, { backend }])(
    'refuses a board without a name or with a long one',
    (name) => {
      expect(() => leaderboard(name as never, { backend })).toThrow(
        expect.objectContaining({
          code: 'OPTION_INVALID',
          message: expect.stringContaining('Expected the name of a leaderboard() to be a text of 1 to 100') as string,
        }),
      );
    },
  );

  it('refuses a call without options', () => {
    for (const options of [undefined, null, 'quiz', []])
      expect(() => leaderboard('quiz', options as never)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  it('says what to do where the backend has no rankings', () => {
    const { rankings: _, ...poor } = memory();
    expect(() => leaderboard('quiz', { backend: poor as never })).toThrow(
      expect.objectContaining({
        code: 'FACET_MISSING',
        message:
          'Leaderboard "quiz": The memory adapter has no rankings. Use an adapter of hotshelf for leaderboard().',
      }),
    );
  });

  it('takes `undefined` for an option that is not there', () => {
    const names = 'order ties mode windows timeZone weekStart keep cap bounds cacheTop live meta clock'.split(' ');
    const options = Object.fromEntries(names.map((name) => [name, undefined]));
    const board = leaderboard('quiz', { backend, ...options });
    expect(board.window()).toEqual({ start: -Infinity, end: Infinity });
  });

  it('keeps as many windows as the documentation says', () => {
    expect(keepDefaults).toEqual({ hour: 48, day: 14, week: 8, month: 12, year: 2 });
  });
});

describe('a store that may drop boards', () => {
  const endangered = (answer: () => Promise<string | undefined>): Parameters<typeof leaderboard>[1]['backend'] => {
    const inner = memory();
    Object.assign(inner.rankings, { endangered: answer });
    return inner;
  };
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  it('is warned of once, with a code', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    let asked = 0;
    const backend = endangered(async () => {
      asked += 1;
      return 'The server evicts.';
    });
    leaderboard('a', { backend });
    leaderboard('b', { backend });
    await settled();
    expect(asked).toBe(1);
    expect(warn.mock.calls).toEqual([
      ['Leaderboards may be lost: The server evicts.', { code: 'HOTSHELF_BOARDS_ENDANGERED' }],
    ]);
  });

  it('is no reason to fail, and one that would not drop any is not warned of', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    leaderboard('a', { backend: endangered(async () => undefined) });
    leaderboard('a', { backend: endangered(() => Promise.reject(new Error('down'))) });
    leaderboard('a', { backend: memory() });
    await settled();
    expect(warn).not.toHaveBeenCalled();
  });
});

describe('the types', () => {
  it('know the windows of the board', () => {
    type Days = Leaderboard<'all' | 'day'>;
    const board = leaderboard('types', { backend, windows: ['day', 'all'] });
    expectTypeOf(board).toEqualTypeOf<Days>();
    expectTypeOf<ReturnType<Days['submit']>>().resolves.toHaveProperty('day');
    expectTypeOf<ReturnType<Days['submit']>>().resolves.not.toHaveProperty('week');
    expectTypeOf<NonNullable<Parameters<Days['top']>[1]>['window']>().toEqualTypeOf<'all' | 'day' | undefined>();
    expectTypeOf(leaderboard('types', { backend })).toEqualTypeOf<Leaderboard>();
    expectTypeOf(union([board], { window: 'day' })).toEqualTypeOf<BoardReader>();
    // @ts-expect-error the board has no weeks
    expect(() => board.window({ window: 'week' })).toThrow('"week"');
    // @ts-expect-error the board has no weeks
    expect(() => union([board], { window: 'week' })).toThrow('"week"');
  });

  it('know what is kept of members', async () => {
    const board = leaderboard<'all', { readonly name: string }>('types', { backend, meta: true });
    // @ts-expect-error a name is a text
    const wrong = () => board.setMeta('anna', { name: 7 });
    expect(wrong).toBeTypeOf('function');
    const { rows } = await board.top();
    expectTypeOf(rows[0]?.meta).toEqualTypeOf<{ readonly name: string } | undefined>();
  });

  it('refuse options that there are not, and backends that cannot', () => {
    expectTypeOf<{ ties: 'first' }>().not.toExtend<Partial<LeaderboardOptions>>();
    expectTypeOf<{ mode: 'decay' }>().not.toExtend<Partial<LeaderboardOptions>>();
    expectTypeOf<Backend>().not.toExtend<LeaderboardOptions['backend']>();
  });
});
