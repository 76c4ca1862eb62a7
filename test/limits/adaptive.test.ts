/** A limit that finds itself: what it becomes when work gets slow, and fast again. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adapt, type AdaptiveRules, type AdaptiveState, limitOf, startAdaptive } from '../../src/limits/adaptive.ts';

/** A server that does `fast` things at once in 20 ms each, and more of them in proportion more slowly. */
function play(rules: AdaptiveRules, fast: number, times: number, from: AdaptiveState = startAdaptive(rules)) {
  let state = from;
  for (let time = 0; time < times; time += 1) {
    const held = limitOf(state);
    state = adapt(state, rules, 20 * Math.max(1, held / fast), held);
  }
  return state;
}

const learned: AdaptiveRules = { min: 1, max: 1000, targetMs: undefined };

describe('an adaptive limit', () => {
  it('comes near what the server does without getting slow, and stays there', () => {
    const rules = { min: 1, max: 1000, targetMs: 60 };
    const state = play(rules, 20, 500);
    // 20 at once take 20 ms, and 60 of them the 60 ms that were asked for.
    expect(limitOf(state)).toBeGreaterThanOrEqual(40);
    expect(limitOf(state)).toBeLessThanOrEqual(72);
  });

  it('learns by itself what is slow', () => {
    let state = startAdaptive(learned);
    for (let time = 0; time < 10; time += 1) state = adapt(state, learned, 20, 5);
    const busy = limitOf(play(learned, 20, 5000, state));
    expect(busy).toBeGreaterThanOrEqual(20);
    expect(busy).toBeLessThanOrEqual(60);
  });

  it('shrinks when the server slows down, and grows when it is fast again', () => {
    const rules = { min: 4, max: 100, targetMs: 40 };
    const slow = play(rules, 5, 300);
    expect(limitOf(slow)).toBeLessThan(20);
    expect(limitOf(play(rules, 200, 300, slow))).toBe(100);
  });

  it('learns that the work itself has become slower', () => {
    let state = startAdaptive(learned);
    for (let time = 0; time < 10; time += 1) state = adapt(state, learned, 20, 5);
    for (let time = 0; time < 1000; time += 1) state = adapt(state, learned, 200, limitOf(state));
    expect(limitOf(state)).toBeGreaterThan(10);
  });

  it('does not grow while hardly any of it is used', () => {
    const rules = { min: 1, max: 100, targetMs: 40 };
    let state: AdaptiveState = { limit: 20, baseMs: 10 };
    for (let time = 0; time < 100; time += 1) state = adapt(state, rules, 10, 3);
    expect(limitOf(state)).toBe(20);
  });

  it('stays between its bounds, and never falls by more than a tenth at once', () => {
    const rules = { min: 3, max: 50, targetMs: undefined };
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.nat(50)), { maxLength: 200 }),
        (answers) => {
          let state = startAdaptive(rules);
          for (const [ms, held] of answers) {
            const next = adapt(state, rules, ms, held);
            expect(next.limit).toBeGreaterThanOrEqual(3);
            expect(next.limit).toBeLessThanOrEqual(50);
            expect(next.limit).toBeGreaterThanOrEqual(state.limit * 0.9 - 1e-9);
            state = next;
          }
        },
      ),
    );
  });
});
