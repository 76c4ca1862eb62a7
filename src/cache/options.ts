/** The options of a cache: names, units, defaults and checks. */

import type { BackendWith } from '../backend/backend.ts';
import { facet } from '../backend/facet.ts';
import type { Codec } from '../codec/codec.ts';
import { jsonCodec } from '../codec/json.ts';
import { type Clock, systemClock } from '../support/clock.ts';
import { type Duration, durationMs } from '../support/duration.ts';
import { describe, HotshelfError } from '../support/errors.ts';
import { checkOptionNames } from '../support/options.ts';
import { checkName } from './key.ts';

/** What may be said for a whole cache, for a namespace, and for one call; the narrowest wins. */
export interface EntryOptions {
  /**
   * How long an entry is fresh.
   * @default '1m'
   */
  ttl?: Duration;
  /**
   * How long a cached `null` is fresh: "there is no such row" is worth less than a row.
   * @default '30s', or the ttl if that is shorter
   */
  negativeTtl?: Duration;
  /**
   * How long a caller waits for a load that another process is doing before it loads by itself. A process that died while
   * loading is noticed within half a second, whatever this says.
   * @default '10s'
   */
  wait?: Duration;
}

export interface NamespaceOptions extends EntryOptions {
  /**
   * The most bytes that an encoded value may have. A loaded value above it reaches its caller and is not cached.
   * @default what the backend can hold
   */
  maxValueBytes?: number;
}

export interface CacheOptions extends NamespaceOptions {
  /** Where entries are kept: `memory()`, `redis(…)`, `memcached(…)` or `await connect(url)`. */
  backend: BackendWith<'values'>;
  /**
   * The first part of every key. Two applications on one server need two prefixes.
   * @default 'hs'
   */
  prefix?: string;
  /**
   * Turns values into bytes.
   * @default jsonCodec
   */
  codec?: Codec;
  /**
   * Time and randomness, for tests.
   * @default systemClock
   */
  clock?: Clock;
}

export interface SetOptions extends EntryOptions {
  /** A number that grows with each change of the value, such as a row version: an entry with a larger one is kept. */
  version?: number;
}

export interface MutateOptions {
  /**
   * How far the replicas of the database may lag behind: the keys stay uncached, and `mutate` unresolved, for this long
   * after the write, so that nobody puts a replica's old row back.
   * @default 0
   */
  settle?: Duration;
  /**
   * Reject with `INVALIDATION_UNCONFIRMED` when the backend did not confirm, instead of resolving with the result.
   * @default false
   */
  strict?: boolean;
}

/** Options after every default was applied; spans in ms. */
export interface Policy {
  readonly ttlMs: number;
  /** `undefined` until somebody said it. */
  readonly negativeTtlMs: number | undefined;
  readonly waitMs: number;
  readonly maxValueBytes: number;
}

export const defaults = { ttl: '1m', negativeTtl: '30s', wait: '10s', prefix: 'hs' } as const;

const negativeTtlMs = durationMs(defaults.negativeTtl, 'negativeTtl');

/** How long `value` is fresh, in whole ms: backends take no parts of one. */
export function lifetimeMs(value: unknown, policy: Policy): number {
  return Math.ceil(value === null ? (policy.negativeTtlMs ?? Math.min(negativeTtlMs, policy.ttlMs)) : policy.ttlMs);
}

const entryNames = ['ttl', 'negativeTtl', 'wait'];
const namespaceNames = [...entryNames, 'maxValueBytes'];
const cacheNames = [...namespaceNames, 'backend', 'prefix', 'codec', 'clock'];

/** The policy before anybody said anything. */
export function defaultPolicy(backendMaxBytes: number): Policy {
  return {
    ttlMs: durationMs(defaults.ttl, 'ttl'),
    negativeTtlMs: undefined,
    waitMs: durationMs(defaults.wait, 'wait'),
    maxValueBytes: backendMaxBytes,
  };
}

export function isSamePolicy(a: Policy, b: Policy): boolean {
  return (
    a.ttlMs === b.ttlMs &&
    a.negativeTtlMs === b.negativeTtlMs &&
    a.waitMs === b.waitMs &&
    a.maxValueBytes === b.maxValueBytes
  );
}

/** Returns `base` with what `options` say. @throws {HotshelfError} `OPTION_INVALID` */
export function narrow(base: Policy, options: EntryOptions | undefined, where: string): Policy {
  if (options === undefined) return base;
  checkOptionNames(options, entryNames, where);
  return merge(base, options);
}

