/** Shows that limits in memory stay within the bounds, and go when their time is over. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { Plan } from 'hotshelf';
import { memory } from 'hotshelf/memory';
import { fakeClock } from 'hotshelf/testing';

const minute: Plan = { algorithm: 'sliding-window', limit: 100, windowMs: 60_000 };
const keyOf = (index: number) => `limits:api:{user:${index}}:minute`;

/** How many of every hundredth key are still counted. */
async function counted(backend: ReturnType<typeof memory>, count: number): Promise<number> {
  let found = 0;
  for (let index = 0; index < count; index += 100) {
    const { standings } = await backend.limits.look([keyOf(index)], [minute], 1);
    if (standings[0]?.remaining !== minute.limit) found += 1;
  }
  return found;
}

describe('limits in memory', () => {
  it('stay within `maxBytes` with a million keys, and keep what is taken often', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const maxBytes = 32 * 1024 * 1024;
    const backend = memory({ maxBytes, clock: fakeClock() });
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let index = 0; index < 1_000_000; index += 1) {
      const taken = backend.limits.take([keyOf(index)], [minute], 1);
      if (index % 1000 !== 0) continue;
      await taken;
      await backend.limits.take(['busy'], [minute], 1);
    }
    collect();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(maxBytes);
    // As many as fit: nothing is dropped for nothing.
    expect((await counted(backend, 1_000_000)) * 100).toBeGreaterThan(maxBytes / 450);
    expect((await backend.limits.take(['busy'], [minute], 1)).allowed).toBe(false);
  });

  it('go when nothing of them counts any more', async () => {
    const clock = fakeClock();
    const backend = memory({ clock, maxEntries: 1000 });
    for (let index = 0; index < 500; index += 1) await backend.limits.take([keyOf(index)], [minute], 1);
    expect(clock.timers).toBe(1);
    // The sweeper rests once there is nothing left to sweep.
    await clock.advance(120_000);
    expect(clock.timers).toBe(0);
  });

  it('are not stuck when the clock is set back', async () => {
    const clock = fakeClock();
    const backend = memory({ clock });
    const plans: readonly Plan[] = [
      { algorithm: 'sliding-window', limit: 5, windowMs: 1000 },
      { algorithm: 'token-bucket', limit: 5, windowMs: 1000, burst: 5 },
      { algorithm: 'fixed-window', limit: 5, windowMs: 1000 },
    ];
    for (const plan of plans) await backend.limits.take([plan.algorithm], [plan], 5);
    clock.jump(-3_600_000);
    for (const plan of plans) {
      expect((await backend.limits.take([plan.algorithm], [plan], 5)).allowed, plan.algorithm).toBe(false);
    }
    await clock.advance(1100);
    for (const plan of plans)
      expect((await backend.limits.take([plan.algorithm], [plan], 5)).allowed, plan.algorithm).toBe(true);
  });
});
