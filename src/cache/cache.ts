/** The cache as its users see it. */

import { jsonCodec } from '../codec/json.ts';
import type { CacheEvent } from '../observe/events.ts';
import type { CacheStats } from '../observe/stats.ts';
import { describe, HotshelfError } from '../support/errors.ts';
import { checkOptionNames } from '../support/options.ts';
import type { ErasedLoader, Loader } from './load/ask.ts';
import type { BatchLoader } from './read/batch.ts';
import type { Key, KeyPart } from './key.ts';
import { readMany } from './read/many.ts';
import type { Found, Lookup } from './lookup.ts';
import type {
  CacheOptions,
  EntryOptions,
  InvalidateOptions,
  MutateOptions,
  NamespaceOptions,
  SetOptions,
} from './options.ts';
import { checkParts } from './parts.ts';
import {
  barePolicy,
  cacheNames,
  checkInvalidateOptions,
  checkMutateOptions,
  defaultPolicy,
  narrowNamespace,
  narrowSet,
  withTags,
} from './policy.ts';
import { Reader } from './read/read.ts';
import { Shelf } from './shelf.ts';
import { Space, versionOf } from './space.ts';
import { type CachedRule, wrapFunction, type Wrapped } from './wrap/wrap.ts';
import { Writer } from './change/write.ts';

/** `close()` waits at most this long, in ms, for what is going on behind. */
const closeLimitMs = 2000;

/**
 * Makes a cache over a backend. The backend stays its maker's: `close()` of the cache leaves it open.
 *
 * @throws {HotshelfError} `OPTION_INVALID` or `FACET_MISSING`.
 * @example
 * const cache = createCache({ backend: memory(), ttl: '5m' });
 * const city = await cache.get(['city', 7], () => db.city(7));
 */
export function createCache(options: CacheOptions): Cache {
  checkOptionNames(options ?? null, cacheNames, 'createCache()');
  const parts = checkParts(options);
  const shelf = new Shelf(parts);
  const start = defaultPolicy(parts.values.maxValueBytes, jsonCodec);
  const policy = narrowNamespace(start, options, 'createCache()', shelf.tags.keyOf, cacheNames);
  return new Cache(new Space(shelf, parts.prefix, policy, versionOf(options)));
}

/** What lies behind a cache, for the rooms that wrap functions: not part of the package's surface. */
export let spaceOf: (cache: Cache) => Space;

/** As `namespace`, for rooms whose entries have nothing to do with the options that the user gave for his own. */
export let bareNamespace: (cache: Cache, name: string, options: NamespaceOptions) => Cache;

/** As `peek`, for rooms that tell what was not found from what cannot be asked for. */
export let peekAt: (cache: Cache, key: Key) => Promise<Found | 'failed' | undefined>;

/** A cache, or a namespace of one. Made by `createCache` and `namespace`. */
export class Cache implements AsyncDisposable {
  readonly #space: Space;
  readonly #reader: Reader;
  readonly #writer: Writer;