/** As `narrow`, for a namespace. */
export function narrowNamespace(base: Policy, options: NamespaceOptions | undefined, where: string): Policy {
  if (options === undefined) return base;
  checkOptionNames(options, namespaceNames, where);
  return mergeNamespace(base, options);
}

/** As `narrow`, for `set`. */
export function narrowSet(base: Policy, options: SetOptions | undefined): Policy {
  if (options === undefined) return base;
  checkOptionNames(options, [...entryNames, 'version'], 'set()');
  const { version } = options;
  if (version !== undefined && !Number.isFinite(version)) {
    throw new HotshelfError('OPTION_INVALID', `Expected \`version\` to be a finite number, got ${describe(version)}.`);
  }
  return merge(base, options);
}

/** @throws {HotshelfError} `OPTION_INVALID` */
export function checkMutateOptions(options: MutateOptions | undefined): { settleMs: number; strict: boolean } {
  checkOptionNames(options, ['settle', 'strict'], 'mutate()');
  const { settle = 0, strict = false } = options ?? {};
  if (typeof strict !== 'boolean') {
    throw new HotshelfError('OPTION_INVALID', `Expected \`strict\` to be true or false, got ${describe(strict)}.`);
  }
  return { settleMs: durationMs(settle, 'settle', { orZero: true }), strict };
}

/** What a cache is made of, all checked. @throws {HotshelfError} `OPTION_INVALID` or `FACET_MISSING` */
export function checkCacheOptions(options: CacheOptions): {
  policy: Policy;
  prefix: string;
  codec: Codec;
  clock: Clock;
} {
  checkOptionNames(options, cacheNames, 'createCache()');
  const { backend, prefix = defaults.prefix, codec = jsonCodec, clock = systemClock } = options ?? {};
  if (typeof backend !== 'object' || typeof backend?.name !== 'string') {
    throw new HotshelfError(
      'OPTION_INVALID',
      `Expected \`backend\` of createCache() to be a backend such as memory() or await connect(url), got ${describe(backend)}.`,
    );
  }
  checkMethods(codec, '`codec`', ['encode', 'decode', 'isPlain']);
  if (!Number.isInteger(codec.id) || codec.id < 1 || codec.id > 255) {
    throw new HotshelfError(
      'OPTION_INVALID',
      `Expected the \`id\` of \`codec\` to be from 1 to 255, got ${describe(codec.id)}.`,
    );
  }
  checkMethods(clock, '`clock`', ['now', 'monotonic', 'after', 'turn', 'random']);
  const { maxValueBytes } = facet(backend, 'values', 'createCache()');
  return {
    policy: mergeNamespace(defaultPolicy(maxValueBytes), options),
    prefix: checkName(prefix, '`prefix`'),
    codec,
    clock,
  };
}

function checkMethods(value: unknown, name: string, methods: readonly string[]): void {
  const missing = methods.find((method) => typeof (value as Record<string, unknown> | null)?.[method] !== 'function');
  if (missing === undefined) return;
  throw new HotshelfError(
    'OPTION_INVALID',
    `Expected ${name} to be an object with a function ${missing}(), got ${describe(value)}.`,
  );
}

function merge(base: Policy, options: EntryOptions): Policy {
  const { ttl, negativeTtl, wait } = options;
  return {
    ttlMs: ttl === undefined ? base.ttlMs : durationMs(ttl, 'ttl'),
    negativeTtlMs: negativeTtl === undefined ? base.negativeTtlMs : durationMs(negativeTtl, 'negativeTtl'),
    waitMs: wait === undefined ? base.waitMs : durationMs(wait, 'wait', { orZero: true }),
    maxValueBytes: base.maxValueBytes,
  };
}

function mergeNamespace(base: Policy, options: NamespaceOptions): Policy {
  const policy = merge(base, options);
  const { maxValueBytes } = options;
  if (maxValueBytes === undefined) return policy;
  if (Number.isSafeInteger(maxValueBytes) && maxValueBytes > 0) {
    return { ...policy, maxValueBytes: Math.min(maxValueBytes, base.maxValueBytes) };
  }
  throw new HotshelfError(
    'OPTION_INVALID',
    `Expected \`maxValueBytes\` to be a whole number of bytes above 0, got ${describe(maxValueBytes)}.`,
  );
}
