/** Shows that the fake clock keeps the order of time. */

import { describe, expect, it } from 'vitest';
import { fakeClock } from 'hotshelf/testing';

describe('fakeClock', () => {
  it('stands still until it is advanced', async () => {
    const clock = fakeClock({ now: 5000 });
    expect([clock.now(), clock.monotonic()]).toEqual([5000, 0]);
    await clock.advance(250);
    expect([clock.now(), clock.monotonic()]).toEqual([5250, 250]);
  });

  it('fires timers in the order of their times, those of one time in the order they were set', async () => {
    const clock = fakeClock({ now: 0 });
    const fired: string[] = [];
    const note = (name: string) => () => fired.push(`${name}@${clock.now()}`);
    clock.after(30, note('c'));
    clock.after(10, note('a'));
    clock.after(10, note('b'));
    clock.after(31, note('late'));
    clock.after(20, note('cancelled')).cancel();
    await clock.advance(30);
    expect(fired).toEqual(['a@10', 'b@10', 'c@30']);
    expect(clock.timers).toBe(1);
  });

  it('fires a timer that another one sets, within one advance', async () => {
    const clock = fakeClock({ now: 0 });
    const fired: number[] = [];
    const tick = () => {
      fired.push(clock.now());
      // What runs between two timers sees the time of the first.
      void Promise.resolve().then(() => clock.after(10, tick));
    };
    clock.after(10, tick);
    await clock.advance(35);
    expect(fired).toEqual([10, 20, 30]);
  });

  it('runs turns within an advance of 0', async () => {
    const clock = fakeClock();
    let ran = false;
    clock.turn(() => (ran = true));
    await clock.advance(0);
    expect(ran).toBe(true);
  });

  it('moves the wall clock alone when it jumps', async () => {
    const clock = fakeClock({ now: 10_000 });
    let fired = false;
    clock.after(100, () => (fired = true));
    clock.jump(-3000);
    await clock.advance(50);
    expect([clock.now(), clock.monotonic(), fired]).toEqual([7050, 50, false]);
  });

  it('gives the same random numbers for the same seed', () => {
    const numbers = (seed: number) => {
      const clock = fakeClock({ seed });
      return Array.from({ length: 100 }, () => clock.random());
    };
    expect(numbers(3)).toEqual(numbers(3));
    expect(numbers(3)).not.toEqual(numbers(4));
    expect(numbers(3).every((number) => number >= 0 && number < 1)).toBe(true);
  });
});
