/** Lists the options of a session store and checks them. */

import type { SessionData } from 'express-session';
import type { BackendWith } from '../backend/backend.ts';
import { facet } from '../backend/facet.ts';
import type { Values } from '../backend/values.ts';
import type { Codec } from '../codec/codec.ts';
import { jsonCodec } from '../codec/json.ts';
import { type Clock, systemClock } from '../support/clock.ts';
import { type Duration, durationMs } from '../support/duration.ts';
import { HotshelfError } from '../support/errors.ts';
import { checkOptionNames } from '../support/options.ts';
import { isObject } from './content.ts';
import { expected } from './errors.ts';
import { checkLegacy, type LegacySessions } from './legacy.ts';
import type { Lifetimes } from './lifetime.ts';
import type { MergeRules } from './merge.ts';
import { Takeover } from './takeover.ts';

/** What may be in a session, as the application declares it in `SessionData` of express-session. */
export type SessionFields = { [Name in Exclude<keyof SessionData, 'cookie'>]?: SessionData[Name] };

export interface SessionStoreOptions {
  /** Where the sessions are: any backend of hotshelf. */
  backend: BackendWith<'values'>;
  /** How long a session lives without a request, unless its cookie has a `maxAge`, which then says it. @default '1d' */
  ttl?: Duration;
  /** How long a session lives at most, however busy it is. @default no such end */
  absoluteTtl?: Duration;
  /**
   * A request that changes nothing renews the session when this share of its lifetime has passed, and else costs one round trip:
   * 0 for each request, up to 0.5. A session may end earlier by this share.
   * @default 0.1
   */
  touchEvery?: number;
  /** Store sessions under a digest of their id: whoever reads the backend learns no id that a cookie could carry. @default true */
  hashIds?: boolean;
  /** What becomes of a field that two requests changed at once; `last` where nothing is said. @default {} */
  merge?: MergeRules;
  /** The most bytes of one stored session; more is an error on the request that wants it. @default 1_048_576 */
  maxBytes?: number;
  /** How sessions are written: `encrypted(jsonCodec, { keys })` encrypts them. @default jsonCodec */
  codec?: Codec;
  /** Codecs of sessions that were written before `codec` was chosen: nobody is logged out. @default [] */
  alsoRead?: readonly Codec[];
  /**
   * Take over the sessions that connect-redis stored in the same Redis, so that nobody is logged out: each is read there until
   * it is written for the first time. Leave it out again when the last of them has ended.
   * @default none are taken over
   */
  readLegacy?: 'connect-redis' | LegacySessions;
  /** Says whose session it is, from its fields; nobody's if `undefined`. `listByOwner` and `revokeOwner` need it. */
  ownerOf?: (fields: SessionFields) => string | number | undefined;
  /** How many sessions an owner may have. Needs `ownerOf`. @default 100 */
  maxPerOwner?: number;
  /** What happens to a login beyond `maxPerOwner`. @default 'evict-oldest' */
  onLimit?: 'evict-oldest' | 'reject';
  /**
   * What a request gets whose session cannot be loaded: `error`, which is a 503 with `Retry-After`, or an `anonymous` session that
   * is not stored. The cookie stays as it is, so that nobody is logged out.
   * @default 'error'
   */
  onStoreError?: 'error' | 'anonymous';
  /** Begins all keys; two applications on one backend need two. @default 'hs.sess' */
  prefix?: string;
  /** Time, timers and randomness. @default the machine's own */
  clock?: Clock;
}

export const storeDefaults = {
  ttl: '1d',
  touchEvery: 0.1,
  hashIds: true,
  maxBytes: 1_048_576,
  maxPerOwner: 100,
  onLimit: 'evict-oldest',
  onStoreError: 'error',
  prefix: 'hs.sess',
} as const;

/** The options of a store, checked and whole. */
export interface Settings extends Lifetimes {
  readonly values: Values;
  readonly backendName: string;
  readonly hashIds: boolean;
  readonly merge: MergeRules;
  readonly maxBytes: number;
  readonly codec: Codec;
  readonly alsoRead: readonly Codec[];
  readonly takeover: Takeover | undefined;
  readonly ownerOf: SessionStoreOptions['ownerOf'];
  readonly maxPerOwner: number;
  readonly onLimit: 'evict-oldest' | 'reject';
  readonly onStoreError: 'error' | 'anonymous';
  readonly prefix: string;
  readonly clock: Clock;
}

export const storeNames: readonly (keyof SessionStoreOptions)[] = [
  'backend',
  'ttl',
  'absoluteTtl',
  'touchEvery',
  'hashIds',
  'merge',
  'maxBytes',
  'codec',
  'alsoRead',
  'readLegacy',
  'ownerOf',
  'maxPerOwner',
  'onLimit',
  'onStoreError',
  'prefix',
  'clock',
];

/**
 * @param where how the caller wrote the call: `new SessionStore()`
 * @param known the names that `options` may have
 * @throws {HotshelfError} `OPTION_INVALID` or `FACET_MISSING`
 */
