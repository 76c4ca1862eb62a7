/** Writes the keys of a limiter: injective, printable, and all keys of one caller on one server. */

import { describe, HotshelfError } from '../support/errors.ts';
import { keyText, shortened } from '../support/key-text.ts';
import type { PlanSet } from './plans.ts';
import type { LimitKey } from './verdict.ts';

/** Longer ids are kept by their digest; a digest has a mark that no text can have. */
const longestId = 80;
const longestName = 40;
const longestSuffix = 60;

/**
 * Returns the text of `key` that stands in the braces of its keys.
 *
 * @throws {HotshelfError} `KEY_INVALID` unless it is a text or a list of texts.
 */
export function idOf(key: LimitKey): string {
  if (typeof key === 'string') return shortened(`=${keyText(key)}`, longestId);
  if (Array.isArray(key) && key.length > 0) return shortened(`:${key.map(partOf).join(':')}`, longestId);
  throw new HotshelfError(
    'KEY_INVALID',
    `Expected the key of a limit to be a text or a list of texts, got ${describe(key)}.`,
  );
}

/** The keys of `id` under these plans, in their order. */
export function keysOf(name: string, id: string, { suffixes }: PlanSet): string[] {
  const start = startOf(name, id);
  return suffixes.map((suffix) => `${start}:${shortened(suffix, longestSuffix)}`);
}

/** The key of what blocks `id`, under every plan. */
export function gateOf(name: string, id: string): string {
  return `${startOf(name, id)}!`;
}

function startOf(name: string, id: string): string {
  return `limits:${shortened(keyText(name), longestName)}:{${id}}`;
}

function partOf(part: unknown): string {
  if (typeof part === 'string') return keyText(part);
  throw new HotshelfError(
    'KEY_INVALID',
    `Expected each part of the key of a limit to be a text, got ${describe(part)}.`,
  );
}