  static {
    spaceOf = (cache) => cache.#space;
    peekAt = (cache, key) => cache.#reader.peek(cache.#space, cache.#space.fullKey(key));
    bareNamespace = (cache, name, options) => {
      const space = cache.#space;
      return new Cache(space.child(name, options, barePolicy(space.policy)), cache.#reader, cache.#writer);
    };
  }

  constructor(space: Space, reader = new Reader(space.shelf), writer = new Writer(space.shelf)) {
    this.#space = space;
    this.#reader = reader;
    this.#writer = writer;
  }

  /**
   * Returns the value for `key`, loading it when no usable entry exists.
   *
   * Callers everywhere that arrive while a load is running share its result. After an `invalidate` resolved, no read that
   * begins later returns a value that was loaded before. If the load fails, or is slow, and a stale entry is within `grace`,
   * that entry is returned. When the backend cannot be used the value comes from the loader. The loader's error is thrown
   * unchanged; a loader that returns `undefined` caches nothing.
   *
   * Treat the value as read-only: readers in one process may get the same frozen object.
   *
   * @throws {HotshelfError} `KEY_INVALID`, `OPTION_INVALID`, `CACHE_LOAD_TIMEOUT` when the load takes longer than
   *   `timeout.hard`, or `VALUE_INVALID` when what the loader returned cannot be encoded.
   * @example
   * const city = await cache.get(['city', id], () => db.city(id), { ttl: '5m', grace: '1h' });
   */
  get<Value>(key: Key, load: Loader<Value>, options?: EntryOptions<NoInfer<Value>>): Promise<Value> {
    const space = this.#space;
    const share = options?.verify ?? space.policy.verify;
    const verify = share > 0 && space.shelf.clock.random() < share;
    const asks = verify || (options?.fresh ?? space.policy.fresh) || (options?.accept ?? space.policy.accept);
    const kept = asks ? undefined : space.kept(key, options?.schema ?? space.policy.schema);
    if (kept !== undefined) return kept.promise as Promise<Value>;
    return this.#read(key, load, options, verify).then(valueOf) as Promise<Value>;
  }

  /** As `get`, and says where the value came from and how long it stays fresh. */
  async lookup<Value>(key: Key, load: Loader<Value>, options?: EntryOptions<NoInfer<Value>>): Promise<Lookup<Value>> {
    return (await this.#read(key, load, options)) as Lookup<Value>;
  }

  /**
   * Returns the values for the keys `[...prefix, id]`, in the order of `ids`: one trip to read them, and one call of
   * `loadMissing` for all that no usable entry exists for, here and in other calls of the same tick with this prefix. Each key
   * is loaded once in the fleet, as with `get`.
   *
   * @throws {HotshelfError} as `get`; if one load fails, so does the whole call.
   * @example
   * const cities = await cache.getMany('city', [7, 8, 9], (ids) => db.cities(ids), { ttl: '5m' });
   */
  async getMany<Id, Value>(
    prefix: Key,
    ids: readonly (Id & KeyPart)[],
    loadMissing: BatchLoader<Id, Value>,
    options?: EntryOptions<NoInfer<Value>>,
  ): Promise<(Value | undefined)[]> {
    checkFunction(loadMissing, 'The loader of getMany()');
    const list: unknown = ids;
    if (!Array.isArray(list)) {
      throw new HotshelfError('KEY_INVALID', `Expected getMany() to get a list of ids, got ${describe(list)}.`);
    }
    const start: unknown = typeof prefix === 'string' ? [prefix] : prefix;
    if (!isTuple(start)) {
      throw new HotshelfError('KEY_INVALID', `Expected the prefix of getMany() to be a key, got ${describe(prefix)}.`);
    }
    const space = this.#space;
    const policy = space.policyOf(options, 'getMany()');
    const keys = ids.map((id) => space.fullKey([...start, id]));
    const idOf = new Map(keys.map((key, index) => [key, ids[index] as Id]));
    const batch = space.batches.of<Id>(start.length === 0 ? space.prefix : space.fullKey(start), loadMissing);
    const found = await readMany(this.#reader, space, policy, idOf, batch);
    return keys.map((key) => found.get(key)) as (Value | undefined)[];
  }

  /** Returns the cached value, or `undefined`; never loads and never rejects because of the backend. */
  async peek(key: Key): Promise<unknown> {
    const found = await this.#reader.peek(this.#space, this.#space.fullKey(key));
    return found === 'failed' ? undefined : found?.value;
  }

  /**
   * Stores `value`; a load in flight is then not stored. With `version` an entry that has a larger one is kept, and `false`
   * returned.
   *
   * What `set` stores is true because its caller says so: a value that was read before somebody changed it, and arrives after
   * the invalidation, stays until the next one. Let `get` load what comes from a database, for `get` never does that.
   *
   * @throws {HotshelfError} `VALUE_INVALID`, `VALUE_TOO_LARGE`, `OPTION_INVALID` before anything is sent; `BACKEND_DOWN`,
   *   `OUTCOME_UNKNOWN` or `BACKEND_REFUSED` when the backend did not confirm: then the key is invalidated as soon as it
   *   answers.
   */
  async set<Value>(key: Key, value: Value, options?: SetOptions<NoInfer<Value>>): Promise<boolean> {
    const full = this.#space.fullKey(key);
    const policy = narrowSet(this.#space.policy, options, this.#space.shelf.tags.keyOf);
    return this.#writer.set(this.#space, { key: full, value, policy, userVersion: options?.version });
  }

  /**
   * Makes sure that nothing loaded before is ever served again under `keys`, by any process, once this resolves. Local tiers
   * follow within their `maxLag`, or before this resolves with `ack`.
   *
   * With `{ soft: true }` as the last argument the entries only become stale: readers load again, and a value within its grace
   * still helps where that fails.
   *
   * @throws {HotshelfError} `BACKEND_DOWN`, `OUTCOME_UNKNOWN` or `BACKEND_REFUSED` when the backend did not confirm. It is
   *   then repeated behind until it does, and until then this process reads these keys from the origin.
   * @example
   * await cache.invalidate(['city', 7], ['country', 'fr']);
   */
  async invalidate(...keys: Key[] | [...keys: Key[], options: InvalidateOptions]): Promise<void> {
    const last = keys.at(-1);
    const isOptions = typeof last === 'object' && last !== null && !Array.isArray(last);
    const plan = checkInvalidateOptions(isOptions ? (last as InvalidateOptions) : undefined, 'invalidate()');
    const full = (isOptions ? keys.slice(0, -1) : keys).map((key) => this.#space.fullKey(key as Key));
    if (full.length > 0) await this.#writer.invalidate(this.#space, full, plan);
  }

  /**
   * As `invalidate`, for every entry of the whole cache that has one of these tags: a few commands, however many there are.
   *
   * @throws {HotshelfError} as `invalidate`
   * @example
   * await cache.invalidateTags([['country', 'fr']]);
   */
  async invalidateTags(tags: readonly Key[], options?: InvalidateOptions): Promise<void> {
    const plan = checkInvalidateOptions(options, 'invalidateTags()');
    const full = withTags([], tags, this.#space.shelf.tags.keyOf);
    if (full.length > 0) await this.#writer.invalidateTags(this.#space, full, plan);
  }

  /** As `invalidate` for one key; returns whether anything stood there: an entry, fresh or not, or a load in flight. */
  async delete(key: Key): Promise<boolean> {
    const plan = { soft: false, ack: undefined };
    return (await this.#writer.invalidate(this.#space, [this.#space.fullKey(key)], plan)) > 0;
  }

  /**
   * Invalidates everything in this namespace and those inside it. On a server this is one write, whatever the number of
   * entries, and resolves 110 ms after it, when no process trusts what it knew before; in memory the entries are deleted.
   * Rejects as `invalidate` does, and is then repeated likewise.
   */
  clear(): Promise<void> {
    return this.#writer.clear(this.#space);
  }

  /**
   * Changes the truth and invalidates `keys`, and what the write itself names, once. While `write` runs nothing is cached under
   * them, also if this process dies between the commit and the invalidation. Resolves with what `write` returns; its error is
   * thrown unchanged.
   *
   * When the backend does not confirm, the write is done all the same: `mutate` resolves, emits `unconfirmed` and goes on
   * trying; with `strict: true` it rejects instead.
   *
   * @throws {HotshelfError} `INVALIDATION_UNCONFIRMED` (an `UnconfirmedError`, with `result`) in strict mode only.
   * @example
   * await cache.mutate([['city', 7]], () => db.rename(7, 'Nice'));
   * await cache.mutate([], (mutation) =>
   *   db.transaction(async (sql) => {
   *     const city = await sql.rename(7, 'Nice');
   *     await mutation.invalidateTags(['country', city.country]);
   *   }),
   * );
   */
  async mutate<Result>(
    keys: readonly Key[],
    write: (mutation: Mutation) => Promise<Result> | Result,
    options?: MutateOptions,
  ): Promise<Result> {
    if (!Array.isArray(keys)) {
      throw new HotshelfError('KEY_INVALID', `Expected mutate() to get a list of keys, got ${describe(keys)}.`);
    }
    checkFunction(write, 'The write of mutate()');
    const space = this.#space;
    const { keyOf } = space.shelf.tags;
    const checked = checkMutateOptions(options);
    const full = (some: readonly Key[]) => [...new Set(some.map((key) => space.fullKey(key)))];
    const plan = { ...checked, keys: full(keys), tags: withTags([], checked.tags, keyOf) };
    return this.#writer.mutate(space, plan, (hold) =>
      write({
        invalidate: async (...more) => hold(full(more), []),
        invalidateTags: async (...tags) => hold([], withTags([], tags, keyOf)),
      }),
    );
  }

  /** Returns the part of this cache that has keys, options and statistics of its own under `name`. */
  namespace(name: string, options?: NamespaceOptions): Cache {
    return new Cache(this.#space.child(name, options), this.#reader, this.#writer);
  }

  /**
   * Returns a function that does what `fn` does, through the cache. Its key is `[name, ...arguments]`.
   *
   * @example
   * const cityOf = cache.wrap('city', (id: number) => db.city(id), { ttl: '5m' });
   * await cityOf(7);
   * await cityOf.invalidate(7);
   */
  wrap<Args extends readonly unknown[], Value>(
    name: string,
    fn: (...args: Args) => Promise<Value> | Value,
    rule?: CachedRule<Args, Value>,
  ): Wrapped<Args, Value> {
    return wrapFunction({ cache: this, space: this.#space }, name, fn, rule);
  }

  /**
   * Calls `listener` for each event of this namespace and those inside it; the returned function ends that.
   *
   * @throws {HotshelfError} `OPTION_INVALID` if it is no function.
   */
  on(listener: (event: CacheEvent) => void): () => void {
    checkFunction(listener, 'The listener of on()');
    const { shelf, root, name } = this.#space;
    if (this.#space === root) return shelf.events.on(listener);
    return shelf.events.on((event) => {
      if (`${event.cache}/`.startsWith(`${name}/`)) listener(event);
    });
  }

  /** Counts of this namespace and those inside it. */
  stats(): CacheStats {
    return this.#space.stats();
  }

  /**
   * Ends the whole cache: tries once more what is unconfirmed and waits at most 2 s for what goes on behind. Reads then go to
   * the origin; changes reject with `CLOSED`. The backend stays open.
   */
  async close(): Promise<void> {
    const { shelf } = this.#space;
    if (shelf.closed) return;
    shelf.closed = true;
    shelf.behind(shelf.unconfirmed.end().then(() => shelf.news.close()));
    await shelf.settle(closeLimitMs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #read(key: Key, load: ErasedLoader, options: EntryOptions<never> | undefined, verify?: boolean): Promise<Found> {
    try {
      const space = this.#space;
      const full = space.fullKey(key);
      checkFunction(load, 'The loader');
      return this.#reader.read({ space, key: full, load, policy: space.policyOf(options, 'get()'), verify });
    } catch (error) {
      return Promise.reject(error);
    }
  }
}

/**
 * What a write of `mutate` may name besides, once it knows: to be awaited before the transaction commits. What is named when the
 * write is over is invalidated at once, as by `cache.invalidate`.
 */
export interface Mutation {
  /** More keys of the same namespace. */
  readonly invalidate: (...keys: Key[]) => Promise<void>;
  /** Tags of the whole cache. */
  readonly invalidateTags: (...tags: Key[]) => Promise<void>;
}

function valueOf(found: Found): unknown {
  return found.value;
}

function isTuple(value: unknown): value is readonly KeyPart[] {
  return Array.isArray(value);
}

function checkFunction(value: unknown, what: string): void {
  if (typeof value === 'function') return;
  throw new HotshelfError('OPTION_INVALID', `${what} must be a function, got ${describe(value)}.`);
}
