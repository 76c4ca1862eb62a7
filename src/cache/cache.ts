/** The cache as its users see it. */

import type { CacheEvent } from '../observe/events.ts';
import type { CacheStats } from '../observe/stats.ts';
import { describe, HotshelfError } from '../support/errors.ts';
import type { Key, KeyPart } from './key.ts';
import type { Loader } from './load.ts';
import type { Found, Lookup } from './lookup.ts';
import {
  type CacheOptions,
  checkCacheOptions,
  checkMutateOptions,
  type EntryOptions,
  type MutateOptions,
  type NamespaceOptions,
  narrow,
  narrowSet,
  type SetOptions,
} from './options.ts';
import { facet } from '../backend/facet.ts';
import { Reader } from './read.ts';
import { Shelf } from './shelf.ts';
import { Space } from './space.ts';
import { Writer } from './write.ts';

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
  const { policy, prefix, codec, clock } = checkCacheOptions(options);
  const { backend } = options;
  const values = facet(backend, 'values', 'createCache()');
  const shelf = new Shelf({ backend, values, codec, clock, prefix });
  return new Cache(new Space(shelf, prefix, policy));
}

/** A cache, or a namespace of one. Made by `createCache` and `namespace`. */
export class Cache implements AsyncDisposable {
  readonly #space: Space;
  readonly #reader: Reader;
  readonly #writer: Writer;

  constructor(space: Space, reader = new Reader(space.shelf), writer = new Writer(space.shelf)) {
    this.#space = space;
    this.#reader = reader;
    this.#writer = writer;
  }

  /**
   * Returns the value for `key`, loading it when no usable entry exists.
   *
   * Callers everywhere that arrive while a load is running share its result. After an `invalidate` resolved, no read that
   * begins later returns a value that was loaded before. When the backend cannot be used the value comes from the loader.
   * The loader's error is thrown unchanged; a loader that returns `undefined` caches nothing.
   *
   * Treat the value as read-only: in-process backends hand the same frozen object to every reader.
   *
   * @throws {HotshelfError} `KEY_INVALID`, `OPTION_INVALID`, or `VALUE_INVALID` when what the loader returned cannot be
   *   encoded.
   * @example
   * const city = await cache.get(['city', id], () => db.city(id), { ttl: '5m' });
   */
  get<Value>(key: Key, load: Loader<Value>, options?: EntryOptions): Promise<Value> {
    const kept = this.#space.kept(key);
    if (kept !== undefined) return kept.promise as Promise<Value>;
    return this.#read(key, load, options).then(valueOf) as Promise<Value>;
  }

  /** As `get`, and says where the value came from and how long it stays fresh. */
  async lookup<Value>(key: Key, load: Loader<Value>, options?: EntryOptions): Promise<Lookup<Value>> {
    return (await this.#read(key, load, options)) as Lookup<Value>;
  }

  /** Returns the cached value, or `undefined`; never loads and never rejects because of the backend. */
  async peek(key: Key): Promise<unknown> {
    return (await this.#reader.peek(this.#space, this.#space.fullKey(key)))?.value;
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
  async set(key: Key, value: unknown, options?: SetOptions): Promise<boolean> {
    const full = this.#space.fullKey(key);
    const policy = narrowSet(this.#space.policy, options);
    return this.#writer.set(this.#space, { key: full, value, policy, userVersion: options?.version });
  }

  /**
   * Makes sure that nothing loaded before is ever served again under `keys`, by any process, once this resolves.
   *
   * @throws {HotshelfError} `BACKEND_DOWN`, `OUTCOME_UNKNOWN` or `BACKEND_REFUSED` when the backend did not confirm. It is
   *   then repeated behind until it does, and until then this process reads these keys from the origin.
   * @example
   * await cache.invalidate(['city', 7], ['country', 'fr']);
   */
  async invalidate(...keys: readonly Key[]): Promise<void> {
    const full = keys.map((key) => this.#space.fullKey(key));
    if (full.length > 0) await this.#writer.delete(this.#space, full);
  }

  /** As `invalidate` for one key; returns whether anything stood there: an entry, fresh or not, or a load in flight. */
  async delete(key: Key): Promise<boolean> {
    return (await this.#writer.delete(this.#space, [this.#space.fullKey(key)])) > 0;
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
   * Changes the truth and invalidates `keys`. While `write` runs nothing is cached under them, also if this process dies
   * between the commit and the invalidation. Resolves with what `write` returns; its error is thrown unchanged.
   *
   * When the backend does not confirm, the write is done all the same: `mutate` resolves, emits `unconfirmed` and goes on
   * trying; with `strict: true` it rejects instead.
   *
   * @throws {HotshelfError} `INVALIDATION_UNCONFIRMED` (an `UnconfirmedError`, with `result`) in strict mode only.
   * @example
   * await cache.mutate([['city', 7]], () => db.rename(7, 'Nice'));
   */
  async mutate<Result>(
    keys: readonly Key[],
    write: () => Promise<Result> | Result,
    options?: MutateOptions,
  ): Promise<Result> {
    if (!Array.isArray(keys)) {
      throw new HotshelfError('KEY_INVALID', `Expected mutate() to get a list of keys, got ${describe(keys)}.`);
    }
    checkFunction(write, 'The write of mutate()');
    const checked = checkMutateOptions(options);
    const full = [...new Set(keys.map((key) => this.#space.fullKey(key)))];
    return this.#writer.mutate(this.#space, full, write, checked);
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
  wrap<Args extends readonly KeyPart[], Value>(
    name: string,
    fn: (...args: Args) => Promise<Value> | Value,
    options?: EntryOptions,
  ): Wrapped<Args, Value> {
    checkFunction(fn, 'The function of wrap()');
    narrow(this.#space.policy, options, 'wrap()');
    const keyOf = (args: Args): Key => [name, ...args];
    const wrapped = (...args: Args): Promise<Value> => this.get(keyOf(args), () => fn(...args), options);
    return Object.assign(wrapped, { invalidate: (...args: Args) => this.invalidate(keyOf(args)) });
  }

  /** Calls `listener` for each event of the whole cache; the returned function ends that. */
  on(listener: (event: CacheEvent) => void): () => void {
    return this.#space.shelf.events.on(listener);
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
    shelf.behind(shelf.unconfirmed.end());
    await shelf.settle(closeLimitMs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #read(key: Key, load: Loader<unknown>, options: EntryOptions | undefined): Promise<Found> {
    try {
      const full = this.#space.fullKey(key);
      checkFunction(load, 'The loader');
      const policy = narrow(this.#space.policy, options, 'get()');
      return this.#reader.read({ space: this.#space, key: full, load, policy });
    } catch (error) {
      return Promise.reject(error);
    }
  }
}

/** A cached function; `invalidate` takes the arguments whose result is no longer true. */
export type Wrapped<Args extends readonly KeyPart[], Value> = ((...args: Args) => Promise<Value>) & {
  invalidate(...args: Args): Promise<void>;
};

function valueOf(found: Found): unknown {
  return found.value;
}

function checkFunction(value: unknown, what: string): void {
  if (typeof value === 'function') return;
  throw new HotshelfError('OPTION_INVALID', `${what} must be a function, got ${describe(value)}.`);
}
