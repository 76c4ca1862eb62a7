/** The counters facet in this process. */

import { checkKey } from '../../src/backend/check.ts';
import type { Counters } from '../../src/backend/counters.ts';
import { describe, HotshelfError } from '../../src/support/errors.ts';
import { FifoMap } from '../../src/support/s3-fifo.ts';
import { endOf } from './lifetime.ts';
import { Cell, type Store } from './store.ts';

/** What a counter takes beside its key. */
const countOverheadBytes = 200;

class Count extends Cell {
  value = 0;

  constructor(key: string, expiresAt: number) {
    super(key, countOverheadBytes + key.length, expiresAt);
  }
}

export class MemoryCounters implements Counters {
  readonly #store: Store;
  readonly #counts: FifoMap<Count>;

  constructor(store: Store) {
    this.#store = store;
    this.#counts = new FifoMap<Count>(store.queues);
  }

  async add(key: string, by: number, ttlMs: number): Promise<number> {
    this.#check(key);
    const expiresAt = endOf(ttlMs, this.#store.clock.now());
    const count = this.#store.get(this.#counts, key);
    const value = sum(count?.value ?? 0, by);
    if (count !== undefined) count.value = value;
    else {
      const created = new Count(key, expiresAt);
      created.value = value;
      this.#store.put(this.#counts, created);
    }
    return value;
  }

  async read(keys: readonly string[]): Promise<number[]> {
    this.#store.checkOpen();
    for (const key of keys) checkKey(key);
    return keys.map((key) => this.#store.get(this.#counts, key)?.value ?? 0);
  }

  #check(key: string): void {
    this.#store.checkOpen();
    checkKey(key);
  }
}

/** @throws {HotshelfError} `OPTION_INVALID` unless `by` is whole, `BACKEND_REFUSED` above 2^53 - 1. */
function sum(value: number, by: number): number {
  if (!Number.isSafeInteger(by))
    throw new HotshelfError('OPTION_INVALID', `Expected a whole number to add, got ${describe(by)}.`);
  if (value + by > Number.MAX_SAFE_INTEGER)
    throw new HotshelfError('BACKEND_REFUSED', 'The count would pass 2^53 - 1; it was left as it is.');
  return Math.max(0, value + by);
}
