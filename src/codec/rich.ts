/** Writes what JSON cannot hold as tagged JSON: a Date becomes `{"$date": 0}`, a user's own `$`-object is escaped. */

import { types } from 'node:util';
import { HotshelfError } from '../support/errors.ts';

type Tagged = null | boolean | number | string | Tagged[] | { [name: string]: Tagged };

/** Returns whether `JSON.parse(JSON.stringify(value))` gives the same value back. Refuses what cannot be encoded. */
export function isPlainJson(value: unknown): boolean {
  return isPlain(value, []);
}

function isPlain(value: unknown, path: object[]): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0);
    case 'object':
      return value === null || isPlainObject(value, path);
    default:
      return false;
  }
}

function isPlainObject(value: object, path: object[]): boolean {
  const isArray = Array.isArray(value);
  if (!isArray) {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) return false;
    if ('toJSON' in value) return false;
  }
  enter(value, path);
  if (isArray) {
    for (const part of value) if (!isPlain(part, path)) return leave(path);
  } else {
    for (const name of Object.keys(value)) {
      if (!isPlain((value as Record<string, unknown>)[name], path)) return leave(path);
    }
  }
  path.pop();
  return true;
}

function leave(path: object[]): false {
  path.pop();
  return false;
}

function enter(value: object, path: object[]): void {
  if (path.length > 500 || path.includes(value)) {
    throw unencodable(path.length > 500 ? 'it is nested more than 500 levels deep' : 'it contains itself (a cycle)');
  }
  path.push(value);
}

/** Returns `value` with every part that JSON cannot hold replaced by its tagged form. */
export function toTagged(value: unknown): Tagged {
  return tag(value, []);
}

function tag(value: unknown, path: object[]): Tagged {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { $num: Object.is(value, -0) ? '-0' : String(value) };
    case 'bigint':
      return { $bigint: String(value) };
    case 'undefined':
      return { $undefined: 0 };
    case 'object':
      return value === null ? null : tagObject(value, path);
    default:
      throw unencodable(`it contains a ${typeof value}`);
  }
}

function tagObject(value: object, path: object[]): Tagged {
  // By what they are, not by their constructor: a value of another realm is none the less a Date.
  if (types.isDate(value)) return { $date: Number.isNaN(value.getTime()) ? null : value.getTime() };
  if (types.isUint8Array(value)) {
    return { $bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') };
  }
  if (types.isBoxedPrimitive(value)) return tag(value.valueOf(), path);
  for (const [kind, isKind] of refused) if (isKind(value)) throw unencodable(`it contains a ${kind}`);
  enter(value, path);
  const tagged = tagMembers(value, path);
  path.pop();
  return tagged;
}

const refused: readonly (readonly [kind: string, isKind: (value: object) => boolean])[] = [
  ['Promise', types.isPromise],
  ['WeakMap', types.isWeakMap],
  ['WeakSet', types.isWeakSet],
  ['WeakRef', (value) => value instanceof WeakRef],
  ['RegExp', types.isRegExp],
  ['Error', (value) => types.isNativeError(value) || value instanceof Error],
  ['ArrayBuffer', types.isAnyArrayBuffer],
];

function tagMembers(value: object, path: object[]): Tagged {
  if (Array.isArray(value)) return Array.from(value, (part) => tag(part, path));
  if (types.isMap(value)) return { $map: Array.from(value, ([key, part]) => [tag(key, path), tag(part, path)]) };
  if (types.isSet(value)) return { $set: Array.from(value, (part) => tag(part, path)) };
  if (ArrayBuffer.isView(value)) throw unencodable(`it contains a ${value.constructor.name}`);
  // As JSON.stringify does: an object that says how it wants to be written is written so.
  if ('toJSON' in value && typeof value.toJSON === 'function') return tag(value.toJSON(), path);
  const members: Record<string, Tagged> = Object.create(null) as Record<string, Tagged>;
  const names = Object.keys(value);
  for (const name of names) members[name] = tag((value as Record<string, unknown>)[name], path);
  return names.length === 1 && names[0]?.startsWith('$') ? { $object: members } : members;
}

function unencodable(why: string): HotshelfError {
  return new HotshelfError(
    'VALUE_INVALID',
    `The value cannot be cached: ${why}. Cache plain data: what JSON holds, Date, Map, Set, BigInt, Uint8Array and undefined.`,
  );
}

/** Returns what `toTagged` was given. Changes the containers of `tagged` in place. */
export function untag(tagged: unknown): unknown {
  if (typeof tagged !== 'object' || tagged === null) return tagged;
  if (Array.isArray(tagged)) {
    for (let index = 0; index < tagged.length; index += 1) tagged[index] = untag(tagged[index]);
    return tagged;
  }
  const names = Object.keys(tagged);
  const [name] = names;
  if (names.length === 1 && name?.startsWith('$')) return untagOne(name, (tagged as Record<string, unknown>)[name]);
  return untagMembers(tagged, names);
}

function untagMembers(members: object, names: readonly string[]): object {
  for (const name of names) {
    const value = untag((members as Record<string, unknown>)[name]);
    // An own member called __proto__ must stay a member: an assignment would set the prototype.
    Object.defineProperty(members, name, { value, writable: true, enumerable: true, configurable: true });
  }
  return members;
}

function untagOne(name: string, content: unknown): unknown {
  switch (name) {
    case '$date':
      return new Date(content === null ? Number.NaN : (content as number));
    case '$bigint':
      return BigInt(content as string);
    case '$bytes':
      return new Uint8Array(Buffer.from(content as string, 'base64'));
    case '$map':
      return new Map((content as [unknown, unknown][]).map(([key, value]) => [untag(key), untag(value)]));
    case '$set':
      return new Set((content as unknown[]).map(untag));
    case '$num':
      return Number(content);
    case '$undefined':
      return undefined;
    case '$object':
      return untagMembers(content as object, Object.keys(content as object));
    default:
      throw new TypeError('unknown tag');
  }
}
