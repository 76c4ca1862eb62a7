/** Shows how far the estimate of HyperLogLog is from the truth, and that a union is the union. */

import { describe, expect, it } from 'vitest';
import { HyperLogLog, hashText } from '../../src/support/hyperloglog.ts';

/** A sketch of the members from `first` on. */
function sketchOf(name: (index: number) => string, count: number, first = 0): HyperLogLog {
  const sketch = new HyperLogLog();
  for (let index = first; index < first + count; index += 1) sketch.add(hashText(name(index)));
  return sketch;
}

const families: Record<string, (index: number) => string> = {
  'numbered members': (index) => `user:${index}`,
  'members that begin with their number': (index) => `${index}@example.org`,
  'members like random ones': (index) => (index * 0.618_033_988_749_895).toString(36),
  'bare numbers': (index) => `${index}`,
};

describe('HyperLogLog', () => {
  // The same numbers each time: nothing here is left to chance.
  it.each(Object.entries(families))('is within 2 %% of the number of %s', (_, name) => {
    for (const count of [1, 10, 100, 1000, 3000, 10_000, 40_000, 100_000, 400_000]) {
      const estimate = sketchOf(name, count).count();
      expect(Math.abs(estimate - count) / count, `${estimate} of ${count}`).toBeLessThan(0.02);
    }
  });

  it('counts nobody as nobody, and one who comes again once', () => {
    expect(new HyperLogLog().count()).toBe(0);
    const sketch = new HyperLogLog();
    for (let time = 0; time < 1000; time += 1) sketch.add(hashText('the same'));
    expect(sketch.count()).toBe(1);
  });

  it('counts a union as if all had come to one', () => {
    const name = (index: number) => `user:${index}`;
    const union = sketchOf(name, 60_000);
    union.merge(sketchOf(name, 60_000, 30_000));
    expect(union.count()).toBe(sketchOf(name, 90_000).count());
    union.merge(new HyperLogLog());
    expect(union.count()).toBe(sketchOf(name, 90_000).count());
  });

  it('is a sum of what the hashes say, at both ends of them', () => {
    const ends = new HyperLogLog();
    for (const hash of [0, 2 ** 53 - 1, 2 ** 21 - 1, 2 ** 21, 2 ** 39, 2 ** 39 - 1]) ends.add(hash);
    expect(ends.count()).toBeGreaterThan(0);
    expect(ends.count()).toBeLessThan(7);
  });
});
