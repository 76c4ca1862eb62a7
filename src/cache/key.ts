/** Writes a user's key as the backend's key: injective, printable, never longer than any server allows. */

import { createHash } from 'node:crypto';
import { describe, HotshelfError } from '../support/errors.ts';

/** One part of a tuple key. Parts of different types never collide: `['city', 7]` is not `['city', '7']`. */
export type KeyPart = string | number | bigint | boolean | null | undefined | readonly KeyPart[];

/** A key: a string, or a tuple of simple parts. `'a'` and `['a']` are two keys. */
export type Key = string | readonly KeyPart[];

/** Servers allow 250 characters; the rest is room for the side keys that belong to an entry. */
const longestKey = 200;
const plainPart = /^[\w.~-]*$/;
const plainString = /^[\x21-\x24\x26-\x7e]*$/;

/**
 * Returns the full key of `key` in the namespace that `prefix` names.
 *
 * Grammar: `prefix=string`, `prefix:part:part…`, or `prefix$digest` where that is too long. Strings in a tuple are
 * percent-encoded, so that marks cannot come from a user: `#7` is a number, `+7` a bigint, `&true` a boolean, `@` null, `@@`
 * undefined, `[:a:b]` a nested tuple. Equal numbers are equal keys: `-0` is `0`.
 *
 * @throws {HotshelfError} `KEY_INVALID` for another type, NaN, an infinity or a lone surrogate.
 */
export function encodeKey(prefix: string, key: Key): string {
  const full = typeof key === 'string' ? `${prefix}=${encodeText(key, plainString)}` : `${prefix}${encodeTuple(key)}`;
  if (full.length <= longestKey) return full;
  return `${prefix}$${createHash('sha256').update(full).digest('base64url')}`;
}

function encodeTuple(key: unknown): string {
  if (!Array.isArray(key)) throw invalid(`Expected a key to be a string or a tuple, got ${describe(key)}.`);
  if (key.length === 0) throw invalid('Expected a tuple key to have at least one part, got [].');
  let text = '';
  for (let index = 0; index < key.length; index += 1) text += `:${encodePart(key[index], 0)}`;
  return text;
}

function encodePart(part: unknown, depth: number): string {
  switch (typeof part) {
    case 'string':
      return encodeText(part, plainPart);
    case 'number':
      if (!Number.isFinite(part)) throw invalid(`Expected a number in a key to be finite, got ${part}.`);
      return `#${part}`.replace('+', '');
    case 'bigint':
      return `+${part}`;
    case 'boolean':
      return `&${part}`;
    case 'undefined':
      return '@@';
    default:
      if (part === null) return '@';
      if (Array.isArray(part) && depth < 8)
        return `[${Array.from(part, (inner) => `:${encodePart(inner, depth + 1)}`).join('')}]`;
      throw invalid(
        `Expected the parts of a key to be strings, numbers, booleans, null or tuples at most 8 deep, got ${describe(part)}.`,
      );
  }
}

/** `encodeURIComponent`, but for text that needs no encoding and has no "%": so no two texts are written the same. */
function encodeText(text: string, plain: RegExp): string {
  if (plain.test(text)) return text;
  try {
    return encodeURIComponent(text);
  } catch (error) {
    throw invalid('A key contains a lone surrogate; it is not valid Unicode text.', error);
  }
}

function invalid(message: string, cause?: unknown): HotshelfError {
  return new HotshelfError('KEY_INVALID', message, { cause });
}

const namePattern = /^[\w.-]{1,40}$/;

/** @throws {HotshelfError} `OPTION_INVALID` unless `name` is 1 to 40 letters, digits, `_`, `.` or `-`. */
export function checkName(name: unknown, where: string): string {
  if (typeof name === 'string' && namePattern.test(name)) return name;
  throw new HotshelfError(
    'OPTION_INVALID',
    `Expected ${where} to be 1 to 40 letters, digits, "_", "." or "-", got ${describe(name)}.`,
  );
}
