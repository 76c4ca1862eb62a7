/** Shows what a limiter decides, with its store and without. */

import { afterEach, describe, expect, it } from 'vitest';
import { LimitExceededError, limiter, type LimiterEvent, type LimiterOptions, type LimitPlan } from 'hotshelf/limits';
import { memory } from 'hotshelf/memory';
import { chaos, fakeClock } from 'hotshelf/testing';

const burst: LimitPlan = { name: 'burst', limit: 3, window: '1s' };
const day: LimitPlan = { name: 'day', limit: 5, window: '1d' };

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A limiter over a memory that can fail, in fake time. */
function setUp(options: Partial<LimiterOptions> = {}) {
  const clock = fakeClock();
  const backend = chaos(memory({ clock }), { clock });
  const make = (more: Partial<LimiterOptions> = {}) => {
    const made = limiter({ backend, name: 'api', plans: [burst, day], clock, ...options, ...more });
    closers.push(() => made.close());
    return made;
  };
  const api = make();
  const take = async (count: number, key = 'k', one = api) => {
    const verdicts = [];
    for (let at = 0; at < count; at += 1) verdicts.push(await one.take(key));
    return verdicts.filter(({ allowed }) => allowed).length;
  };
  return { clock, backend, api, make, take };
}

describe('a limiter', () => {
  it('says who decides, what is left and when to come again', async () => {
    const { api } = setUp();
    expect(await api.take('k')).toMatchObject({
      allowed: true,
      policy: 'burst',
      limit: 3,
      remaining: 2,
      retryAfterMs: 0,
      degraded: false,
      plans: [
        { name: 'burst', limit: 3, windowMs: 1000, remaining: 2 },
        { name: 'day', limit: 5, windowMs: 86_400_000, remaining: 4 },
      ],
    });
    await api.take('k', { cost: 2 });
    const refused = await api.take('k');
    expect(refused).toMatchObject({ allowed: false, policy: 'burst', remaining: 0, degraded: false });
    expect(refused.retryAfterMs).toBeGreaterThan(900);
    expect(refused.retryAfterMs).toBeLessThanOrEqual(1100);
    expect(refused.plans.map(({ remaining }) => remaining)).toEqual([0, 2]);
  });

  it('names the plan that refuses, and the longest wait of all', async () => {
    const { api, take, clock } = setUp();
    expect(await take(3)).toBe(3);
    await clock.advance(1100);
    expect(await take(3)).toBe(2);
    const refused = await api.take('k', { cost: 2 });
    expect(refused.policy).toBe('burst');
    expect(refused.retryAfterMs).toBeGreaterThan(80_000_000);
    expect((await api.take('k')).policy).toBe('day');
  });

  it('never passes what can never pass, and says so', async () => {
    const { api } = setUp();
    expect(await api.take('k', { cost: 4 })).toMatchObject({ allowed: false, retryAfterMs: Infinity, remaining: 3 });
  });

  it('takes other plans for a call, which count apart where their windows differ', async () => {
    const { api, take } = setUp();
    const plans = [{ ...burst, limit: 10 }, day];
    expect(await take(4)).toBe(3);
    expect(await api.take('k', { plans })).toMatchObject({ allowed: true, limit: 5, remaining: 1 });
    expect(await api.take('k', { plans: [{ ...burst, window: '2s' }] })).toMatchObject({ allowed: true, remaining: 2 });
  });

  it('checks without taking, refunds, penalizes and resets', async () => {
    const { api } = setUp();
    expect(await api.check('k', { cost: 3 })).toMatchObject({ allowed: true, remaining: 3 });
    await api.take('k', { cost: 3 });
    expect(await api.check('k')).toMatchObject({ allowed: false, remaining: 0 });
    await api.refund('k', { cost: 2 });
    expect(await api.check('k')).toMatchObject({ allowed: true, remaining: 2 });
    expect(await api.penalize('k', { cost: 100 })).toMatchObject({ allowed: true, remaining: 0 });
    expect((await api.check('k')).plans.map(({ remaining }) => remaining)).toEqual([0, 0]);
    await api.reset('k');
    expect((await api.check('k')).plans.map(({ remaining }) => remaining)).toEqual([3, 5]);
  });

  it('blocks a key under all plans, for so long and until a reset', async () => {
    const { api, clock } = setUp();
    await api.block('k', '10s');
    expect(await api.take('k')).toMatchObject({ allowed: false, remaining: 0, retryAfterMs: 10_000 });
    expect(await api.take('k', { plans: [{ ...burst, limit: 99 }] })).toMatchObject({ allowed: false });
    expect(await api.take('other')).toMatchObject({ allowed: true });
    await clock.advance(10_000);
    // Nothing was charged meanwhile.
    expect(await api.take('k')).toMatchObject({ allowed: true, remaining: 2 });
    await api.block('k', '10s');
    await api.reset('k');
    expect(await api.take('k')).toMatchObject({ allowed: true, remaining: 2 });
  });

  it('keeps keys and limiters apart, however they are written', async () => {
    const { make } = setUp({ plans: [{ name: 'once', limit: 1, window: '1d' }] });
    const keys = ['a', 'A', 'a:b', ['a', 'b'], ['a:b'], ['a'], ['a', ''], '', '%61', 'a}', '{a}', 'ä', '\ud800', ' '];
    keys.push('x'.repeat(300), 'x'.repeat(301), ['x'.repeat(300)]);
    for (const name of ['api', 'api:', 'API', 'ä', 'n'.repeat(100)]) {
      const one = make({ name });
      for (const key of keys) {
        expect((await one.take(key)).allowed, `${name} ${JSON.stringify(key)}`).toBe(true);
        expect((await one.take(key)).allowed).toBe(false);
      }
    }
  });

  it.each<[string, Partial<LimiterOptions>]>([
    ['no plans', { plans: [] }],
    ['two plans of one name', { plans: [burst, { ...day, name: 'burst' }] }],
    ['a name that no field can carry', { plans: [{ ...burst, name: 'tag-ü' }] }],
    ['a name with a line break', { plans: [{ ...burst, name: 'a\r\nb' }] }],
    ['an empty name', { plans: [{ ...burst, name: '' }] }],
    ['a limit of 0', { plans: [{ ...burst, limit: 0 }] }],
    ['half a limit', { plans: [{ ...burst, limit: 1.5 }] }],
    ['no number', { plans: [{ ...burst, limit: Number.NaN }] }],
    ['a negative window', { plans: [{ ...burst, window: -1 }] }],
    ['a window of more than 366 days', { plans: [{ ...burst, window: '367d' }] }],
    ['a window of half a ms', { plans: [{ ...burst, window: 10.5 }] }],
    ['a burst without a bucket', { plans: [{ ...burst, burst: 3 }] }],
    ['an unknown option', { plan: [burst] } as never],
    ['an unknown part of a plan', { plans: [{ ...burst, max: 3 } as never] }],
    ['no instances', { instances: 0 }],
    ['a failure behaviour that does not exist', { degrade: 'shut' as never }],
    ['no deadline', { deadline: 0 }],
  ])('refuses %s', (_what, options) => {
    expect(() => setUp(options)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  it('says which plan is wrong, in the words that were given', () => {
    const of = (wrong: object) => () => setUp({ plans: [day, { ...burst, ...wrong }] });
    expect(of({ window: '367d' })).toThrow(/plan "burst".*`window`.*at most 366 days, got "367d"/);
    expect(of({ window: 9 })).toThrow(/plan "burst".*`window`.*at least 10 ms.*got 9/);
    expect(of({ limit: -1 })).toThrow(/plan "burst".*`limit`.*got -1/);
    expect(of({ algorithm: 'leaky' })).toThrow(/plan "burst".*`algorithm`.*got "leaky"/);
  });

  it('blocks nobody for longer than a store can keep that', async () => {
    const { api } = setUp();
    await expect(api.block('k', '400d')).rejects.toThrow(/`duration`.*at most 366 days, got "400d"/);
    expect((await api.take('k')).allowed).toBe(true);
  });

  it('refuses bad costs, keys and plans before anything is charged', async () => {
    const { api } = setUp();
    for (const cost of [-1, 0.5, Number.NaN, Infinity])
      await expect(api.take('k', { cost })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(api.take(7 as never)).rejects.toMatchObject({ code: 'KEY_INVALID' });
    await expect(api.take([])).rejects.toMatchObject({ code: 'KEY_INVALID' });
    await expect(api.take(['a', undefined] as never)).rejects.toMatchObject({ code: 'KEY_INVALID' });
    await expect(api.take('k', { plans: [] })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(api.take('k', { costs: 2 } as object)).rejects.toThrow('Did you mean `cost`?');
    await expect(api.take('k', null as never)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    expect((await api.check('k')).remaining).toBe(3);
  });
});

describe('a limiter that waits', () => {
  it('takes as soon as there is room, in the order of the calls', async () => {
    const { api, clock } = setUp({ plans: [{ ...burst, limit: 1 }] });
    const done: number[] = [];
    const waits = [1, 2, 3].map(async (at) => {
      const { allowed } = await api.wait('k');
      if (allowed) done.push(at);
    });
    await clock.advance(500);
    expect(done).toEqual([1]);
    await clock.advance(700);
    expect(done).toEqual([1, 2]);
    await clock.advance(1200);
    expect(done).toEqual([1, 2, 3]);
    await Promise.all(waits);
    expect(clock.timers).toBeLessThanOrEqual(1);
  });

  it('refuses at once what would take too long, and in time what stands behind others', async () => {
    const { api, clock } = setUp({ plans: [{ ...burst, limit: 1 }] });
    await api.take('k');
    expect(await api.wait('k', { within: 500 })).toMatchObject({ allowed: false });
    const first = api.wait('k');
    const second = api.wait('k', { within: 300 });
    await clock.advance(300);
    expect(await second).toMatchObject({ allowed: false });
    await clock.advance(1000);
    expect(await first).toMatchObject({ allowed: true });
  });

  it('ends with the signal, and lets the next one go on', async () => {
    const { api, clock } = setUp({ plans: [{ ...burst, limit: 1 }] });
    await api.take('k');
    const own = new AbortController();
    const first = api.wait('k', { signal: own.signal });
    const second = api.wait('k');
    await clock.advance(100);
    own.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    await clock.advance(1100);
    expect(await second).toMatchObject({ allowed: true });
  });

  it('wraps functions, and rejects instead of running them', async () => {
    const { api } = setUp();
    const ran: string[] = [];
    const send = api.wrap(
      async (to: string) => {
        ran.push(to);
        return `to ${to}`;
      },
      { key: (to) => ['mail', to], cost: 2 },
    );
    expect(await send('a')).toBe('to a');
    await expect(send('a')).rejects.toBeInstanceOf(LimitExceededError);
    expect(await send('b')).toBe('to b');
    expect(ran).toEqual(['a', 'b']);
  });
});

describe('a limiter without its store', () => {
  it('counts in this process and says so, beginning with what it was granted', async () => {
    const { api, backend, take } = setUp();
    expect(await take(2)).toBe(2);
    backend.chaos.set({ throws: 1 });
    expect(await api.take('k')).toMatchObject({ allowed: true, degraded: 'local', remaining: 0 });
    expect(await api.take('k')).toMatchObject({ allowed: false, degraded: 'local' });
    expect(await api.check('k')).toMatchObject({ allowed: false, degraded: 'local' });
  });

  it('lets each of several processes have its part', async () => {
    const { backend, take, make } = setUp({ plans: [{ ...burst, limit: 10 }], instances: 4 });
    backend.chaos.set({ throws: 1 });
    expect(await take(10)).toBe(2);
    expect(await take(10, 'k', make())).toBe(2);
  });

  it('tells the store what it let through when that is back, once', async () => {
    const { api, backend, take, make } = setUp();
    backend.chaos.set({ throws: 1 });
    expect(await take(2)).toBe(2);
    backend.chaos.calm();
    // The first answer tells that it is back.
    await api.check('other');
    expect((await make().check('k')).plans.map(({ remaining }) => remaining)).toEqual([1, 3]);
    await api.check('other');
    expect((await make().check('k')).remaining).toBe(1);
  });

  it('grants no more than the limit in a window when the store is back without its counts', async () => {
    const { api, clock, backend, take } = setUp({ plans: [burst] });
    expect(await take(2)).toBe(2);
    backend.chaos.set({ throws: 1 });
    expect(await take(1, 'other')).toBe(1);
    backend.chaos.calm();
    await backend.limits.reset(
      ['limits:api:{=k}:burst:s1000'],
      [{ algorithm: 'sliding-window', limit: 3, windowMs: 1000 }],
    );
    expect(await take(5)).toBe(1);
    expect(await api.take('k')).toMatchObject({ allowed: false, degraded: 'local' });
    await clock.advance(1200);
    expect(await take(5)).toBe(3);
    expect(await api.take('k')).toMatchObject({ allowed: false, degraded: false });
  });

  it('does not charge again what may have been charged', async () => {
    const { api, backend, make } = setUp();
    backend.chaos.set({ drops: 1 });
    for (let taken = 0; taken < 3; taken += 1) expect((await api.take('k')).degraded).toBe('local');
    backend.chaos.calm();
    const [before] = (await make().check('k')).plans;
    await api.check('other');
    const [after] = (await make().check('k')).plans;
    expect(after).toEqual(before);
  });

  it('decides within its deadline, and at once from then on', async () => {
    const { api, backend, clock } = setUp();
    const events: LimiterEvent['type'][] = [];
    api.watch(({ type }) => events.push(type));
    await api.take('k');
    backend.chaos.set({ hangs: 1 });
    const first = api.take('k');
    const second = api.take('k');
    await clock.advance(100);
    expect(await first).toMatchObject({ allowed: true, degraded: 'local' });
    expect(await second).toMatchObject({ allowed: true, degraded: 'local' });
    // Not sent: nothing hangs that was not hanging before.
    expect(await api.take('k')).toMatchObject({ allowed: false, degraded: 'local' });
    expect(backend.chaos.counts.hangs).toBe(2);
    backend.chaos.calm();
    await clock.advance(500);
    expect(await api.take('other')).toMatchObject({ degraded: false });
    expect(events).toEqual(['degraded', 'restored']);
    backend.chaos.release();
  });

  it('refuses everything or nothing where it is told to', async () => {
    const { backend, make } = setUp();
    const [closed, open] = [make({ degrade: 'closed' }), make({ degrade: 'open' })];
    backend.chaos.set({ throws: 1 });
    expect(await closed.take('k')).toMatchObject({
      allowed: false,
      degraded: 'closed',
      remaining: 0,
      retryAfterMs: 1000,
    });
    for (let taken = 0; taken < 10; taken += 1)
      expect(await open.take('k')).toMatchObject({ allowed: true, degraded: 'open', retryAfterMs: 0 });
  });

  it('knows what it blocked itself, and tells that a block may be unknown elsewhere', async () => {
    const { api, backend } = setUp();
    backend.chaos.set({ throws: 1 });
    await expect(api.block('k', '1m')).rejects.toMatchObject({ code: 'BACKEND_DOWN' });
    expect(await api.take('k')).toMatchObject({ allowed: false, degraded: 'local', retryAfterMs: 60_000 });
    await expect(api.reset('k')).rejects.toMatchObject({ code: 'BACKEND_DOWN' });
  });

  it('goes on when its backend was closed', async () => {
    const { api, backend } = setUp();
    await backend.close();
    expect(await api.take('k')).toMatchObject({ allowed: true, degraded: 'local' });
  });
});
