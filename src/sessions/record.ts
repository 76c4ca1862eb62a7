/** Says what is stored of a session. Pure. */

import { type CookieSettings, isObject } from './content.ts';
import { Fields, valueIn } from './fields.ts';
import type { Stamp } from './format.ts';

export interface SessionRecord {
  readonly fields: Fields;
  readonly cookie: CookieSettings | undefined;
  /** Epoch ms. */
  readonly createdAt: number;
  /** Whose session it is, if anybody's. */
  readonly owner: string | undefined;
  /** Until when the list of the owner's sessions surely lives, in epoch ms: a session must not outlive it. */
  readonly listedUntil: number;
}

/** A record that is stored, or about to be. */
export interface Found extends Stamp {
  readonly record: SessionRecord;
}

/**
 * Returns the record as JSON: `[length of what follows, everything but the fields, the fields]`. The length tells where the
 * fields begin, so that they need not be read to be compared, or to be written again.
 */
export function jsonOf({ fields, cookie, createdAt, owner, listedUntil }: SessionRecord): string {
  const rest = JSON.stringify({ cookie, createdAt, ...(owner !== undefined && { owner, listedUntil }) });
  return `[${rest.length},${rest},${fields.json}]`;
}

/** Returns the record that `jsonOf` wrote; `undefined` if it is none. May throw on what is no JSON. */
export function recordInJson(json: string): SessionRecord | undefined {
  const start = json.indexOf(',') + 1;
  const end = start + Number(json.slice(1, start - 1));
  if (!json.startsWith('[') || !json.startsWith(',{', end) || !json.endsWith('}]')) return undefined;
  return recordWith(valueIn(json.slice(start, end)), Fields.ofJson(json.slice(end + 1, -1)));
}

/**
 * As `recordInJson`, for what a codec decoded.
 *
 * @param decode returns such a value each time anew
 */
export function recordInValue(value: unknown, decode: () => unknown): SessionRecord | undefined {
  if (!isFieldsIn(value)) return undefined;
  let first: object | undefined = value[2];
  const fields = Fields.ofDecoded(() => {
    const next = first ?? fieldsIn(decode());
    first = undefined;
    return next;
  });
  return recordWith(value[1], fields);
}

function recordWith(rest: unknown, fields: Fields): SessionRecord | undefined {
  if (!isObject(rest)) return undefined;
  const { cookie, createdAt, owner, listedUntil } = rest;
  if (typeof createdAt !== 'number' || (owner !== undefined && typeof owner !== 'string')) return undefined;
  return {
    fields,
    cookie: isObject(cookie) ? cookieIn(cookie) : undefined,
    createdAt,
    owner,
    listedUntil: typeof listedUntil === 'number' ? listedUntil : 0,
  };
}

function cookieIn(stored: Record<string, unknown>): CookieSettings {
  const { originalMaxAge } = stored;
  return typeof originalMaxAge === 'number' ? { ...stored, originalMaxAge } : { ...stored, originalMaxAge: null };
}

function fieldsIn(value: unknown): object {
  return isFieldsIn(value) ? value[2] : {};
}

function isFieldsIn(value: unknown): value is [unknown, unknown, object] {
  return Array.isArray(value) && value.length === 3 && isObject(value[2]);
}
