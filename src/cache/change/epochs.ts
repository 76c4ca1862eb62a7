/** Keeps a namespace's epochs in the backend, so that `clear` is one write whatever the number of entries. */

import { randomBytes } from 'node:crypto';
import type { Stored, Values } from '../../backend/values.ts';
import { HotshelfError } from '../../support/errors.ts';
import { type Halves, hash64 } from '../../support/hash64.ts';
import { type Clock, sleep } from '../../support/clock.ts';

/** So often missing epochs are made before the backend counts as one that cannot keep them. */
const mostAttempts = 10;

/** Epochs that were asked for less than this long ago, in ms, are trusted without asking again. */
const trustMs = 100;
/** `clear` waits a little longer than that, in ms, for clocks that do not run alike. */
const clearMs = 110;

/**
 * An epoch is random bytes under a key of its own, one for the cache and one for each namespace on the way down. An entry
 * carries a digest of those that were read before its load began, and is worth something only while they are the same. A lost
 * epoch is replaced by new random bytes: everything before it is a miss.
 *
 * Busy readers do not ask for them each time: what was asked for less than `trustMs` ago counts. `clear` therefore resolves only
 * when every process must have asked again, so that no read that begins later can trust an epoch from before.
 */
export class Epochs {
  /** The keys of all epochs that an entry of this namespace depends on. */
  readonly keys: readonly string[];
  readonly #values: Values;
  readonly #clock: Clock;
  readonly #version: string;
  #seen = '';
  #digest: Halves | undefined;
  #trustedUntil = -Infinity;

  /** @param version of what is cached: entries of another version are of another scope */
  constructor(values: Values, clock: Clock, keys: readonly string[], version: string) {
    this.#values = values;
    this.#clock = clock;
    this.keys = keys;
    this.#version = version;
  }

  /** The digest of epochs that are recent enough to be trusted, or `undefined`: then they must be read. */
  get trusted(): Halves | undefined {
    return this.#clock.monotonic() < this.#trustedUntil ? this.#digest : undefined;
  }

  /**
   * Returns the digest of the epochs in `stored` from index `from` on; `undefined` if one is missing.
   *
   * @param askedAt monotonic time, in ms, before they were asked for
   */
  digest(stored: readonly (Stored | undefined)[], from: number, askedAt: number): Halves | undefined {
    this.#trustedUntil = -Infinity;
    let text = '';
    for (let index = from; index < stored.length; index += 1) {
      const epoch = stored[index];
      if (epoch === undefined) return undefined;
      text += Buffer.from(epoch.bytes.buffer, epoch.bytes.byteOffset, epoch.bytes.byteLength).toString('latin1');
    }
    if (this.#digest === undefined || text !== this.#seen) {
      this.#seen = text;
      this.#digest = new Uint32Array(2);
      hash64(text + this.#version, this.#digest);
    }
    this.#trustedUntil = askedAt + trustMs;
    return this.#digest;
  }

  /** Reads the epochs, making those that are missing. Rejects as the backend does. */
  async ensure(): Promise<Halves> {
    const { trusted } = this;
    if (trusted !== undefined) return trusted;
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      const askedAt = this.#clock.monotonic();
      const digest = this.digest(await this.#values.getMany(this.keys), 0, askedAt);
      if (digest !== undefined) return digest;
      await Promise.all(this.keys.map((key) => this.#values.add(key, randomBytes(8), Infinity)));
    }
    throw new HotshelfError(
      'BACKEND_REFUSED',
      `The backend does not keep ${this.keys.join(' and ')}, without which nothing can be cached. Give it more memory.`,
    );
  }

  /** Begins a new epoch of this namespace; resolves when no process trusts the one before. */
  async advance(): Promise<void> {
    const own = this.keys.at(-1);
    if (own === undefined) return;
    await this.#values.set(own, randomBytes(8), Infinity);
    this.#trustedUntil = -Infinity;
    await sleep(this.#clock, clearMs);
  }
}
