/** The values facet in this process: versioned bytes under keys, and the memo that a reader keeps with them. */

import { checkKey } from '../../src/backend/check.ts';
import type { Resident, ResidentState, Stored, Values, Version } from '../../src/backend/values.ts';
import { CoarseClock } from '../../src/support/coarse-clock.ts';
import { HotshelfError } from '../../src/support/errors.ts';
import { FifoMap } from '../../src/support/s3-fifo.ts';
import { endOf } from './lifetime.ts';
import { Cell, type Store } from './store.ts';

/** What an entry takes beside its key and its bytes, as measured: the cell, the array and its buffer, its places in the maps. */
export const stateOverheadBytes = 400;

const keysPerPortion = 500;

/** One stored state; it is what `get` and `peek` hand out, so that a hit allocates nothing but its promise. */
class State extends Cell implements ResidentState {
  readonly bytes: Uint8Array;
  readonly version: Version;
  memo: unknown = undefined;
  #memoBytes = 0;

  constructor(key: string, bytes: Uint8Array, version: Version, expiresAt: number) {
    super(key, stateOverheadBytes + key.length + bytes.length, expiresAt);
    this.bytes = bytes;
    this.version = version;
  }

  /** Does nothing if the state is gone, or if it would be too heavy for the backend with this memo. */
  remember(memo: unknown, weightBytes: number): void {
    const memoBytes = weightBytes > 0 ? weightBytes : 0;
    if (this.home?.resize(this, this.weight - this.#memoBytes + memoBytes) !== true) return;
    this.#memoBytes = memoBytes;
    this.memo = memo;
  }
}

export class MemoryValues implements Values, Resident {
  readonly maxValueBytes: number;
  readonly resident: Resident = this;
  readonly #store: Store;
  readonly #states: FifoMap<State>;
  readonly #time: CoarseClock;
  #versions = 0;

  constructor(store: Store, maxValueBytes: number) {
    this.#store = store;
    this.#states = new FifoMap<State>(store.queues);
    this.#time = new CoarseClock(store.clock);
    this.maxValueBytes = maxValueBytes;
  }

  peek(key: string): ResidentState | undefined {
    const state = this.#states.get(key);
    // To the few ms that a coarse clock may be behind an entry is not yet gone.
    return state === undefined || state.expiresAt > this.#time.now() ? state : this.#store.get(this.#states, key);
  }

  drop(prefixes: readonly string[]): void {
    for (const state of this.#states.nodes()) {
      if (prefixes.some((prefix) => state.key.startsWith(prefix))) this.#states.delete(state);
    }
  }

  get(key: string): Promise<Stored | undefined> {
    const state = this.#store.get(this.#states, key);
    // Whatever is stored has a valid key, and nothing is stored after the end: only a miss needs a closer look.
    return state === undefined ? this.#miss(key) : Promise.resolve(state);
  }

  async getMany(keys: readonly string[]): Promise<readonly (Stored | undefined)[]> {
    for (const key of keys) this.#check(key);
    this.#store.checkOpen();
    return keys.map((key) => this.#store.get(this.#states, key));
  }

  async set(key: string, bytes: Uint8Array, ttlMs: number): Promise<Version> {
    this.#check(key, bytes);
    return this.#write(key, bytes, ttlMs);
  }

  async add(key: string, bytes: Uint8Array, ttlMs: number): Promise<Version | undefined> {
    this.#check(key, bytes);
    if (this.#find(key) !== undefined) return undefined;
    return this.#write(key, bytes, ttlMs);
  }

  async cas(key: string, version: Version, bytes: Uint8Array, ttlMs: number): Promise<Version | undefined> {
    this.#check(key, bytes);
    if (this.#find(key)?.version !== version) return undefined;
    return this.#write(key, bytes, ttlMs);
  }

  /** Keeps the version and the memo. */
  async touch(key: string, ttlMs: number): Promise<boolean> {
    this.#check(key);
    const state = this.#store.get(this.#states, key);
    if (state === undefined) return false;
    state.expiresAt = endOf(ttlMs, this.#store.clock.now());
    this.#store.sweepLater(state);
    return true;
  }

  async delete(keys: readonly string[]): Promise<number> {
    for (const key of keys) this.#check(key);
    this.#store.checkOpen();
    let count = 0;
    for (const key of keys) if (this.#remove(this.#find(key))) count += 1;
    return count;
  }

  async deleteIf(key: string, version: Version): Promise<boolean> {
    this.#check(key);
    const state = this.#find(key);
    return state?.version === version && this.#remove(state);
  }

  async take(key: string): Promise<Stored | undefined> {
    this.#check(key);
    const state = this.#find(key);
    this.#remove(state);
    return state;
  }

  async *list(prefix: string): AsyncGenerator<readonly string[], void, undefined> {
    this.#check(prefix);
    const now = this.#store.clock.now();
    const keys: string[] = [];
    for (const { key, expiresAt } of this.#states.nodes())
      if (expiresAt > now && key.startsWith(prefix)) keys.push(key);
    for (let from = 0; from < keys.length; from += keysPerPortion) {
      this.#store.checkOpen();
      yield keys.slice(from, from + keysPerPortion);
    }
  }

  async #miss(key: string): Promise<undefined> {
    this.#check(key);
  }

  #check(key: string, bytes?: Uint8Array): void {
    this.#store.checkOpen();
    checkKey(key);
    if (bytes === undefined || bytes.length <= this.maxValueBytes) return;
    throw new HotshelfError(
      'VALUE_TOO_LARGE',
      `The value has ${bytes.length} bytes; the memory backend takes at most ${this.maxValueBytes}. Raise \`maxValueBytes\` to store it.`,
    );
  }

  #find(key: string): State | undefined {
    return this.#store.find(this.#states, key);
  }

  #remove(state: State | undefined): boolean {
    if (state !== undefined) this.#states.delete(state);
    return state !== undefined;
  }

  #write(key: string, bytes: Uint8Array, ttlMs: number): Version {
    const expiresAt = endOf(ttlMs, this.#store.clock.now());
    this.#versions += 1;
    const version = this.#versions as Version;
    // A copy, and not from Buffer's pool: the caller may write to its bytes, and a slice of the pool would hold all of it.
    this.#store.put(this.#states, new State(key, new Uint8Array(bytes), version, expiresAt));
    return version;
  }
}
