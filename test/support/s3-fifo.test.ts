/** Holds the S3-FIFO queues against a model: bounds, bookkeeping, and who is evicted. */

import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FifoMap, FifoNode, S3Fifo } from '../../src/support/s3-fifo.ts';

const node = (key: string, weight = 1) => new FifoNode(key, weight);

function bounded(maxEntries: number, maxWeight = Infinity) {
  const queues = new S3Fifo<FifoNode>({ maxEntries, maxWeight });
  return { queues, map: new FifoMap<FifoNode>(queues) };
}

type Step =
  | { do: 'put' | 'resize'; map: 0 | 1; key: string; weight: number }
  | { do: 'get' | 'delete'; map: 0 | 1; key: string }
  | { do: 'scan'; limit: number; remove: boolean };

const map = fc.constantFrom<0 | 1>(0, 1);
const key = fc.integer({ min: 0, max: 40 }).map((number) => `k${number}`);
const weight = fc.oneof({ weight: 19, arbitrary: fc.integer({ min: 1, max: 15 }) }, fc.integer({ min: 80, max: 130 }));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('put' as const), map, key, weight }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('get' as const), map, key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('resize' as const), map, key, weight }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), map, key }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('scan' as const), limit: fc.nat(3), remove: fc.boolean() }),
  },
);

/** Applies random steps to two maps over the same queues, and compares them with plain Maps after each. */
function checkAgainstModel(maxEntries: number, steps: readonly Step[]): void {
  const maxWeight = 100;
  const queues = new S3Fifo<FifoNode>({ maxEntries, maxWeight });
  const maps = [new FifoMap<FifoNode>(queues), new FifoMap<FifoNode>(queues)] as const;
  /** What may be there: all that was put and not deleted. Evictions take of it and never add to it. */
  const model = [new Map<string, FifoNode>(), new Map<string, FifoNode>()] as const;
  const all = () => maps.flatMap((own) => [...own.nodes()]);

  for (const step of steps) {
    if (step.do === 'scan') {
      queues.scan(step.limit, (found) => {
        assert.ok(found.home !== undefined);
        if (step.remove) found.home.delete(found);
      });
    } else applyStep(step, maps[step.map], model[step.map], maxWeight);

    assert.equal(queues.size, all().length);
    assert.equal(
      queues.weight,
      all().reduce((sum, found) => sum + found.weight, 0),
    );
    assert.ok(queues.size <= maxEntries && queues.weight <= maxWeight);
    for (const [index, own] of maps.entries()) {
      for (const found of own.nodes()) assert.ok(model[index]?.get(found.key) === found && found.home === own);
    }
  }

  // The lists hold what the maps hold: finish the lap that is under way, then walk a whole one.
  queues.scan(Infinity, () => {});
  const walked: FifoNode[] = [];
  assert.ok(queues.scan(Infinity, (found) => void walked.push(found)));
  assert.equal(walked.length, queues.size);
  assert.ok(all().every((found) => walked.includes(found)));
}

function applyStep(
  step: Exclude<Step, { do: 'scan' }>,
  own: FifoMap<FifoNode>,
  expected: Map<string, FifoNode>,
  maxWeight: number,
): void {
  const before = own.find(step.key);
  if (step.do === 'put') {
    const added = node(step.key, step.weight);
    const fits = step.weight <= maxWeight;
    assert.equal(own.put(added), fits);
    assert.ok(own.find(step.key) === (fits ? added : before));
    if (fits) expected.set(step.key, added);
  } else if (step.do === 'get') assert.ok(own.get(step.key) === before);
  else if (before === undefined) return;
  else if (step.do === 'resize') {
    const fits = step.weight <= maxWeight;
    const kept = fits ? step.weight : before.weight;
    assert.equal(own.resize(before, step.weight), fits);
    assert.ok(own.find(step.key) === before && before.weight === kept);
  } else {
    own.delete(before);
    own.delete(before);
    assert.ok(own.find(step.key) === undefined && before.home === undefined);
    expected.delete(step.key);
  }
}

