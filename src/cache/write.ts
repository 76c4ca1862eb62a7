/** Changes what a cache holds: sets, invalidates, clears, and mutates the truth with its copies. */

import { sleep } from '../support/clock.ts';
import { HotshelfError, isUnconfirmed, UnconfirmedError } from '../support/errors.ts';
import { decide } from './decide.ts';
import { encodeEntry, type EntryInput } from './entry.ts';
import { endHold, Hold } from './hold.ts';
import type { Shelf } from './shelf.ts';
import type { Space } from './space.ts';

/** So often a versioned `set` is tried against other writers of the key. */
const mostAttempts = 50;

export class Writer {
  readonly #shelf: Shelf;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  /** Stores an entry; `false` if one with a larger user version is there. */
  async set(space: Space, input: Omit<EntryInput, 'scope'>): Promise<boolean> {
    this.#checkOpen();
    // Encoded once before anything is sent, so that a bad value is refused even while the backend is down.
    refuseTooLarge(encodeEntry(space, { ...input, scope: new Uint32Array(2) }));
    return this.#confirmed([input.key], space, async () => {
      const scope = await space.scope();
      const { bytes, ttlMs } = refuseTooLarge(encodeEntry(space, { ...input, scope }));
      if (input.userVersion !== undefined) return this.#setNewer({ ...input, scope }, input.userVersion, bytes, ttlMs);
      await this.#shelf.values.set(input.key, bytes, ttlMs);
      return true;
    });
  }

  async #setNewer({ key, scope }: EntryInput, userVersion: number, bytes: Buffer, ttlMs: number): Promise<boolean> {
    const { values, clock } = this.#shelf;
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      const sight = decide(key, await values.get(key), scope, clock.now());
      if (sight.kind === 'hit' && (sight.entry.userVersion ?? -Infinity) > userVersion) return false;
      const written =
        sight.kind === 'absent'
          ? await values.add(key, bytes, ttlMs)
          : await values.cas(key, sight.version, bytes, ttlMs);
      if (written !== undefined) return true;
    }
    await values.delete([key]);
    return false;
  }

  /** Deletes; returns how many there were. */
  delete(space: Space, keys: readonly string[]): Promise<number> {
    this.#checkOpen();
    return this.#confirmed(keys, space, () => this.#shelf.values.delete(keys));
  }

  async clear(space: Space): Promise<void> {
    this.#checkOpen();
    try {
      await space.clear();
    } catch (error) {
      if (isUnconfirmed(error)) {
        this.#shelf.unconfirmed.addSpace(space);
        this.#noteUnconfirmed(space, 1, error);
      }
      throw error;
    }
  }

  /** Holds the keys, writes, waits for replicas, frees the keys. */
  async mutate<Result>(
    space: Space,
    keys: readonly string[],
    write: () => Promise<Result> | Result,
    options: { readonly settleMs: number; readonly strict: boolean },
  ): Promise<Result> {
    this.#checkOpen();
    const { hold, held } = Hold.begin(this.#shelf, keys);
    let failure = await held.then(() => undefined, asFailure);
    let result: Result;
    try {
      result = await write();
    } finally {
      // Also after a write that failed: nobody knows how much of it the database kept.
      if (options.settleMs > 0) await sleep(this.#shelf.clock, options.settleMs);
      failure = await endHold(hold);
      if (failure !== undefined) {
        this.#shelf.unconfirmed.addKeys(keys, space);
        this.#noteUnconfirmed(space, keys.length, failure);
      }
    }
    if (failure === undefined || !options.strict) return result;
    throw new UnconfirmedError(
      `The write in ${space.name} is done, but ${keys.length} cached ${keys.length === 1 ? 'copy was' : 'copies were'} not confirmed to be gone; hotshelf goes on trying. \`result\` of this error is what the write returned.`,
      result,
      { cause: failure },
    );
  }

  async #confirmed<Result>(keys: readonly string[], space: Space, command: () => Promise<Result>): Promise<Result> {
    try {
      return await command();
    } catch (error) {
      if (isUnconfirmed(error)) {
        this.#shelf.unconfirmed.addKeys(keys, space);
        this.#noteUnconfirmed(space, keys.length, error);
      }
      throw error;
    }
  }

  #noteUnconfirmed(space: Space, keys: number, error: HotshelfError): void {
    this.#shelf.events.emit({ type: 'unconfirmed', cache: space.name, keys, error });
  }

  #checkOpen(): void {
    if (this.#shelf.closed)
      throw new HotshelfError('CLOSED', 'The cache was closed; nothing can be changed through it.');
  }
}

function refuseTooLarge(encoded: ReturnType<typeof encodeEntry>): Exclude<typeof encoded, HotshelfError> {
  if (encoded instanceof HotshelfError) throw encoded;
  return encoded;
}

function asFailure(error: unknown): HotshelfError {
  if (error instanceof HotshelfError) return error;
  throw error;
}
