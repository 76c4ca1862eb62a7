/** Counters in buckets of time: what they sum up, what they forget, and what they refuse. */

import * as fc from 'fast-check';
import { connect } from 'hotshelf';
import { counter, type CounterOptions } from 'hotshelf/leaderboards';
import { memory } from 'hotshelf/memory';
import { chaos, fakeClock } from 'hotshelf/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../../kit/servers.ts';
import { everywhere, usePlace } from './servers.ts';

const minuteMs = 60_000;
/** The begin of a day and of an hour. */
const midnight = 1_699_920_000_000;

function setUp(options: Partial<CounterOptions> = {}) {
  const clock = fakeClock({ now: midnight });
  const backend = memory({ clock });
  return { clock, backend, views: counter('views', { backend, bucket: '1m', keep: 5, clock, ...options }) };
}

describe('a counter', () => {
  it('adds one or several, and says how many the bucket has now', async () => {
    const { views } = setUp();
    expect(await views.add()).toBe(1);
    expect(await views.add(41)).toBe(42);
    expect(await views.add(0)).toBe(42);
    expect(await views.total()).toBe(42);
  });

  it('sums up the last buckets, the current one among them', async () => {
    const { views, clock } = setUp();
    await views.add(1);
    await clock.advance(minuteMs);
    await views.add(10);
    await clock.advance(minuteMs);
    await views.add(100);
    expect(await views.total({ last: 1 })).toBe(100);
    expect(await views.total({ last: 2 })).toBe(110);
    expect(await views.total()).toBe(111);
  });

  it('has a series with the begin of each bucket, the oldest first, and 0 where nobody counted', async () => {
    const { views, clock } = setUp();
    await views.add(3);
    await clock.advance(2.5 * minuteMs);
    await views.add(4);
    expect(await views.series()).toEqual([
      { at: midnight - 2 * minuteMs, count: 0 },
      { at: midnight - minuteMs, count: 0 },
      { at: midnight, count: 3 },
      { at: midnight + minuteMs, count: 0 },
      { at: midnight + 2 * minuteMs, count: 4 },
    ]);
    expect(await views.series({ last: 1 })).toEqual([{ at: midnight + 2 * minuteMs, count: 4 }]);
  });

  it('has buckets that begin at multiples of their length since the epoch', async () => {
    const clock = fakeClock({ now: midnight + 7 * 3_600_000 });
    const days = counter('days', { backend: memory({ clock }), bucket: '1d', keep: 2, clock });
    expect((await days.series()).map(({ at }) => new Date(at).toISOString())).toEqual([
      '2023-11-13T00:00:00.000Z',
      '2023-11-14T00:00:00.000Z',
    ]);
  });

  it('has days that are as long as the clocks of a time zone make them', async () => {
    const clock = fakeClock({ now: Date.parse('2026-03-28T22:59:59Z') });
    const backend = memory({ clock });
    const days = counter('days', { backend, bucket: 'day', keep: 3, timeZone: 'Europe/Paris', clock });
    const sixHourly = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    for (const by of sixHourly) {
      await days.add(by);
      await clock.advance(by === 1 ? 1000 : 6 * 3_600_000);
    }
    // The 29th has 23 hours: 23:00, 5:00, 11:00 and 17:00 in UTC are in it.
    expect(await days.series()).toEqual([
      { at: Date.parse('2026-03-28T23:00:00Z'), count: 2 + 3 + 4 + 5 },
      { at: Date.parse('2026-03-29T22:00:00Z'), count: 6 + 7 + 8 + 9 },
      { at: Date.parse('2026-03-30T22:00:00Z'), count: 0 },
    ]);
  });

  it('has hours, weeks, months and years of the calendar, in time zones that count apart', async () => {
    const clock = fakeClock({ now: Date.parse('2026-01-01T00:30:00Z') });
    const backend = memory({ clock });
    const begins = async (bucket: CounterOptions['bucket'], timeZone?: string): Promise<string[]> => {
      const counts = counter('begins', { backend, bucket, keep: 2, clock, timeZone });
      await counts.add();
      expect(await counts.total()).toBe(1);
      return (await counts.series()).map(({ at }) => new Date(at).toISOString().slice(0, 16));
    };
    expect(await begins('hour')).toEqual(['2025-12-31T23:00', '2026-01-01T00:00']);
    expect(await begins('hour', 'Asia/Kathmandu')).toEqual(['2025-12-31T23:15', '2026-01-01T00:15']);
    expect(await begins('week')).toEqual(['2025-12-22T00:00', '2025-12-29T00:00']);
    expect(await begins('month')).toEqual(['2025-12-01T00:00', '2026-01-01T00:00']);
    expect(await begins('month', 'America/New_York')).toEqual(['2025-11-01T04:00', '2025-12-01T05:00']);
    expect(await begins('year', 'Europe/London')).toEqual(['2025-01-01T00:00', '2026-01-01T00:00']);
    expect(await begins('year')).toEqual(['2025-01-01T00:00', '2026-01-01T00:00']);
  });

  it('keeps a bucket as long as it can be asked for, and no key longer than its buckets', async () => {
    const { views, clock, backend } = setUp();
    await views.add(7);
    await clock.advance(5 * minuteMs - 1);
    expect(await views.total()).toBe(7);
    await clock.advance(1);
    expect(await views.total()).toBe(0);
    expect(await backend.counters.read([`counters:{views}:60000:${midnight / minuteMs}`])).toEqual([0]);
  });

  it('counts labels apart, whatever is in them', async () => {
    const { views } = setUp();
    const labels = ['', 'a', 'A', 'a:b', 'a}', '{a}', 'a b', 'ä', '%61', '\ud800', '\udfff', '\ud83d\ude00', '\n'];
    labels.push('x'.repeat(500), `${'x'.repeat(499)}y`, 'ä'.repeat(500));
    await views.add(1000);
    for (const [place, of] of labels.entries()) await views.add(place + 1, { of });
    for (const [place, of] of labels.entries()) expect(await views.total({ of })).toBe(place + 1);
    expect(await views.total()).toBe(1000);
  });

  it('counts names and lengths of buckets apart, and together who has the same', async () => {
    const { backend, clock, views } = setUp();
    const other = (name: string, bucket: CounterOptions['bucket']) =>
      counter(name, { backend, bucket, keep: 3, clock });
    await views.add(1);
    await other('views', '1m').add(1);
    await other('views', '1h').add(10);
    await other('views:', '1m').add(20);
    await other('v'.repeat(100), '1m').add(30);
    await other(`${'ä'.repeat(99)}x`, '1m').add(40);
    expect(await views.total()).toBe(2);
    expect(await other('views:', '1m').total()).toBe(20);
    expect(await other(`${'ä'.repeat(99)}x`, '1m').total()).toBe(40);
    await other('a', '1m').add(1, { of: 'b' });
    expect(await other('a:b', '1m').total()).toBe(0);
  });

  it('rejects what is waited for while the backend fails, and nothing else happens', async () => {
    const clock = fakeClock();
    const backend = chaos(memory({ clock }), { clock });
    const views = counter('views', { backend, bucket: '1m', keep: 5, clock });
    backend.chaos.set({ throws: 1 });
    // A rejection that nobody handles would be an error of this run.
    void views.add();
    await expect(views.add()).rejects.toMatchObject({ code: 'BACKEND_DOWN' });
    await expect(views.total()).rejects.toMatchObject({ code: 'BACKEND_DOWN' });
    backend.chaos.calm();
    expect(await views.total()).toBe(0);
  });

  it.each<[string, Partial<CounterOptions>]>([
    ['no bucket', { bucket: undefined }],
    ['a bucket of less than a second', { bucket: 999 }],
    ['a bucket that is no duration', { bucket: 'minute' as never }],
    ['a bucket of half a ms', { bucket: 1000.5 }],
    ['a negative bucket', { bucket: -1000 }],
    ['a bucket without end', { bucket: Infinity }],
    ['no buckets', { keep: 0 }],
    ['half a bucket', { keep: 1.5 }],
    ['fewer than no buckets', { keep: -1 }],
    ['a number of buckets that is none', { keep: Number.NaN }],
    ['more buckets than can be read', { keep: 10_081 }],
    ['more than ten years', { bucket: '30d', keep: 200 }],
    ['more days than the calendar is asked for', { bucket: 'day', keep: 1001 }],
    ['ten years of the calendar', { bucket: 'year', keep: 10 }],
    ['a time zone that is none', { bucket: 'day', timeZone: 'Mars/Olympus' }],
    ['a time zone for buckets that do not ask the calendar', { bucket: '1d', timeZone: 'Europe/Paris' }],
    ['an unknown option', { size: 3 } as never],
    ['a clock that is none', { clock: {} as never }],
    ['no backend', { backend: undefined }],
  ])('refuses %s', (_what, options) => {
    expect(() => setUp(options)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  it('refuses names that are none, and says what it expected', () => {
    const { backend } = setUp();
    const named = (name: unknown) => () => counter(name as string, { backend, bucket: '1m', keep: 1 });
    for (const name of ['', 'x'.repeat(101), 7, undefined]) expect(named(name)).toThrow(/`name` of counter\(\)/);
    expect(() => setUp({ keeps: 3 } as never)).toThrow('counter() has no option `keeps`. Did you mean `keep`?');
    expect(() => setUp({ bucket: 10 })).toThrow(
      'Expected `bucket` of counter() to be a duration of at least 1 s in whole ms, or "hour", "day", "week", "month" or "year", got 10 (number).',
    );
    expect(() => counter('a', undefined as never)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  it('refuses what cannot be added or read, and adds nothing', async () => {
    const { views } = setUp();
    for (const by of [-1, 0.5, Number.NaN, Infinity, '1', null, { of: 'a' }])
      await expect(views.add(by as number)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    for (const last of [0, -1, 6, 1.5, Number.NaN, '2'])
      await expect(views.total({ last: last as number })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(views.add(1, { of: 7 as never })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(views.add(1, { label: 'a' } as never)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(views.series({ since: 1 } as never)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    expect(await views.total()).toBe(0);
  });
});

interface Step {
  /** How long to wait before, in ms. */
  readonly wait: number;
  readonly by: number;
  readonly of: string | undefined;
}

const steps = fc.array(
  fc.record<Step>({
    wait: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3 * minuteMs })),
    by: fc.integer({ min: 0, max: 1000 }),
    of: fc.constantFrom(undefined, 'a', 'ä{}'),
  }),
  { maxLength: 30 },
);

describe.each(everywhere)('counters on %s', (place) => {
  const backends = usePlace(place, ['counters']);
  let names = 0;

  it('agree with a list of all that happened, over two connections', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 8 }), async (history, last) => {
        const clock = fakeClock({ now: midnight });
        const name = `model ${(names += 1)}`;
        const pair = backends().map((backend) => counter(name, { backend, bucket: '1m', keep: 8, clock }));
        const happened: (Step & { readonly minute: number })[] = [];
        for (const [turn, step] of history.entries()) {
          clock.jump(step.wait);
          const minute = Math.floor(clock.now() / minuteMs);
          happened.push({ ...step, minute });
          const sum = await pair[turn % 2]?.add(step.by, { of: step.of });
          expect(sum).toBe(sumOf(happened.filter((other) => other.of === step.of && other.minute === minute)));
        }
        const current = Math.floor(clock.now() / minuteMs);
        for (const of of [undefined, 'a', 'ä{}']) {
          const expected = Array.from({ length: last }, (_, index) => {
            const minute = current - last + 1 + index;
            const count = sumOf(happened.filter((other) => other.of === of && other.minute === minute));
            return { at: minute * minuteMs, count };
          });
          const options = { last, ...(of !== undefined && { of }) };
          expect(await pair[1]?.series(options)).toEqual(expected);
          expect(await pair[0]?.total(options)).toBe(sumOf(expected.map(({ count }) => ({ by: count }))));
        }
      }),
      { numRuns: 15 },
    );
  });

  it('lose nothing when many add at once', async () => {
    const [one, other] = backends();
    const options = { bucket: '1d', keep: 2 } as const;
    const here = counter('at once', { backend: one, ...options });
    const there = counter('at once', { backend: other, ...options });
    await Promise.all(Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? here : there).add()));
    expect(await here.total()).toBe(200);
  });
});

describe('a counter on a Redis', () => {
  it('asks for all buckets in one command, and every key has a lifetime', async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const backend = await connect(`${server.url}?deadline=5s`, { requireWithin: '15s' });
    onTestFinished(() => backend.close());
    const views = counter('views', { backend, bucket: '1m', keep: 400 });
    await views.add(5, { of: 'a' });
    await views.add(6);
    const commands = async (): Promise<number> =>
      Number(/cmdstat_mget:calls=(\d+)/.exec(String(await server.cli('INFO', 'commandstats')))?.[1] ?? 0);
    const before = await commands();
    expect((await views.series({ of: 'a' })).length).toBe(400);
    expect((await commands()) - before).toBe(1);
    const keys = (await server.cli('KEYS', '*')) as string[];
    expect(keys).toHaveLength(2);
    for (const key of keys) {
      const left = Number(await server.cli('PTTL', key));
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThanOrEqual(400 * minuteMs);
    }
  });
});

function sumOf(counted: readonly { readonly by: number }[]): number {
  return counted.reduce((sum, { by }) => sum + by, 0);
}
