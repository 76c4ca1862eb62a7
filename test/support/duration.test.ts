/** Shows which spans of time are understood, and what is said of the others. */

import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { HotshelfError } from 'hotshelf';
import { durationMs } from '../../src/support/duration.ts';

describe('a duration', () => {
  it.each([
    ['1ms', 1],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1.5h', 5_400_000],
    ['7d', 604_800_000],
    ['3650d', 315_360_000_000],
    ['0.5ms', 0.5],
    ['007s', 7000],
    [250, 250],
    [0.5, 0.5],
    [315_360_000_000, 315_360_000_000],
  ])('%s is %d ms', (value, ms) => {
    expect(durationMs(value, 'ttl')).toBe(ms);
  });

  it('is read in every unit for every number', () => {
    const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3650 }), fc.constantFrom(...Object.entries(units)), (count, [unit, ms]) => {
        expect(durationMs(`${count}${unit}`, 'ttl')).toBe(count * ms);
      }),
    );
  });

  it.each([
    '5 parsecs',
    '',
    ' ',
    '5',
    's',
    '5ss',
    '-5s',
    '+5s',
    '1e3s',
    '1.s',
    '.5s',
    ' 5s',
    '5s ',
    '5 s',
    '5S',
    '5s\n',
    '٥s',
    '0s',
    '0.0m',
    '3651d',
    '99999999999999999d',
    `${'9'.repeat(400)}d`,
    0,
    -1,
    Number.NaN,
    Infinity,
    -Infinity,
    315_360_000_001,
    null,
    undefined,
    true,
    {},
    [],
    [5],
    5n,
    Symbol('s'),
    () => 5,
    new Date(5),
    Object('5s'),
  ])('cannot be no. %#', (value) => {
    const read = () => durationMs(value, 'grace');
    expect(read).toThrowError(HotshelfError);
    expect(read).toThrowError(
      /^Expected `grace` to be a duration such as "30s" or a number of ms above 0 and at most ten years, got /,
    );
  });

  it('may be 0 only where that means something', () => {
    expect(durationMs(0, 'wait', { orZero: true })).toBe(0);
    expect(durationMs('0s', 'wait', { orZero: true })).toBe(0);
    expect(() => durationMs(-1, 'wait', { orZero: true })).toThrowError(/of at least 0/);
    expect(() => durationMs(Number.NaN, 'wait', { orZero: true })).toThrowError(/got NaN/);
  });
});
