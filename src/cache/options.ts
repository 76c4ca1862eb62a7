/** The options of a cache: names, units and defaults. */

import type { BackendWith } from '../backend/backend.ts';
import type { Codec } from '../codec/codec.ts';
import type { StandardSchema } from '../codec/standard-schema.ts';
import type { Clock } from '../support/clock.ts';
import type { Duration } from '../support/duration.ts';
import type { Key } from './key.ts';
import type { LocalOptions } from './local/options.ts';
import type { Lookup } from './lookup.ts';

/** What may be said for a whole cache, for a namespace, and for one call; the narrowest wins. */
export interface EntryOptions<Value = unknown> {
  /**
   * How long an entry is fresh, or a function of the value that says so; it is asked of a `null` only without `negativeTtl`.
   * @default '1m'
   */
  ttl?: Duration | ((value: Value) => Duration);
  /**
   * How long a cached `null` is fresh: "there is no such row" is worth less than a row.
   * @default '30s', or the ttl if that is shorter
   */
  negativeTtl?: Duration;
  /**
   * The share of the ttl, 0 to 0.5, by which entries may end earlier, at random: those that were stored together are then
   * not loaded together.
   * @default 0.05
   */
  jitter?: number;
  /**
   * How long after its ttl an entry may still help: while the load fails, while it is slow (`timeout.soft`), or while it goes
   * on behind (`swr`). What was invalidated never helps.
   * @default 0
   */
  grace?: Duration;
  /**
   * Load a fresh entry again behind its readers: from this share of its ttl on (0.8), or with `'xfetch'` at random, the
   * sooner the longer its load took.
   * @default false
   */
  refresh?: number | 'xfetch' | false;
  /**
   * Answer from a stale entry at once and load behind, within `grace`; otherwise the reader waits for the load.
   * @default false
   */
  swr?: boolean;
  /** How long a load may take. */
  timeout?: {
    /**
     * After this a stale entry within its grace is answered, and the load completes behind.
     * @default never
     */
    soft?: Duration;
    /**
     * After this the loader's `signal` fires and readers get the stale entry or `CACHE_LOAD_TIMEOUT`. Whoever waits for the load of
     * another caller, in this process or another, waits no longer either; a load of his own then has this time for itself.
     * @default never
     */
    hard?: Duration;
  };
  /**
   * How long a caller waits for a load that another process is doing before it loads by itself. A process that died while
   * loading is noticed within half a second, whatever this says.
   * @default '10s'
   */
  wait?: Duration;
  /**
   * Labels of the entry, or a function of the value that gives them; `invalidateTags` ends all entries with a label at once. They
   * add to those of the namespace and hold for the whole cache. Labels that are known before the read cost no extra trip.
   * @default none
   */
  tags?: readonly Key[] | ((value: Value) => readonly Key[]);
  /**
   * Ask the backend even where the local tier has a copy: the answer is from after every invalidation anywhere.
   * @default false
   */
  fresh?: boolean;
  /**
   * The share of hits, 0 to 1, that are loaded again behind and compared; one that differs twice, a second apart, emits
   * `inconsistent`.
   * @default 0
   */
  verify?: number;
  /**
   * A Standard Schema of the value: a cached value that does not fit is a miss, a loaded one is not stored.
   * @default none
   */
  schema?: StandardSchema;
  /**
   * Says of each entry that is found whether it is good enough, in place of its age and of `swr` and the reader's `grace`: for
   * values that know better, such as responses with rules of their own. It must not throw.
   * @default by age
   */
  accept?: (found: Lookup<Value>) => Acceptance;
}

/**
 * What is to be done with an entry that was found: `serve` it; serve it and load again behind (`refresh`); `load`, and serve it
 * if that fails; or `replace` it: load, whatever comes of it.
 */
export type Acceptance = 'serve' | 'refresh' | 'load' | 'replace';

export interface NamespaceOptions extends EntryOptions {
  /**
   * The most bytes that an encoded value may have. A loaded value above it reaches its caller and is not cached.
   * @default what the backend can hold
   */
  maxValueBytes?: number;
  /**
   * The version of what is cached. Entries of another version are misses, invalidations reach all versions: so two releases of
   * an application can run side by side while the shape of a value changes.
   * @default that of the namespace around, or none
   */
  version?: string | number;
  /**
   * Turns values into bytes. In a namespace it takes the place of the innermost codec: what compresses and encrypts around it in
   * the cache stays.
   * @default jsonCodec
   */
  codec?: Codec;
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
   * Keep decoded copies of hits in this process too. A memory backend is local already and ignores it.
   * @default false
   */
  local?: boolean | LocalOptions;
  /**
   * Tell other processes of each invalidation, for their local tiers. `false` is for servers that forbid to publish: then no
   * process may have a local tier.
   * @default true
   */
  announce?: boolean;
  /**
   * Time and randomness, for tests.
   * @default systemClock
   */
  clock?: Clock;
}

export interface SetOptions<Value = unknown> extends EntryOptions<Value> {
  /** A number that grows with each change of the value, such as a row version: an entry with a larger one is kept. */
  version?: number;
}

export interface InvalidateOptions {
  /**
   * Keep the entries for what is left of their ttl and grace: readers load again, and those who allow a grace are answered
   * from the entry if that fails.
   * @default false
   */
  soft?: boolean;
  /**
   * Resolve only when no local tier anywhere has the old value, also one that does not answer: at the latest after `maxLag`.
   * @default that of the local tier
   */
  ack?: boolean;
}

export interface MutateOptions {
  /** Tags that the write invalidates besides the keys. */
  tags?: readonly Key[];
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
  /** As for `invalidate`. */
  ack?: boolean;
}

export const defaults = { ttl: '1m', negativeTtl: '30s', jitter: 0.05, wait: '10s', prefix: 'hs' } as const;
