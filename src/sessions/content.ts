/** Reads what a session holds: its top-level fields and the settings of its cookie, as plain JSON of their own. */

import { describe, HotshelfError } from '../support/errors.ts';
import { type Texts, textOf, valueIn } from './fields.ts';

/** The cookie of a session without the time of its end, which follows from the lifetime of what is stored. */
export interface CookieSettings {
  /** The lifetime that every answer gives it anew, in ms; `null` for a cookie that ends with the browser. */
  readonly originalMaxAge: number | null;
  readonly [name: string]: unknown;
}

/** The cookie of a session as it is now, still in the hands of its user. */
export interface CookieNow extends Pick<CookieSettings, 'originalMaxAge'> {
  readonly settings: Readonly<Record<string, unknown>>;
  /** When it ends, in epoch ms; `undefined` for one that ends with the browser. */
  readonly endsAt: number | undefined;
}

/** What a session holds. */
export interface Content {
  readonly texts: Texts;
  /** `undefined` for a session without one: nobody but a user of the store stores such. */
  readonly cookie: CookieNow | undefined;
}

/**
 * Returns the fields of `session` as they are now. What JSON leaves out is left out, as it is by every other store of
 * express-session.
 *
 * @throws {HotshelfError} `VALUE_INVALID` when a field cannot be written as JSON.
 */
export function textsIn(session: object): Texts {
  const texts = new Map<string, string>();
  for (const [name, value] of Object.entries(session)) {
    const text = name === 'cookie' ? undefined : written(name, value);
    if (text !== undefined) texts.set(name, text);
  }
  return texts;
}

/** Returns the cookie of `session` as it is now, if there is one. */
export function cookieOf(session: object, now: number): CookieNow | undefined {
  const given = 'cookie' in session ? session.cookie : undefined;
  if (!isObject(given)) return undefined;
  const settings: unknown = typeof given['toJSON'] === 'function' ? given['toJSON']() : given;
  if (!isObject(settings)) return undefined;
  const { expires, maxAge, originalMaxAge } = settings;
  const endsAt = instantOf(expires) ?? (typeof maxAge === 'number' ? now + maxAge : undefined);
  const lifetime = typeof originalMaxAge === 'number' ? originalMaxAge : endsAt === undefined ? null : endsAt - now;
  return { settings, originalMaxAge: lifetime, endsAt };
}

/** Returns the settings as they are stored, detached from the cookie. */
export function cookieSettings({ settings, originalMaxAge }: CookieNow): CookieSettings {
  const { expires: _expires, maxAge: _maxAge, ...others } = settings;
  const stored = valueIn(written('cookie', { ...others, originalMaxAge }) ?? '{}') as CookieSettings;
  return { ...stored, originalMaxAge };
}

/** Tells whether the settings are still those that were stored. */
export function isSameCookie(stored: CookieSettings, { settings, originalMaxAge }: CookieNow): boolean {
  // A Cookie counts its maxAge from the clock: the same 60 s are now and then 59.999.
  if (Math.abs((stored.originalMaxAge ?? -10) - (originalMaxAge ?? -10)) >= 5) return false;
  const isSame = (name: string) => {
    const [before, now] = [stored[name], settings[name]];
    return before === now || isOfTime.has(name) || textOf(before) === written('cookie', now);
  };
  return Object.keys(stored).every(isSame) && Object.keys(settings).every(isSame);
}

const isOfTime: ReadonlySet<string> = new Set(['expires', 'maxAge', 'originalMaxAge']);

function written(name: string, value: unknown): string | undefined {
  try {
    return textOf(value);
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : describe(error);
    throw new HotshelfError('VALUE_INVALID', `The field "${name.slice(0, 40)}" of a session is not JSON: ${why}`);
  }
}

function instantOf(expires: unknown): number | undefined {
  const at = typeof expires === 'string' ? Date.parse(expires) : isObject(expires) ? Number(expires) : expires;
  return typeof at === 'number' && Number.isFinite(at) ? at : undefined;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
