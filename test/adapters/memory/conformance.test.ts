/** Runs the conformance suites against the memory adapter, in fake and in real time. */

import { describe, expect, it } from 'vitest';
import { memory } from 'hotshelf/memory';
import {
  busSuite,
  countersSuite,
  fakeClock,
  limitsSuite,
  rankingsSuite,
  uniquesSuite,
  valuesSuite,
  type ConformanceCase,
} from 'hotshelf/testing';

const clock = fakeClock();
const times = {
  'in fake time': { advance: (ms: number) => clock.advance(ms), options: { clock } },
  'in real time': { options: {} },
};

for (const [when, { options, ...time }] of Object.entries(times)) {
  const create = async () => {
    const backend = memory(options);
    return { backend, close: () => backend.close() };
  };
  describe(`values in memory, ${when}`, () => {
    check(valuesSuite({ create, ...time }));
  });
  describe(`counters in memory, ${when}`, () => {
    check(countersSuite({ create, ...time }));
  });
  describe(`limits in memory, ${when}`, () => {
    check(limitsSuite({ create, ...time }));
  });
  describe(`rankings in memory, ${when}`, () => {
    const createSmall = async () => {
      const backend = memory({ ...options, maxRankedMembers: 150 });
      return { backend, close: () => backend.close() };
    };
    check(rankingsSuite({ create, createSmall, ...time }));
  });
  describe(`uniques in memory, ${when}`, () => {
    check(uniquesSuite({ create, ...time }));
  });
  describe(`the bus in memory, ${when}`, () => {
    check(busSuite({ create, ...time }));
  });
}

function check(cases: readonly ConformanceCase[]): void {
  it.each(cases)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
}
