/** Turns options into a policy: every default applied, every value checked, spans in ms. */

import type { Codec } from '../codec/codec.ts';
import { tagsFit, tooManyTags } from '../codec/envelope.ts';
import { checkSchema, type StandardSchema } from '../codec/standard-schema.ts';
import { type Duration, durationMs } from '../support/duration.ts';
import { describe, HotshelfError } from '../support/errors.ts';
import { checkOptionNames } from '../support/options.ts';
import { checkCodec } from './check-codec.ts';
import type { Key } from './key.ts';
import type { Lookup } from './lookup.ts';
import {
  type Acceptance,
  defaults,
  type EntryOptions,
  type InvalidateOptions,
  type MutateOptions,
  type NamespaceOptions,
  type SetOptions,
} from './options.ts';

/** A function of a value whose type nobody knows any more: it is only ever called with what its own loader gave. */
type OfValue<Result> = (value: never) => Result;

export interface Policy {
  readonly ttl: number | OfValue<Duration>;
  /** `undefined` until somebody said it. */
  readonly negativeTtlMs: number | undefined;
  readonly jitter: number;
  readonly graceMs: number;
  readonly refresh: number | 'xfetch' | undefined;
  readonly swr: boolean;
  readonly softMs: number;
  readonly hardMs: number;
  readonly waitMs: number;
  /** Full keys of the tags that are known before the load. */
  readonly tags: readonly string[];
  readonly tagsOf: readonly OfValue<readonly Key[]>[];
  readonly fresh: boolean;
  readonly verify: number;
  readonly schema: StandardSchema | undefined;
  readonly accept: OfFound | undefined;
  readonly maxValueBytes: number;
  readonly codec: Codec;
}

type OfFound = (found: Lookup<never>) => Acceptance;

/** Writes a tag as its full key. */
export type TagKeyOf = (tag: Key) => string;

const negativeTtlMs = durationMs(defaults.negativeTtl, 'negativeTtl');

/** How long `value` is fresh, in whole ms: backends take no parts of one. `random` is from 0 to 1. */
export function lifetimeMs(value: unknown, policy: Policy, random: number): number {
  return Math.ceil(freshMs(value, policy) * (1 - policy.jitter * random));
}

/** Without jitter. A `negativeTtl` that somebody gave says it all of a `null`, for which few functions have an answer. */
function freshMs(value: unknown, policy: Policy): number {
  const { ttl } = policy;
  if (value === null && policy.negativeTtlMs !== undefined) return policy.negativeTtlMs;
  const ttlMs = typeof ttl === 'number' ? ttl : durationMs(ttl(value as never), 'ttl(value)');
  return value === null ? Math.min(negativeTtlMs, ttlMs) : ttlMs;
}

/** The options of `get`. */
export const entryNames = [
  'ttl',
  'negativeTtl',
  'jitter',
  'grace',
  'refresh',
  'swr',
  'timeout',
  'wait',
  'tags',
  'fresh',
  'verify',
  'schema',
  'accept',
];
const namespaceNames = [...entryNames, 'maxValueBytes', 'version', 'codec'];
export const cacheNames = [...namespaceNames, 'backend', 'prefix', 'local', 'announce', 'clock'];

/** The policy before anybody said anything. */
export function defaultPolicy(backendMaxBytes: number, codec: Codec): Policy {
  return {
    ttl: durationMs(defaults.ttl, 'ttl'),
    negativeTtlMs: undefined,
    jitter: defaults.jitter,
    graceMs: 0,
    refresh: undefined,
    swr: false,
    softMs: Infinity,
    hardMs: Infinity,
    waitMs: durationMs(defaults.wait, 'wait'),
    tags: [],
    tagsOf: [],
    fresh: false,
    verify: 0,
    schema: undefined,
    accept: undefined,
    maxValueBytes: backendMaxBytes,
    codec,
  };
}

/** What a namespace starts with that says everything about its entries itself: the limits of `policy`, and its codec. */
export function barePolicy({ maxValueBytes, codec, waitMs }: Policy): Policy {
  return { ...defaultPolicy(maxValueBytes, codec), waitMs };
}

/** Tells whether two policies say the same. */
export function isSamePolicy(a: Policy, b: Policy): boolean {
  return (Object.keys(a) as (keyof Policy)[]).every((name) => {
    const [one, other] = [a[name], b[name]];
    if (!Array.isArray(one) || !Array.isArray(other)) return one === other;
    return one.length === other.length && one.every((part, index) => part === other[index]);
  });
}

/** Returns `base` with what `options` say. @throws {HotshelfError} `OPTION_INVALID` */
export function narrow(base: Policy, options: EntryOptions<never>, where: string, tagKeyOf: TagKeyOf): Policy {
  checkOptionNames(options, entryNames, where);
  return merge(base, options, tagKeyOf);
}

/** As `narrow`, for a namespace or, with `names`, for a whole cache. */
export function narrowNamespace(
  base: Policy,
  options: NamespaceOptions,
  where: string,
  tagKeyOf: TagKeyOf,
  names: readonly string[] = namespaceNames,
): Policy {
  checkOptionNames(options, names, where);
  const codec = options.codec === undefined ? base.codec : innermost(base.codec, checkCodec(options.codec));
  const policy = { ...merge(base, options, tagKeyOf), codec };
  const { maxValueBytes } = options;
  if (maxValueBytes === undefined) return policy;
  if (Number.isSafeInteger(maxValueBytes) && maxValueBytes > 0) {
    return { ...policy, maxValueBytes: Math.min(maxValueBytes, base.maxValueBytes) };
  }
  throw wrong('maxValueBytes', 'a whole number of bytes above 0', maxValueBytes);
}

