/** The uniques facet in this process: a set of hashes while there are few, HyperLogLog from then on. */

import { checkAdd, checkCount } from '../../src/backend/uniques/check.ts';
import type { Uniques } from '../../src/backend/uniques.ts';
import { HyperLogLog, hashText, registerCount } from '../../src/support/hyperloglog.ts';
import { FifoMap } from '../../src/support/s3-fifo.ts';
import { endOf } from './lifetime.ts';
import { Cell, type Store } from './store.ts';

/** Up to so many members are counted exactly: a set of them takes twice what the registers do. */
const few = 1000;
/** What a key takes beside its text and its members, and what a member of a set does. */
const uniqueOverheadBytes = 400;
const hashBytes = 40;

/** Which members there were. */
class Sketch {
  /** The hashes of those of whom there are few. */
  #hashes: Set<number> | undefined = new Set();
  #registers: HyperLogLog | undefined;

  get bytes(): number {
    return this.#hashes === undefined ? registerCount : this.#hashes.size * hashBytes;
  }

  add(hash: number): void {
    if (this.#hashes === undefined) return this.#registers?.add(hash);
    this.#hashes.add(hash);
    if (this.#hashes.size > few) this.#toRegisters();
  }

  merge(other: Sketch): void {
    for (const hash of other.#hashes ?? []) this.add(hash);
    if (other.#registers !== undefined) this.#toRegisters().merge(other.#registers);
  }

  count(): number {
    return this.#hashes?.size ?? this.#registers?.count() ?? 0;
  }

  #toRegisters(): HyperLogLog {
    const registers = this.#registers ?? new HyperLogLog();
    for (const hash of this.#hashes ?? []) registers.add(hash);
    this.#hashes = undefined;
    this.#registers = registers;
    return registers;
  }
}

class Unique extends Cell {
  readonly sketch = new Sketch();

  constructor(key: string, expiresAt: number) {
    super(key, uniqueOverheadBytes + key.length, expiresAt);
  }
}

export class MemoryUniques implements Uniques {
  readonly #store: Store;
  readonly #uniques: FifoMap<Unique>;

  constructor(store: Store) {
    this.#store = store;
    this.#uniques = new FifoMap<Unique>(store.queues);
  }

  async add(key: string, members: readonly string[], ttlMs: number): Promise<void> {
    this.#store.checkOpen();
    checkAdd(key, members, ttlMs);
    const found = this.#store.get(this.#uniques, key);
    const unique = found ?? new Unique(key, endOf(ttlMs, this.#store.clock.now()));
    for (const member of members) unique.sketch.add(hashText(member));
    if (found === undefined) this.#store.put(this.#uniques, unique);
    this.#uniques.resize(unique, uniqueOverheadBytes + key.length + unique.sketch.bytes);
  }

  async count(keys: readonly string[]): Promise<number> {
    this.#store.checkOpen();
    checkCount(keys);
    const sketches = keys.map((key) => this.#store.get(this.#uniques, key)?.sketch);
    const [only] = sketches;
    if (sketches.length === 1) return only?.count() ?? 0;
    const union = new Sketch();
    for (const sketch of sketches) if (sketch !== undefined) union.merge(sketch);
    return union.count();
  }
}
