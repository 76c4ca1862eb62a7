/** Shows how long an attempt to connect is waited for, and how long until the next one. */

import { fakeClock } from 'hotshelf/testing';
import { describe, expect, it } from 'vitest';
import { backoffMs, Patience } from '../../src/support/reconnecting.ts';
import { blockable } from './blockable.ts';

function setUp(mostMs: number) {
  const clock = fakeClock();
  const patience = new Patience(clock, mostMs);
  let heard = 0;
  /** How long an attempt is given that the server is heard of at these instants, in ms from its start. */
  const attempt = async (...heardAt: readonly number[]): Promise<number> => {
    const startedAt = clock.monotonic();
    let gaveUpAfter: number | undefined;
    const timer = patience.watch({
      progress: () => heard,
      giveUp: () => (gaveUpAfter = clock.monotonic() - startedAt),
    });
    for (const at of heardAt) clock.after(at, () => (heard += 1));
    await clock.advance(3 * mostMs);
    timer.cancel();
    return gaveUpAfter ?? Infinity;
  };
  const attempts = async (count: number): Promise<number[]> => {
    const given: number[] = [];
    for (let n = 0; n < count; n += 1) given.push(await attempt());
    return given;
  };
  return { clock, patience, attempt, attempts };
}

describe('the patience with a connection', () => {
  it('is all that is allowed until a connection was made', async () => {
    const { patience, attempts } = setUp(1000);
    expect(patience.isInformed).toBe(false);
    expect(await attempts(4)).toEqual([1000, 1000, 1000, 1000]);
  });

  it('is then short, and now and then twice that', async () => {
    const { patience, attempts } = setUp(1000);
    patience.succeeded(5);
    expect(patience.isInformed).toBe(true);
    expect(await attempts(6)).toEqual([250, 250, 500, 250, 250, 500]);
  });

  it('starts anew with each connection', async () => {
    const { patience, attempts } = setUp(1000);
    patience.succeeded(5);
    await attempts(2);
    patience.succeeded(5);
    expect(await attempts(3)).toEqual([250, 250, 500]);
  });

  it('follows what a connection takes, up to what is allowed', async () => {
    const { patience, attempts } = setUp(1000);
    patience.succeeded(120);
    expect(await attempts(3)).toEqual([360, 360, 720]);
    patience.succeeded(500);
    expect(await attempts(3)).toEqual([1000, 1000, 1000]);
    patience.succeeded(5);
    expect(await attempts(1)).toEqual([250]);
  });

  it('is never more than is allowed', async () => {
    const { patience, attempts } = setUp(200);
    patience.succeeded(5);
    expect(await attempts(3)).toEqual([200, 200, 200]);
  });

  it('lasts while the attempt gets ahead, and no longer than is allowed', async () => {
    const { patience, attempt } = setUp(1000);
    patience.succeeded(5);
    expect(await attempt(90)).toBe(350);
    expect(await attempt(90, 290)).toBe(550);
    patience.succeeded(5);
    expect(await attempt(...Array.from({ length: 30 }, (_, n) => 100 * n))).toBe(1000);
  });

  it('does not run out while this process cannot run', async () => {
    const { clock, advance, block } = blockable();
    const patience = new Patience(clock, 1000);
    patience.succeeded(5);
    const gaveUp: number[] = [];
    patience.watch({ progress: () => 0, giveUp: (ms) => gaveUp.push(ms) });
    await advance(100);
    block(3000);
    await advance(3100);
    expect(gaveUp).toEqual([]);
    await advance(200);
    expect(gaveUp).toEqual([250]);
  });

  it('leaves an attempt alone that is over', async () => {
    const { clock, patience } = setUp(1000);
    let gaveUp = false;
    patience.watch({ progress: () => 0, giveUp: () => (gaveUp = true) }).cancel();
    await clock.advance(5000);
    expect(gaveUp).toBe(false);
    expect(clock.timers).toBe(0);
  });
});

describe('the pause before an attempt', () => {
  it('doubles up to a fifth of a second, whatever the number of attempts', () => {
    const clock = { ...fakeClock(), random: () => 0 };
    expect([1, 2, 3, 4, 5, 100, 10_000].map((attempt) => backoffMs(attempt, clock))).toEqual([
      25, 50, 100, 200, 200, 200, 200,
    ]);
  });

  it('is up to a half shorter at random', () => {
    const clock = { ...fakeClock(), random: () => 0.5 };
    expect(backoffMs(1, clock)).toBe(18.75);
  });
});
