/** Writes a user's key as the backend's key: injective, printable, never longer than any server allows. */

import { createHash } from 'node:crypto';
import { types } from 'node:util';
import { describe, HotshelfError } from '../support/errors.ts';

/**
 * One part of a tuple key. Parts of different types never collide: `['city', 7]` is not `['city', '7']`.
 *
 * The order of an object's properties does not matter; a property that is `undefined` differs from one that is missing. Only
 * own enumerable properties with string names count. To pass what an interface describes, spread it: `['find', { ...filter }]`.
 */
export type KeyPart =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | Date
  | readonly KeyPart[]
  | { readonly [name: string]: KeyPart };

/** A key: a string, or a tuple of simple parts, the first of which is no tuple. `'a'` and `['a']` are two keys. */
export type Key = string | readonly KeyPart[];

/** Servers allow 250 characters; the rest is room for the side keys that belong to an entry. */
const longestKey = 200;
/** Tuples and objects in a part; a part that contains itself ends here. */
const deepestPart = 8;
const plainPart = /^[\w.~-]*$/;
const plainString = /^[\x21-\x24\x26-\x7e]*$/;

/**
 * Returns the full key of `key` in the namespace that `prefix` names.
 *
 * Grammar: `prefix=string`, `prefix:part:part…`, or `prefix$digest` where that is too long. Strings in a tuple are
 * percent-encoded, so that marks cannot come from a user: `#7` is a number, `+7` a bigint, `&true` a boolean, `@` null, `@@`
 * undefined, `^86400000` a Date, `[:a:b]` a nested tuple, `<:a=#1:b=#2>` an object, by its sorted names. Equal numbers are equal
 * keys: `-0` is `0`.
 *
 * @throws {HotshelfError} `KEY_INVALID` for another type or class, NaN, an infinity, an invalid Date, a lone surrogate, or a tuple
 *   that begins with a tuple.
 */
export function encodeKey(prefix: string, key: Key): string {
  const full = typeof key === 'string' ? `${prefix}=${encodeText(key, plainString)}` : `${prefix}${encodeTuple(key)}`;
  if (full.length <= longestKey) return full;
  return `${prefix}$${createHash('sha256').update(full).digest('base64url')}`;
}

function encodeTuple(key: unknown): string {
  if (!Array.isArray(key)) throw invalid(`Expected a key to be a string or a tuple, got ${describe(key)}.`);
  if (key.length === 0) throw invalid('Expected a tuple key to have at least one part, got [].');
  // It would be a key that nobody cached, and its invalidation would seem to succeed.
  if (Array.isArray(key[0])) {
    throw invalid(
      'Expected one key, got a list of keys: a tuple must not begin with a tuple. Hand in each by itself: ...keys.',
    );
  }
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
    case 'object':
      return part === null ? '@' : encodeObject(part, depth);
    default:
      throw invalid(`Expected the parts of a key to be plain data, got ${describe(part)}.`);
  }
}

function encodeObject(part: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(part);
  if (prototype === Date.prototype && types.isDate(part)) return encodePart(part.getTime(), depth).replace('#', '^');
  if (depth >= deepestPart) {
    throw invalid(`Expected the parts of a key to be at most ${deepestPart} deep, and not to contain themselves.`);
  }
  if (Array.isArray(part)) {
    return `[${Array.from(part, (inner) => `:${encodePart(inner, depth + 1)}`).join('')}]`;
  }
  if (prototype === Object.prototype || prototype === null) return encodeProperties(part, depth + 1);
  throw invalid(
    `Expected the parts of a key to be plain data, got ${instance(prototype)}. Put in the key what tells it apart, such as its id.`,
  );
}

/** Not in braces: a Redis Cluster would place keys by what stands between them. */
function encodeProperties(part: object, depth: number): string {
  // By UTF-16 code units: no locale may change a key.
  const sorted = Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1));
  const texts = sorted.map(([name, value]) => `:${encodeText(name, plainPart)}=${encodePart(value, depth)}`);
  return `<${texts.join('')}>`;
}

function instance(prototype: unknown): string {
  const { constructor: maker } = prototype as { readonly constructor?: unknown };
  return typeof maker === 'function' && maker.name !== '' ? `an instance of ${maker.name}` : 'an instance of a class';
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