describe('S3Fifo', () => {
  it('keeps its bounds and its books through any sequence of operations on two maps', () => {
    const property = fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.array(step, { maxLength: 300, size: 'max' }),
      checkAgainstModel,
    );
    expect(() => fc.assert(property, { numRuns: 300 })).not.toThrow();
  });

  it('evicts nothing while everything fits', () => {
    const { queues, map } = bounded(1000);
    for (let index = 0; index < 1000; index += 1) map.put(node(`k${index}`));
    expect(queues.size).toBe(1000);
    map.put(node('one more'));
    expect(queues.size).toBe(1000);
    expect(map.find('one more')).toBeDefined();
  });

  it('keeps what is used again when keys pass by that are used once', () => {
    const { map } = bounded(100);
    const popular = Array.from({ length: 50 }, (_, index) => `popular${index}`);
    for (const name of popular) map.put(node(name));
    for (let index = 0; index < 10_000; index += 1) {
      map.get(popular[index % popular.length] ?? '');
      map.put(node(`once${index}`));
    }
    expect(popular.filter((name) => map.find(name) !== undefined)).toHaveLength(50);
  });

  it('gives a key that comes back soon after its eviction a place in the main queue', () => {
    const { map } = bounded(100);
    for (let index = 0; index < 200; index += 1) map.put(node(`k${index}`));
    map.put(node('comes back'));
    for (let index = 0; index < 20; index += 1) map.put(node(`a${index}`));
    expect(map.find('comes back')).toBeUndefined();
    map.put(node('comes back'));
    for (let index = 0; index < 50; index += 1) map.put(node(`b${index}`));
    expect(map.find('comes back')).toBeDefined();
  });

  it('hits on a loop of twice its size, where an LRU never does', () => {
    const { map } = bounded(100);
    let hits = 0;
    for (let index = 0; index < 10_000; index += 1) {
      if (map.get(`k${index % 200}`) !== undefined) hits += 1;
      else map.put(node(`k${index % 200}`));
    }
    expect(hits / 10_000).toBeGreaterThan(0.4);
  });

  it('never evicts what is being put in or grows, even if all else must go', () => {
    const { queues, map } = bounded(1000, 100);
    for (let index = 0; index < 100; index += 1) map.put(node(`k${index}`));
    const heavy = node('heavy', 100);
    expect(map.put(heavy)).toBe(true);
    expect([queues.size, queues.weight]).toEqual([1, 100]);
    const small = node('small', 40);
    map.put(small);
    expect(map.resize(small, 100)).toBe(true);
    expect([queues.size, queues.weight, map.find('small')]).toEqual([1, 100, small]);
  });

  it('refuses a node heavier than the bounds and keeps the old one', () => {
    const { queues, map } = bounded(1000, 100);
    const old = node('k', 10);
    map.put(old);
    expect(map.put(node('k', 101))).toBe(false);
    expect(map.resize(old, 101)).toBe(false);
    expect([map.find('k'), queues.weight]).toEqual([old, 10]);
  });

  it('ignores a node that is no longer in', () => {
    const { queues, map } = bounded(1000, 100);
    const old = node('k', 10);
    map.put(old);
    map.put(node('k', 20));
    map.delete(old);
    expect(map.resize(old, 90)).toBe(false);
    expect([queues.size, queues.weight]).toEqual([1, 20]);
  });

  it('does bounded work for one insertion, however much was used', () => {
    const { queues, map } = bounded(20_000);
    for (let index = 0; index < 20_000; index += 1) map.put(node(`k${index}`));
    for (let round = 0; round < 3; round += 1) for (let index = 0; index < 20_000; index += 1) map.get(`k${index}`);
    map.put(node('one more'));
    let untouched = 0;
    for (const found of map.nodes()) if (found.uses === 3) untouched += 1;
    expect(queues.size).toBe(20_000);
    expect(untouched).toBeGreaterThan(15_000);
  });
});
