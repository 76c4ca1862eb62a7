/** Reads the sessions that connect-redis stored, as if they were ours. Pure. */

import type { ForeignValue } from '../backend/values.ts';
import { checkOptionNames } from '../support/options.ts';
import { cookieOf, cookieSettings, isObject, textsIn } from './content.ts';
import { expected } from './errors.ts';
import { Fields } from './fields.ts';
import type { Unusable } from './format.ts';
import type { Halves } from '../support/hash64.ts';
import type { Lifetimes } from './lifetime.ts';
import type { Found } from './record.ts';

/** Where another store left its sessions, and how it wrote them. */
export interface LegacySessions {
  readonly store: 'connect-redis';
  /** What began its keys. @default 'sess:' */
  readonly prefix?: string;
  /** What read its sessions, where it had a `serializer`. @default JSON.parse */
  readonly parse?: (text: string) => unknown;
}

/** The same, checked and whole. */
export type LegacySource = Required<LegacySessions>;

export const legacyDefaults = { store: 'connect-redis', prefix: 'sess:', parse: JSON.parse } as const;

/** @throws {HotshelfError} `OPTION_INVALID` */
export function checkLegacy(option: unknown): LegacySource | undefined {
  if (option === undefined) return undefined;
  if (option === 'connect-redis') return legacyDefaults;
  if (!isObject(option)) throw expected("`readLegacy` to be 'connect-redis' or { store: 'connect-redis', … }", option);
  checkOptionNames(option, ['store', 'prefix', 'parse'], '`readLegacy`');
  const { store, prefix = legacyDefaults.prefix, parse = legacyDefaults.parse } = option;
  if (store !== 'connect-redis')
    throw expected("`readLegacy` to be 'connect-redis' or { store: 'connect-redis' }", store);
  if (typeof prefix !== 'string' || !/^[!-~]{1,100}$/.test(prefix))
    throw expected('`readLegacy.prefix` to be 1 to 100 printable ASCII characters without blanks', prefix);
  if (typeof parse !== 'function') throw expected('`readLegacy.parse` to be a function', parse);
  return { store, prefix, parse: (text) => Reflect.apply(parse, undefined, [text]) as unknown };
}

/** Returns the key of a session of the other store, or `undefined` for an id that it cannot have stored there. */
export function legacyKey({ prefix }: LegacySource, sid: string): string | undefined {
  return /^[!-~]{1,140}$/.test(sid) ? prefix + sid : undefined;
}

/**
 * Never throws: whatever the bytes are, they are a session or the reason why not.
 *
 * How long it lives says the server: connect-redis renews only that, and leaves the `expires` of the cookie as it was. When
 * it began is not known; `absoluteTtl` counts from when it is taken over.
 */
export function foundIn(
  { bytes, ttlMs }: ForeignValue,
  { parse }: LegacySource,
  lifetimes: Lifetimes,
  epoch: Halves,
  now: number,
): Found | Unusable {
  try {
    const session = parse(new TextDecoder().decode(bytes));
    if (!isObject(session) || !isObject(session['cookie'])) return { unusable: 'foreign' };
    const { expires, ...settings } = session['cookie'];
    const cookie = cookieOf({ cookie: settings }, now);
    if (cookie === undefined) return { unusable: 'foreign' };
    // A cookie with an end but no age: it lives as long as what is stored.
    const age = cookie.originalMaxAge ?? (typeof expires === 'string' && Number.isFinite(ttlMs) ? ttlMs : null);
    const lifetimeMs = age ?? lifetimes.ttlMs;
    const expiresAt = now + (Number.isFinite(ttlMs) ? ttlMs : lifetimeMs);
    const writtenAt = Math.min(now, expiresAt - lifetimeMs);
    const record = {
      fields: Fields.ofTexts(textsIn(session)),
      cookie: cookieSettings({ ...cookie, originalMaxAge: age }),
      createdAt: now,
      owner: undefined,
      listedUntil: 0,
    };
    return { record, writtenAt, expiresAt, epoch };
  } catch {
    return { unusable: 'corrupt' };
  }
}
