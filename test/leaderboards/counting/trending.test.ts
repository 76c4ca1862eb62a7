/** What is trending: against an exact model, under a fake clock, on every backend. */

import * as fc from 'fast-check';
import { connect } from 'hotshelf';
import { type Trending, trending, type TrendingOptions } from 'hotshelf/leaderboards';
import { memory } from 'hotshelf/memory';
import { chaos, fakeClock } from 'hotshelf/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startRedis } from '../../kit/servers.ts';
import { ExactWeights } from './exact-weights.ts';
import { everywhere, usePlace } from './servers.ts';

const hourMs = 3_600_000;

function setUp(options: Partial<TrendingOptions> = {}) {
  const clock = fakeClock();
  const backend = chaos(memory({ clock }), { clock });
  return { clock, backend, cities: trending('cities', { backend, halfLife: '1h', capacity: 100, clock, ...options }) };
}

/** Without the last digits, which decay does not keep. */
const weightsOf = (rows: readonly { readonly member: string; readonly weight: number }[]) =>
  rows.map(({ member, weight }) => [member, Number(weight.toFixed(6))]);

describe('what is trending', () => {
  it('is what was hit most, each hit halved in every half-life', async () => {
    const { cities, clock } = setUp();
    await cities.hit('nice', 8);
    await clock.advance(hourMs);
    await cities.hit('paris', 3);
    expect(weightsOf(await cities.top())).toEqual([
      ['nice', 4],
      ['paris', 3],
    ]);
    await cities.hit('nice');
    await clock.advance(hourMs / 2);
    await cities.hit('paris', 2);
    expect(weightsOf(await cities.top())).toEqual([
      ['paris', Number((3 / Math.SQRT2 + 2).toFixed(6))],
      ['nice', Number((5 / Math.SQRT2).toFixed(6))],
    ]);
    await clock.advance(20 * hourMs);
    expect((await cities.top(1))[0]).toMatchObject({ member: 'paris', rank: 1 });
  });

  it('gives ranks, which members of the same weight share, and as many as are asked for', async () => {
    const { cities } = setUp();
    await Promise.all(['a', 'b', 'c', 'd'].map((member) => cities.hit(member, member === 'd' ? 1 : 2)));
    expect((await cities.top()).map(({ rank }) => rank)).toEqual([1, 1, 1, 4]);
    expect(await cities.top(2)).toHaveLength(2);
    expect(await setUp().cities.top()).toEqual([]);
  });

  it('tells of one member, and forgets it when it is told to', async () => {
    const { cities, clock } = setUp();
    await cities.hit('nice', 4);
    await cities.hit('paris', 6);
    await clock.advance(hourMs);
    const nice = await cities.get('nice');
    expect(nice).toMatchObject({ member: 'nice', rank: 2 });
    expect(nice?.weight).toBeCloseTo(2, 6);
    expect(await cities.get('rome')).toBeNull();
    expect(await cities.remove('nice')).toBe(true);
    expect(await cities.remove('nice')).toBe(false);
    expect(await cities.get('nice')).toBeNull();
  });

  it('sends the hits of one tick together, up to 128 members in a call', async () => {
    const backend = memory();
    const submit = vi.spyOn(backend.rankings, 'submit');
    const submitted = () => submit.mock.calls.map(([, , submissions]) => submissions.length);
    const cities = trending('cities', { backend, halfLife: '3650d' });
    await Promise.all(Array.from({ length: 300 }, (_, index) => cities.hit(`city ${index % 150}`)));
    expect(submitted()).toEqual([128, 22]);
    expect((await cities.top(1000)).map(({ weight }) => Math.round(weight))).toEqual(
      Array.from({ length: 150 }, () => 2),
    );
    await cities.hit('city 1');
    expect(submitted()).toEqual([128, 22, 1]);
  });

  it('rejects hits that are waited for while the backend fails, and nothing else happens', async () => {
    const { cities, backend } = setUp();
    backend.chaos.set({ throws: 1 });
    // A rejection that nobody handles would be an error of this run.
    void cities.hit('nice');
    const hits = await Promise.allSettled([cities.hit('nice'), cities.hit('paris')]);
    expect(hits.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(cities.top()).rejects.toMatchObject({ code: 'BACKEND_DOWN' });
    backend.chaos.calm();
    await cities.hit('paris');
    expect((await cities.top()).map(({ member }) => member)).toEqual(['paris']);
  });

  it('goes when nobody hit anything for fifty half-lives', async () => {
    const { cities, clock } = setUp();
    await cities.hit('nice');
    await clock.advance(50 * hourMs - 1);
    expect(await cities.top()).toHaveLength(1);
    await clock.advance(1);
    expect(await cities.top()).toEqual([]);
  });

  it('is one for all that have the same name, half-life and capacity, and apart for others', async () => {
    const { cities, backend, clock } = setUp();
    const other = (name: string, options: Partial<TrendingOptions> = {}) =>
      trending(name, { backend, halfLife: 60 * 60_000, capacity: 100, clock, ...options });
    await cities.hit('nice');
    await other('cities').hit('nice');
    await other('Cities').hit('nice', 10);
    await other('cities', { halfLife: '2h' }).hit('nice', 20);
    await other('cities', { capacity: 99 }).hit('nice', 30);
    expect((await cities.get('nice'))?.weight).toBeCloseTo(2, 6);
    expect((await other('cities', { halfLife: '2h' }).get('nice'))?.weight).toBeCloseTo(20, 6);
  });

  it.each<[string, Partial<TrendingOptions>]>([
    ['no half-life', { halfLife: undefined }],
    ['a half-life of less than a second', { halfLife: 999 }],
    ['a half-life of 0', { halfLife: 0 }],
    ['a negative half-life', { halfLife: -1 }],
    ['a half-life that is none', { halfLife: Number.NaN }],
    ['a half-life without end', { halfLife: Infinity }],
    ['no capacity', { capacity: 0 }],
    ['half a capacity', { capacity: 0.5 }],
    ['a capacity without end', { capacity: Infinity }],
    ['a capacity that is none', { capacity: Number.NaN }],
    ['an unknown option', { half: '1h' } as never],
    ['a clock that is none', { clock: {} as never }],
    ['no backend', { backend: undefined }],
  ])('refuses %s', (_what, options) => {
    expect(() => setUp(options)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  it('refuses what cannot be hit or asked, and what goes with it is not harmed', async () => {
    const { cities } = setUp();
    const good = cities.hit('nice');
    for (const weight of [0, -1, Number.NaN, Infinity, 2 ** 60, '1', null])
      await expect(cities.hit('nice', weight as number)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    for (const member of ['', 'x'.repeat(257), 'ä'.repeat(129), '\ud800', 7, undefined])
      await expect(cities.hit(member as string)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    for (const count of [0, -1, 1.5, 1001, Number.NaN])
      await expect(cities.top(count)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await good;
    expect((await cities.get('nice'))?.weight).toBeCloseTo(1, 6);
    for (const name of ['', 'x'.repeat(101)])
      expect(() => trending(name, { backend: memory(), halfLife: '1h' })).toThrow(/`name` of trending\(\)/);
  });
});

interface Step {
  readonly member: number;
  readonly weight: number;
  /** In thousandths of a half-life. */
  readonly wait: number;
}

/** Few members that come often and many that come once, as it is with pages. */
const members = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 60 }));
const histories = fc.array(
  fc.record<Step>({
    member: members,
    weight: fc.oneof(fc.constant(1), fc.double({ min: 0.001, max: 1000, noNaN: true })),
    wait: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 500 })),
  }),
  { minLength: 1, maxLength: 120 },
);

/** Decay keeps ten digits or more. */
const slack = 1e-6;

/** What space-saving promises, at a time when `exact` and `rows` were read. */
function expectPromises(rows: Awaited<ReturnType<Trending['top']>>, exact: ExactWeights, capacity: number, at: number) {
  const bound = exact.total(at) / capacity;
  expect(rows.length).toBeLessThanOrEqual(capacity);
  const weights = new Map(rows.map(({ member, weight }) => [member, weight]));
  for (const member of exact.members()) {
    const weight = exact.of(member, at);
    if (weight > bound * (1 + slack)) expect(weights.has(member), `${member} weighs ${weight} of ${bound}`).toBe(true);
  }
  for (const [member, weight] of weights) {
    const own = exact.of(member, at);
    expect(weight).toBeGreaterThanOrEqual(own * (1 - slack));
    expect(weight).toBeLessThanOrEqual((own + bound) * (1 + slack));
  }
}

describe('a trend of few among many', () => {
  it('has all that weigh more than a capacity-th, and overestimates none by more (random)', async () => {
    await fc.assert(
      fc.asyncProperty(histories, fc.integer({ min: 1, max: 12 }), async (history, capacity) => {
        const clock = fakeClock();
        const backend = memory({ clock });
        const cities = trending('cities', { backend, halfLife: '1h', capacity, clock });
        const exact = new ExactWeights(hourMs);
        for (const { member, weight, wait } of history) {
          if (wait > 0) clock.jump((wait * hourMs) / 1000);
          exact.hit(`city ${member}`, weight, clock.now());
          await cities.hit(`city ${member}`, weight);
        }
        expectPromises(await cities.top(1000), exact, capacity, clock.now());
      }),
      { numRuns: 200 },
    );
  });

  it('keeps these promises for hits that go together (random)', async () => {
    await fc.assert(
      fc.asyncProperty(histories, fc.integer({ min: 1, max: 12 }), async (history, capacity) => {
        const clock = fakeClock();
        const cities = trending('cities', { backend: memory({ clock }), halfLife: '1h', capacity, clock });
        const exact = new ExactWeights(hourMs);
        for (const { member, weight } of history) exact.hit(`city ${member}`, weight, clock.now());
        await Promise.all(history.map(({ member, weight }) => cities.hit(`city ${member}`, weight)));
        expectPromises(await cities.top(1000), exact, capacity, clock.now());
      }),
      { numRuns: 100 },
    );
  });

  it('would be caught with a board that drops newcomers instead (control)', () => {
    const exact = new ExactWeights(hourMs);
    for (const member of ['a', 'b', 'c', 'c', 'c']) exact.hit(member, 1, 0);
    const rows = ['a', 'b'].map((member) => ({ member, weight: 1, rank: 1 }));
    expect(() => expectPromises(rows, exact, 2, 0)).toThrow(/c weighs 3/);
    const heavy = [
      { member: 'c', weight: 7, rank: 1 },
      { member: 'a', weight: 1, rank: 2 },
    ];
    expect(() => expectPromises(heavy, exact, 2, 0)).toThrow(/expected 7 to be less than or equal to 5.5/);
  });
});

describe.each(everywhere)('trends on %s', (place) => {
  const backends = usePlace(place, ['rankings']);
  let names = 0;

  it('keep their promises over two connections', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(histories, fc.integer({ min: 1, max: 12 }), async (history, capacity) => {
        // So long that what passes during the test is less than the slack.
        const halfLife = '3650d';
        const name = `model ${(names += 1)}`;
        const [here, there] = backends().map((backend) => trending(name, { backend, halfLife, capacity }));
        const exact = new ExactWeights(3650 * 24 * hourMs);
        for (const [turn, { member, weight }] of history.entries()) {
          exact.hit(`city ${member}`, weight, 0);
          await (turn % 2 === 0 ? here : there)?.hit(`city ${member}`, weight);
        }
        expectPromises((await here?.top(1000)) ?? [], exact, capacity, 0);
      }),
      { numRuns: 40 },
    );
  });

  it('count every hit once when many come at once', async () => {
    const [here, there] = backends().map((backend) => trending('at once', { backend, halfLife: '3650d' }));
    await Promise.all(
      Array.from({ length: 400 }, async (_, index) => {
        // Some in one tick, some in others.
        for (let turn = 0; turn < index % 5; turn += 1) await Promise.resolve();
        await (index % 2 === 0 ? here : there)?.hit(`city ${index % 20}`);
      }),
    );
    const rows = (await there?.top(100)) ?? [];
    expect(rows).toHaveLength(20);
    for (const { weight } of rows) expect(weight).toBeCloseTo(20, 3);
  });
});

describe('a trend on a Redis', () => {
  it('is one key of bounded size with a lifetime, and one command for the hits of a tick', async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const backend = await connect(`${server.url}?deadline=5s`, { requireWithin: '15s' });
    onTestFinished(() => backend.close());
    const cities = trending('cities', { backend, halfLife: '1h', capacity: 50 });
    await cities.hit('first');
    const scripts = async (): Promise<number> => {
      const stats = String(await server.cli('INFO', 'commandstats'));
      return Array.from(stats.matchAll(/cmdstat_(?:evalsha|eval):calls=(\d+)/g), ([, calls]) => Number(calls)).reduce(
        (sum, calls) => sum + calls,
        0,
      );
    };
    const before = await scripts();
    await Promise.all(Array.from({ length: 100 }, (_, index) => cities.hit(`city ${index}`)));
    expect((await scripts()) - before).toBe(1);
    expect(await cities.top(1000)).toHaveLength(50);
    const keys = (await server.cli('KEYS', '*')) as string[];
    expect(keys).toHaveLength(1);
    expect(Number(await server.cli('PTTL', keys[0] ?? ''))).toBeGreaterThan(0);
  });
});
