/** Shows that loads around the backend are shared only when that is safe, and do not storm the origin. */

import { describe, expect, it } from 'vitest';
import { fakeClock } from 'hotshelf/testing';
import { DirectLoads } from '../../src/cache/load/direct.ts';
import { gate } from './forms.ts';

function setUp() {
  const clock = fakeClock();
  const direct = new DirectLoads(clock);
  const loads: ReturnType<typeof gate<string>>[] = [];
  const load = () => {
    const next = gate<string>();
    loads.push(next);
    return next.passed;
  };
  return { clock, loads, run: (key = 'k') => direct.run(key, Infinity, load) };
}

describe('direct loads', () => {
  it('share one load among callers of one tick', async () => {
    const { clock, loads, run } = setUp();
    const calls = [run(), run(), run()];
    await clock.advance(0);
    expect(loads).toHaveLength(1);
    expect(calls.map(({ own }) => own)).toEqual([true, false, false]);
    loads[0]?.open('v');
    expect(await Promise.all(calls.map(({ value }) => value))).toEqual(['v', 'v', 'v']);
  });

  it('let a later caller wait for the next load, never join the running one', async () => {
    const { clock, loads, run } = setUp();
    const early = run();
    await clock.advance(0);
    const late = [run(), run()];
    await clock.advance(10);
    expect(loads).toHaveLength(1);
    loads[0]?.open('old');
    expect(await early.value).toBe('old');
    await clock.advance(0);
    expect(loads).toHaveLength(2);
    loads[1]?.open('new');
    expect(await Promise.all(late.map(({ value }) => value))).toEqual(['new', 'new']);
  });

  it('wait at most 50 ms for a slow load, so that few run at the same time', async () => {
    const { clock, loads, run } = setUp();
    const values: Promise<string>[] = [];
    for (let ms = 0; ms < 500; ms += 5) {
      values.push(run().value);
      await clock.advance(5);
    }
    await clock.advance(100);
    expect(loads.length).toBeGreaterThan(8);
    expect(loads.length).toBeLessThan(13);
    for (const load of loads) load.open('v');
    expect(new Set(await Promise.all(values))).toEqual(new Set(['v']));
  });

  it('give everybody who shares a load its error, and go on', async () => {
    const { clock, loads, run } = setUp();
    const outcomes = Promise.allSettled([run().value, run().value]);
    await clock.advance(0);
    const next = run();
    const error = new Error('origin');
    loads[0]?.fail(error);
    expect(await outcomes).toEqual([
      { status: 'rejected', reason: error },
      { status: 'rejected', reason: error },
    ]);
    await clock.advance(0);
    loads[1]?.open('fine');
    expect(await next.value).toBe('fine');
  });

  it('keep keys apart, and leave no timer', async () => {
    const { clock, loads, run } = setUp();
    const calls = [run('a'), run('b')];
    await clock.advance(0);
    const next = run('a');
    await clock.advance(0);
    expect(loads).toHaveLength(2);
    for (const load of loads) load.open('v');
    await clock.advance(0);
    loads[2]?.open('v');
    await Promise.all([...calls, next].map(({ value }) => value));
    expect(clock.timers).toBe(0);
  });
});
