/** Reads spans of time: `'5m'`, `'1.5h'` or a number of ms. */

import { describe, HotshelfError } from './errors.ts';

/** A span of time: a number of ms, or a number with a unit. */
export type Duration = number | `${number}${DurationUnit}`;
export type DurationUnit = 'ms' | 's' | 'm' | 'h' | 'd';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const pattern = /^(\d{1,15}(?:\.\d{1,9})?)(ms|s|m|h|d)$/;

/** No entry lives longer than ten years: longer spans are mistakes of unit, and overflow what a server can hold. */
const longestMs = 3650 * 86_400_000;

/**
 * Returns `value` in ms.
 *
 * @param name how the caller wrote the option, for the error message
 * @throws {HotshelfError} `OPTION_INVALID` when it is no duration, not finite, above ten years, or not above 0
 *   (with `orZero`, below 0).
 */
export function durationMs(value: unknown, name: string, options?: { orZero?: boolean }): number {
  const ms = typeof value === 'number' ? value : fromText(value);
  if (ms <= longestMs && (ms > 0 || (options?.orZero === true && ms === 0))) return ms;
  const bound = options?.orZero ? 'of at least 0' : 'above 0';
  throw new HotshelfError(
    'OPTION_INVALID',
    `Expected \`${name}\` to be a duration such as "30s" or a number of ms ${bound} and at most ten years, got ${describe(value)}.`,
  );
}

function fromText(value: unknown): number {
  const match = typeof value === 'string' ? pattern.exec(value) : null;
  return match === null ? Number.NaN : Number(match[1]) * (unitMs[match[2] ?? ''] ?? Number.NaN);
}
