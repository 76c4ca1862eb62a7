/** Reads what a session holds: its top-level fields and the settings of its cookie, as plain JSON of their own. */

import { describe, HotshelfError } from '../support/errors.ts';

/** Top-level fields by name; the values are plain JSON and belong to nobody else. */
export type Fields = ReadonlyMap<string, unknown>;

/** The same, each written as JSON: two that are written alike are the same. */
export type Texts = ReadonlyMap<string, string>;

/** The cookie of a session without the time of its end, which follows from the lifetime of what is stored. */
export interface CookieSettings {
  /** The lifetime that every answer gives it anew, in ms; `null` for a cookie that ends with the browser. */
  readonly originalMaxAge: number | null;
  readonly [name: string]: unknown;
}

export interface Content {
  readonly texts: Texts;
  /** `undefined` for a session without one: nobody but a user of the store stores such. */
  readonly cookie: CookieSettings | undefined;
  /** When the cookie ends, in epoch ms; `undefined` for one that ends with the browser. */
  readonly cookieEndsAt: number | undefined;
}

/**
 * Returns what `session` holds now, detached from it. What JSON leaves out is left out, as it is by every other store of
 * express-session.
 *
 * @throws {HotshelfError} `VALUE_INVALID` when a field cannot be written as JSON.
 */
export function contentOf(session: object, now: number): Content {
  const texts = new Map<string, string>();
  for (const [name, value] of Object.entries(session)) {
    const text = name === 'cookie' ? undefined : written(name, value);
    if (text !== undefined) texts.set(name, text);
  }
  return { texts, ...cookieOf(session, now) };
}

/** Returns what `contentOf` says of the cookie, and looks at nothing else. */
export function cookieOf(session: object, now: number): Pick<Content, 'cookie' | 'cookieEndsAt'> {
  const text = 'cookie' in session ? written('cookie', session.cookie) : undefined;
  return readCookie(text === undefined ? undefined : valueIn(text), now);
}

/** Writes a value as JSON, and what JSON leaves out as nothing. */
export function textOf(value: unknown): string | undefined {
  return JSON.stringify(value);
}

/** Returns the value that `text` stands for, each time a new one. */
export function valueIn(text: string): unknown {
  return JSON.parse(text) as unknown;
}

export function textsOf(fields: Fields): Texts {
  const texts = new Map<string, string>();
  for (const [name, value] of fields) texts.set(name, textOf(value) ?? 'null');
  return texts;
}

export function fieldsIn(texts: Texts): Fields {
  const fields = new Map<string, unknown>();
  for (const [name, text] of texts) fields.set(name, valueIn(text));
  return fields;
}

function written(name: string, value: unknown): string | undefined {
  try {
    return textOf(value);
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : describe(error);
    throw new HotshelfError('VALUE_INVALID', `The field "${name.slice(0, 40)}" of a session is not JSON: ${why}`);
  }
}

function readCookie(given: unknown, now: number): Pick<Content, 'cookie' | 'cookieEndsAt'> {
  if (!isObject(given)) return { cookie: undefined, cookieEndsAt: undefined };
  const { expires, maxAge, ...settings } = given;
  const endsAt = instantOf(expires) ?? (typeof maxAge === 'number' ? now + maxAge : undefined);
  const { originalMaxAge } = settings;
  const lifetime = typeof originalMaxAge === 'number' ? originalMaxAge : endsAt === undefined ? null : endsAt - now;
  return { cookie: { ...settings, originalMaxAge: lifetime }, cookieEndsAt: endsAt };
}

function instantOf(expires: unknown): number | undefined {
  const at = typeof expires === 'string' ? Date.parse(expires) : expires;
  return typeof at === 'number' && Number.isFinite(at) ? at : undefined;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