export function checkStoreOptions(options: SessionStoreOptions, where: string, known: readonly string[]): Settings {
  checkOptionNames(options ?? null, known, where);
  const { backend, absoluteTtl, ownerOf } = options;
  if (!isObject(backend) || typeof backend.name !== 'string') {
    throw expected(`\`backend\` of ${where} to be a backend such as memory() or await connect(url)`, backend);
  }
  const whole = { ...storeDefaults, merge: {}, codec: jsonCodec, alsoRead: [], clock: systemClock, ...given(options) };
  const { touchEvery, hashIds, maxBytes, onLimit, onStoreError, prefix, maxPerOwner } = whole;
  if (typeof touchEvery !== 'number' || !(touchEvery >= 0 && touchEvery <= 0.5))
    throw expected('`touchEvery` to be a share of the ttl from 0 to 0.5', touchEvery);
  if (typeof hashIds !== 'boolean') throw expected('`hashIds` to be true or false', hashIds);
  checkWhole('maxBytes', maxBytes);
  checkWhole('maxPerOwner', maxPerOwner);
  checkOneOf('onLimit', onLimit, ['evict-oldest', 'reject']);
  checkOneOf('onStoreError', onStoreError, ['error', 'anonymous']);
  if (ownerOf !== undefined && typeof ownerOf !== 'function') throw expected('`ownerOf` to be a function', ownerOf);
  if (options.maxPerOwner !== undefined && ownerOf === undefined)
    throw new HotshelfError('OPTION_INVALID', '`maxPerOwner` needs `ownerOf`: who has a session is not known.');
  if (options.onLimit !== undefined && ownerOf === undefined)
    throw new HotshelfError('OPTION_INVALID', '`onLimit` needs `ownerOf`: who has a session is not known.');
  if (typeof prefix !== 'string' || !/^[\w.-]{1,40}$/.test(prefix))
    throw expected('`prefix` to be 1 to 40 letters, digits, "_", "." or "-"', prefix);
  if (typeof whole.clock?.now !== 'function') throw expected('`clock` to be a Clock', whole.clock);
  checkMerge(whole.merge);
  checkCodecs([whole.codec, ...asList(whole.alsoRead)]);
  const values = facet(backend, 'values', where);
  const absoluteTtlMs = absoluteTtl === undefined ? Infinity : durationMs(absoluteTtl, 'absoluteTtl');
  const lifetimes = { ttlMs: durationMs(whole.ttl, 'ttl'), absoluteTtlMs, touchEvery };
  return {
    ...whole,
    ...lifetimes,
    values,
    backendName: backend.name,
    takeover: takeoverFor(backend, values, options.readLegacy, lifetimes),
    ownerOf,
    maxPerOwner,
    maxBytes: Math.min(maxBytes, values.maxValueBytes),
  };
}

function takeoverFor(
  backend: BackendWith<'values'>,
  values: Values,
  option: SessionStoreOptions['readLegacy'],
  lifetimes: Lifetimes,
): Takeover | undefined {
  const source = checkLegacy(option);
  if (source === undefined) return undefined;
  if (values.foreign !== undefined) return new Takeover(source, values.foreign, values, lifetimes);
  throw new HotshelfError(
    'FACET_MISSING',
    `The ${backend.name} adapter cannot read what connect-redis stored. Use the redis adapter on the same Redis for \`readLegacy\`.`,
  );
}

/** An option that is there and `undefined` is one that was not given. */
export function given<Options extends object>(
  options: Options,
): { [Name in keyof Options]: Exclude<Options[Name], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Name in keyof Options]: Exclude<Options[Name], undefined> };
}

function checkMerge(rules: unknown): void {
  if (!isObject(rules)) throw expected('`merge` to be an object of rules by the names of fields', rules);
  for (const [name, rule] of Object.entries(rules)) {
    if (name === 'cookie') throw new HotshelfError('OPTION_INVALID', 'The cookie of a session is never merged.');
    if (typeof rule === 'function' || (typeof rule === 'string' && ['last', 'sum', 'union'].includes(rule))) continue;
    throw expected(`\`merge.${name.slice(0, 40)}\` to be 'last', 'sum', 'union' or a function`, rule);
  }
}

function checkCodecs(codecs: readonly unknown[]): void {
  for (const codec of codecs) {
    const isCodec = isObject(codec) && typeof codec.encode === 'function' && typeof codec.decode === 'function';
    if (!isCodec) throw expected('`codec`, and each of `alsoRead`, to be a codec such as jsonCodec', codec);
  }
}

function asList(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw expected('`alsoRead` to be an array of codecs', value);
}

function checkWhole(name: string, value: unknown): void {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return;
  throw expected(`\`${name}\` to be a whole number above 0`, value);
}

function checkOneOf(name: string, value: unknown, allowed: readonly string[]): void {
  if (typeof value === 'string' && allowed.includes(value)) return;
  throw expected(`\`${name}\` to be ${allowed.map((one) => `'${one}'`).join(' or ')}`, value);
}