/** As `narrow`, for `set`. */
export function narrowSet(base: Policy, options: SetOptions<never> | undefined, tagKeyOf: TagKeyOf): Policy {
  if (options === undefined) return base;
  checkOptionNames(options, [...entryNames, 'version'], 'set()');
  const { version } = options;
  if (version !== undefined && !Number.isFinite(version)) throw wrong('version', 'a finite number', version);
  return merge(base, options, tagKeyOf);
}

/** @throws {HotshelfError} `OPTION_INVALID` */
export function checkMutateOptions(options: MutateOptions | undefined) {
  checkOptionNames(options, ['tags', 'settle', 'strict', 'ack'], 'mutate()');
  const { tags = [], settle = 0, strict = false, ack } = options ?? {};
  if (!Array.isArray(tags)) throw wrong('tags', 'a list of keys', tags);
  return {
    tags: tags as readonly Key[],
    settleMs: durationMs(settle, 'settle', { orZero: true }),
    strict: flag('strict', strict, false),
    ack: ack === undefined ? undefined : flag('ack', ack, false),
  };
}

/** @throws {HotshelfError} `OPTION_INVALID` */
export function checkInvalidateOptions(options: InvalidateOptions | undefined, where: string) {
  checkOptionNames(options, ['soft', 'ack'], where);
  const { soft, ack } = options ?? {};
  return { soft: flag('soft', soft, false), ack: ack === undefined ? undefined : flag('ack', ack, false) };
}

function merge(base: Policy, options: EntryOptions<never>, tagKeyOf: TagKeyOf): Policy {
  const { ttl, negativeTtl, grace, wait, timeout, tags, schema } = options;
  if (timeout !== undefined) checkOptionNames(timeout, ['soft', 'hard'], '`timeout`');
  if (schema !== undefined) checkSchema(schema, '`schema`');
  const span = (value: Duration | undefined, name: string, otherwise: number, orZero = false) =>
    value === undefined ? otherwise : durationMs(value, name, { orZero });
  return {
    ttl: typeof ttl === 'function' ? ttl : ttl === undefined ? base.ttl : durationMs(ttl, 'ttl'),
    negativeTtlMs: negativeTtl === undefined ? base.negativeTtlMs : durationMs(negativeTtl, 'negativeTtl'),
    jitter: share('jitter', options.jitter, base.jitter, 0.5),
    graceMs: Math.ceil(span(grace, 'grace', base.graceMs, true)),
    refresh: refreshOf(options.refresh, base.refresh),
    swr: flag('swr', options.swr, base.swr),
    softMs: span(timeout?.soft, 'timeout.soft', base.softMs, true),
    hardMs: span(timeout?.hard, 'timeout.hard', base.hardMs),
    waitMs: span(wait, 'wait', base.waitMs, true),
    ...tagsOf(tags, base, tagKeyOf),
    fresh: flag('fresh', options.fresh, base.fresh),
    verify: share('verify', options.verify, base.verify, 1),
    schema: schema ?? base.schema,
    accept: acceptOf(options.accept) ?? base.accept,
    maxValueBytes: base.maxValueBytes,
    codec: base.codec,
  };
}

/** What compresses and encrypts around the codec stays: a namespace with a format of its own is as secret as the others. */
function innermost(outer: Codec, inner: Codec): Codec {
  return outer === inner ? outer : (outer.over?.(inner) ?? inner);
}

function acceptOf(accept: EntryOptions<never>['accept']): Policy['accept'] {
  if (accept === undefined || typeof accept === 'function') return accept;
  throw wrong('accept', 'a function', accept);
}

function tagsOf(tags: EntryOptions<never>['tags'], base: Policy, tagKeyOf: TagKeyOf): Pick<Policy, 'tags' | 'tagsOf'> {
  if (tags === undefined) return { tags: base.tags, tagsOf: base.tagsOf };
  if (typeof tags === 'function') return { tags: base.tags, tagsOf: [...base.tagsOf, tags] };
  const all = withTags(base.tags, tags, tagKeyOf);
  if (!tagsFit(all)) throw tooManyTags(all.length);
  return { tags: all, tagsOf: base.tagsOf };
}

/** Returns `known` and the full keys of `tags`, each once. @throws {HotshelfError} `OPTION_INVALID` or `KEY_INVALID` */
export function withTags(known: readonly string[], tags: readonly Key[], tagKeyOf: TagKeyOf): readonly string[] {
  if (!Array.isArray(tags)) throw wrong('tags', 'a list of keys, or a function that returns one', tags);
  return tags.length === 0 ? known : [...new Set([...known, ...tags.map(tagKeyOf)])];
}

function refreshOf(value: EntryOptions['refresh'], base: Policy['refresh']): Policy['refresh'] {
  if (value === undefined) return base;
  if (value === false) return undefined;
  if (value === 'xfetch' || (typeof value === 'number' && value > 0 && value < 1)) return value;
  throw wrong('refresh', 'a share of the ttl between 0 and 1, "xfetch" or false', value);
}

function share(name: string, value: unknown, base: number, most: number): number {
  if (value === undefined) return base;
  if (typeof value === 'number' && value >= 0 && value <= most) return value;
  throw wrong(name, `a number from 0 to ${most}`, value);
}

function flag(name: string, value: unknown, base: boolean): boolean {
  if (value === undefined) return base;
  if (typeof value === 'boolean') return value;
  throw wrong(name, 'true or false', value);
}

function wrong(name: string, expected: string, value: unknown): HotshelfError {
  return new HotshelfError('OPTION_INVALID', `Expected \`${name}\` to be ${expected}, got ${describe(value)}.`);
}
