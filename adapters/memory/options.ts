/** Reads the options of `memory()` and refuses what is not allowed. */

import { systemClock, type Clock } from '../../src/support/clock.ts';
import { describe, HotshelfError } from '../../src/support/errors.ts';
import { checkOptionNames } from '../../src/support/options.ts';
import { stateOverheadBytes } from './values.ts';

export interface MemoryOptions {
  /** The most that everything together may weigh, in bytes: values, keys and about 400 bytes for each entry. @default 67_108_864 */
  readonly maxBytes?: number;
  /** The most entries, whatever they weigh. @default 10_000_000 */
  readonly maxEntries?: number;
  /** The most bytes that one value may have. @default a quarter of `maxBytes` */
  readonly maxValueBytes?: number;
  /** The most members of all leaderboards together, at 130 to 190 bytes each beside `maxBytes`; none is evicted. @default 2_000_000 */
  readonly maxRankedMembers?: number;
  /** Time, timers and randomness. @default the machine's own */
  readonly clock?: Clock;
}

export const memoryDefaults = {
  maxBytes: 64 * 1024 * 1024,
  maxEntries: 10_000_000,
  maxRankedMembers: 2_000_000,
} as const;

/** A JavaScript Map holds at most 2^24 entries. */
const mostEntries = 16_000_000;
const longestKey = 240;
const knownOptions = ['maxBytes', 'maxEntries', 'maxValueBytes', 'maxRankedMembers', 'clock'];

/** @throws {HotshelfError} `OPTION_INVALID` naming the option, what is allowed and what was given. */
export function readOptions(options: MemoryOptions): Required<MemoryOptions> {
  checkOptionNames(options, knownOptions, 'memory()');
  const { clock = systemClock, maxEntries = memoryDefaults.maxEntries, maxBytes = memoryDefaults.maxBytes } = options;
  const { maxRankedMembers = memoryDefaults.maxRankedMembers } = options;
  checkWhole('maxBytes', maxBytes, 1024, Number.MAX_SAFE_INTEGER);
  checkWhole('maxEntries', maxEntries, 1, mostEntries);
  checkWhole('maxRankedMembers', maxRankedMembers, 1, mostEntries);
  const { maxValueBytes = Math.floor(maxBytes / 4) } = options;
  checkWhole('maxValueBytes', maxValueBytes, 1, maxBytes - stateOverheadBytes - longestKey);
  if (typeof clock?.now !== 'function' || typeof clock.after !== 'function')
    throw new HotshelfError('OPTION_INVALID', `Expected \`clock\` to be a Clock, got ${describe(clock)}.`);
  return { clock, maxEntries, maxBytes, maxValueBytes, maxRankedMembers };
}

function checkWhole(name: string, value: unknown, least: number, most: number): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return;
  throw new HotshelfError(
    'OPTION_INVALID',
    `Expected \`${name}\` to be a whole number from ${least} to ${most}, got ${describe(value)}.`,
  );
}
