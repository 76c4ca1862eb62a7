/** Shows what is known of exhausted keys without asking the store, and that it does not grow. */

import { describe, expect, it } from 'vitest';
import type { Plan } from 'hotshelf';
import { fakeClock } from 'hotshelf/testing';
import { Blocks } from '../../../src/backend/limits/blocks.ts';

const plan: Plan = { algorithm: 'token-bucket', limit: 10, windowMs: 1000, burst: 4 };
const now = 1_700_000_000_000;

/** A bucket that was empty when the store was asked. */
function setUp() {
  const clock = fakeClock();
  const blocks = new Blocks(clock);
  const note = (key = 'k') => blocks.note([key], [plan], [[now, 4000]], now, clock.monotonic());
  const refuses = (cost = 1, key = 'k') => blocks.find([key], [plan], cost)?.allowed === false;
  return { clock, blocks, note, refuses };
}

describe('what is exhausted', () => {
  it('is refused until there may be room, for each cost by itself', async () => {
    const { clock, note, refuses } = setUp();
    note();
    expect([refuses(1), refuses(2), refuses(4)]).toEqual([true, true, true]);
    await clock.advance(98);
    expect([refuses(1), refuses(2)]).toEqual([true, true]);
    await clock.advance(1);
    // The store counts whole ms and may be up to one ahead.
    expect(refuses(2)).toBe(true);
    expect(refuses(1)).toBe(false);
  });

  it('is answered as the store would answer now', async () => {
    const { clock, blocks, note } = setUp();
    note();
    await clock.advance(49.5);
    expect(blocks.find(['k'], [plan], 1)).toEqual({
      allowed: false,
      shutMs: 0,
      standings: [{ remaining: 0, resetMs: 350, retryAfterMs: 50 }],
    });
  });

  it('is asked for again after a second', async () => {
    const clock = fakeClock();
    const blocks = new Blocks(clock);
    const hour: Plan = { algorithm: 'fixed-window', limit: 1, windowMs: 3_600_000 };
    blocks.note(['k'], [hour], [[Math.floor(now / 3_600_000), 1]], now, clock.monotonic());
    await clock.advance(999);
    expect(blocks.find(['k'], [hour], 1)?.allowed).toBe(false);
    await clock.advance(1);
    expect(blocks.find(['k'], [hour], 1)).toBeUndefined();
  });

  it('is known under the same keys and plans only, and not to takes of nothing', () => {
    const { blocks, note, refuses } = setUp();
    note();
    expect(refuses(0)).toBe(false);
    expect(refuses(Number.NaN)).toBe(false);
    expect(refuses(1, 'other')).toBe(false);
    expect(blocks.find(['k'], [{ ...plan, limit: 11 }], 1)).toBeUndefined();
    expect(blocks.find(['k', 'l'], [plan, plan], 1)).toBeUndefined();
    expect(blocks.find(['k'], [{ ...plan }], 1)?.allowed).toBe(false);
  });

  it('is forgotten when something is given back', () => {
    const { blocks, note, refuses } = setUp();
    note();
    blocks.forget(['k']);
    expect(refuses()).toBe(false);
  });

  it('is forgotten, the oldest first, when it is too much', () => {
    const { note, refuses } = setUp();
    for (let key = 0; key < 100_000; key += 1) note(`k${key}`);
    const known = Array.from({ length: 100_000 }, (_, key) => refuses(1, `k${key}`));
    expect(known.filter(Boolean).length).toBeLessThanOrEqual(20_000);
    expect(known.slice(-10_000).every(Boolean)).toBe(true);
  });
});
