/** Shows that a burst of readers shares a time, and that no turn of the event loop gets that of another. */

import { fakeClock } from 'hotshelf/testing';
import { expect, it } from 'vitest';
import { BurstClock } from '../../src/support/burst-clock.ts';
import type { Clock } from '../../src/support/clock.ts';

/** A clock whose time is `ms`, and a count of how often it was asked. */
function counted() {
  const state = { ms: 0, asked: 0 };
  const clock: Clock = {
    ...fakeClock(),
    monotonic() {
      state.asked += 1;
      return state.ms;
    },
  };
  return { state, burst: new BurstClock(clock) };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

function read(burst: BurstClock, times: number): void {
  for (let n = 0; n < times; n += 1) burst.monotonic();
}

it('asks for each of a few readers', () => {
  const { state, burst } = counted();
  for (let ms = 0; ms < 8; ms += 1) {
    state.ms = ms / 1000;
    expect(burst.monotonic()).toBe(ms / 1000);
  }
  expect(state.asked).toBe(8);
});

it('asks for each of many readers that do not follow each other closely', () => {
  const { state, burst } = counted();
  for (let ms = 0; ms < 1000; ms += 1) {
    state.ms = ms;
    expect(burst.monotonic()).toBe(ms);
  }
  expect(state.asked).toBe(1000);
});

it('asks for one of many readers in a burst', () => {
  const { state, burst } = counted();
  read(burst, 17_000);
  expect(state.asked).toBeLessThan(1100);
});

it('gives an old time to sixteen readers of a burst at most', () => {
  const { state, burst } = counted();
  read(burst, 100);
  state.ms = 5000;
  read(burst, 16);
  expect(burst.monotonic()).toBe(5000);
});

it('gives no reader of the next turn a time of this one', async () => {
  const { state, burst } = counted();
  // Wherever in a burst the turn ends.
  for (let reads = 9; reads < 60; reads += 1) {
    read(burst, reads);
    state.ms += 60_000;
    await nextTurn();
    expect(burst.monotonic()).toBe(state.ms);
  }
});

it('gives no callback the time of a burst in the one before it, though both run in one phase of the loop', async () => {
  const { state, burst } = counted();
  const seen = await new Promise<number>((resolve) => {
    setImmediate(() => {
      read(burst, 12);
      // A pause of the process that begins amid the burst.
      state.ms = 60_000;
    });
    setImmediate(() => resolve(burst.monotonic()));
  });
  expect(seen).toBe(60_000);
});
