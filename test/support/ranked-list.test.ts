/** Shows that a ranked list answers as a sorted array would, however it came to its items. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RankedList } from '../../src/support/ranked-list.ts';

const ascending = (a: number, b: number) => a - b;

/** Every third number, so that there is something between any two. */
const thirds = (count: number) => Array.from({ length: count }, (_, index) => 3 * index);

/** The numbers below `count` in an order that looks random and is the same each time. */
function shuffled(count: number): number[] {
  let state = 1;
  const keys = Array.from({ length: count }, () => (state = (state * 48_271) % 2_147_483_647));
  return Array.from({ length: count }, (_, index) => index).sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0));
}

/** Fails unless every question to the list is answered as the sorted array has it. */
function expectSame(list: RankedList<number>, expected: readonly number[]): void {
  expect(list.size).toBe(expected.length);
  expect([...list]).toEqual(expected);
  for (const [position, item] of expected.entries()) {
    if (list.position(item) !== position) expect.fail(`${item} is at ${list.position(item)}, not at ${position}`);
    if (list.at(position) !== item) expect.fail(`at ${position} is ${list.at(position)}, not ${item}`);
  }
}

describe('a ranked list', () => {
  it('tells positions, and what is there', () => {
    const list = new RankedList(ascending, [30, 10, 20]);
    expectSame(list, [10, 20, 30]);
    expect([5, 10, 15, 30, 35].map((item) => list.position(item))).toEqual([0, 0, 1, 2, 3]);
    expect([-1, 0, 2, 3].map((position) => list.at(position))).toEqual([undefined, 10, 30, undefined]);
  });

  it('answers without any item', () => {
    for (const list of [new RankedList(ascending), emptied()]) {
      expectSame(list, []);
      expect(list.position(1)).toBe(0);
      expect(list.at(0)).toBeUndefined();
      expect(list.slice(0, 10)).toEqual([]);
      expect(list.lowerBound(() => true)).toBe(0);
      expect(list.delete(1)).toBe(false);
      expect(list.deleteSlice(0, 10)).toEqual([]);
      expect(list.insert(1)).toBe(true);
      expectSame(list, [1]);
    }
  });

  it('holds an item once, and gives up only what it holds', () => {
    const list = new RankedList(ascending, thirds(2000));
    expect(list.insert(3 * 700)).toBe(false);
    expect(list.delete(3 * 700 + 1)).toBe(false);
    expect(list.delete(10_000)).toBe(false);
    expectSame(list, thirds(2000));
  });

  it('finds where a condition ends', () => {
    const list = new RankedList(ascending, thirds(3000));
    for (const bound of [-1, 0, 1, 1536, 4500, 8997, 9000])
      expect(list.lowerBound((item) => item < bound)).toBe(thirds(3000).filter((item) => item < bound).length);
  });

  it.each([
    ['upwards', (count: number) => thirds(count)],
    ['downwards', (count: number) => thirds(count).toReversed()],
    ['in a random order', (count: number) => shuffled(count).map((index) => 3 * index)],
  ])('keeps thousands of items that come %s, and gives them back', (_, itemsOf) => {
    const items = itemsOf(5000);
    const list = new RankedList<number>(ascending);
    for (const item of items) expect(list.insert(item)).toBe(true);
    expectSame(list, thirds(5000));
    expect(list.slice(1234, 1000)).toEqual(thirds(5000).slice(1234, 2234));
    const leave = new Set(items.slice(4000));
    for (const item of items.slice(0, 4000)) expect(list.delete(item)).toBe(true);
    expectSame(
      list,
      thirds(5000).filter((item) => leave.has(item)),
    );
  });

  it('takes out slices across its chunks', () => {
    const list = new RankedList(ascending, thirds(4000));
    const expected = thirds(4000);
    for (const [from, count] of [
      [0, 1],
      [3990, 50],
      [511, 2],
      [100, 1500],
      [5000, 3],
      [7, 0],
      [0, 600],
    ] as const) {
      expect(list.deleteSlice(from, count)).toEqual(expected.splice(from, count));
      expectSame(list, expected);
    }
    for (const item of thirds(4000)) list.insert(item);
    expectSame(list, thirds(4000));
  });

  it('keeps any order, that of pairs too', () => {
    interface Scored {
      readonly name: string;
      readonly score: number;
    }
    const list = new RankedList<Scored>(
      (a, b) => b.score - a.score || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
    );
    for (const [name, score] of [
      ['ann', 7],
      ['bob', 9],
      ['cem', 7],
    ] as const)
      list.insert({ name, score });
    expect(list.slice(0, 3).map(({ name }) => name)).toEqual(['bob', 'ann', 'cem']);
    expect(list.position({ name: 'cem', score: 7 })).toBe(2);
  });

  it('does what a sorted array does, whatever is done to it', () => {
    const step = fc.oneof(
      fc.record({ verb: fc.constant('insert' as const), at: fc.nat(6000), count: fc.integer({ min: 1, max: 900 }) }),
      fc.record({ verb: fc.constant('delete' as const), at: fc.nat(6000), count: fc.integer({ min: 1, max: 900 }) }),
      fc.record({ verb: fc.constant('cut' as const), at: fc.nat(6000), count: fc.integer({ min: 1, max: 900 }) }),
    );
    fc.assert(
      fc.property(fc.nat(3000), fc.array(step, { maxLength: 12 }), (begin, steps) => {
        let expected = new Set(thirds(begin));
        const list = new RankedList(ascending, expected);
        for (const { verb, at, count } of steps) {
          // 701 has no factor in common with 6007: the items lie far apart, and none comes twice.
          const items = Array.from({ length: count }, (_, index) => ((at + index) * 701) % 6007);
          if (verb === 'insert')
            for (const item of items) expect(list.insert(item)).toBe(!expected.has(item) && !!expected.add(item));
          else if (verb === 'delete') for (const item of items) expect(list.delete(item)).toBe(expected.delete(item));
          else {
            const sorted = [...expected].sort(ascending);
            expect(list.deleteSlice(at, count)).toEqual(sorted.splice(at, count));
            expected = new Set(sorted);
          }
          expectSame(list, [...expected].sort(ascending));
        }
      }),
      { numRuns: 60 },
    );
  });
});

function emptied(): RankedList<number> {
  const list = new RankedList(ascending, thirds(2000));
  for (const item of thirds(2000)) list.delete(item);
  return list;
}
