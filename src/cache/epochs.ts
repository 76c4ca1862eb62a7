/** Keeps a namespace's epochs in the backend, so that `clear` is one write whatever the number of entries. */

import { randomBytes } from 'node:crypto';
import type { Stored, Values } from '../backend/values.ts';
import { HotshelfError } from '../support/errors.ts';
import { type Halves, hash64 } from '../codec/hash64.ts';

/** So often missing epochs are made before the backend counts as one that cannot keep them. */
const mostAttempts = 10;

/**
 * An epoch is random bytes under a key of its own, one for the cache and one for each namespace on the way down. They are read
 * in the same trip as an entry. An entry carries a digest of those that were read before its load began, and is worth
 * something only while they are the same. A lost epoch is replaced by new random bytes: everything before it is a miss.
 */
export class Epochs {
  /** The keys of all epochs that an entry of this namespace depends on. */
  readonly keys: readonly string[];
  readonly #values: Values;
  #seen = '';
  #digest: Halves | undefined;

  constructor(values: Values, keys: readonly string[]) {
    this.#values = values;
    this.keys = keys;
  }

  /** Returns the digest of the epochs in `stored` from index `from` on; `undefined` if one is missing. */
  digest(stored: readonly (Stored | undefined)[], from: number): Halves | undefined {
    let text = '';
    for (let index = from; index < stored.length; index += 1) {
      const epoch = stored[index];
      if (epoch === undefined) return undefined;
      text += Buffer.from(epoch.bytes.buffer, epoch.bytes.byteOffset, epoch.bytes.byteLength).toString('latin1');
    }
    if (this.#digest === undefined || text !== this.#seen) {
      this.#seen = text;
      this.#digest = new Uint32Array(2);
      hash64(text, this.#digest);
    }
    return this.#digest;
  }

  /** Reads the epochs, making those that are missing. Rejects as the backend does. */
  async ensure(): Promise<Halves> {
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      const stored = await this.#values.getMany(this.keys);
      const digest = this.digest(stored, 0);
      if (digest !== undefined) return digest;
      const missing = this.keys.filter((_, index) => stored[index] === undefined);
      await Promise.all(missing.map((key) => this.#values.add(key, randomBytes(8), Infinity)));
    }
    throw new HotshelfError(
      'BACKEND_REFUSED',
      `The backend does not keep ${this.keys.join(' and ')}, without which nothing can be cached. Give it more memory.`,
    );
  }

  /** Begins a new epoch of this namespace. */
  async advance(): Promise<void> {
    const own = this.keys.at(-1);
    if (own !== undefined) await this.#values.set(own, randomBytes(8), Infinity);
  }
}
