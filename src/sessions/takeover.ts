/** Takes sessions over from another store: they stay there until they are written, and one that was ended never comes back. */

import type { Foreign, Values } from '../backend/values.ts';
import type { Halves } from '../support/hash64.ts';
import type { Unusable } from './format.ts';
import type { SessionKeys } from './keys.ts';
import { foundIn, type LegacySource } from './legacy.ts';
import type { Lifetimes } from './lifetime.ts';
import type { Found } from './record.ts';

/** Stands beside a session that was ended; only that it is there matters. */
const mark = Uint8Array.of(1);

/**
 * Instances that still use the other store may write a session there that was ended here, or that a request of theirs began
 * before it was taken over. A mark beside the session says that it was ended; whatever stands anywhere else is then nothing.
 */
export class Takeover {
  readonly source: LegacySource;
  readonly #foreign: Foreign;
  readonly #values: Values;
  readonly #lifetimes: Lifetimes;

  constructor(source: LegacySource, foreign: Foreign, values: Values, lifetimes: Lifetimes) {
    this.source = source;
    this.#foreign = foreign;
    this.#values = values;
    this.#lifetimes = lifetimes;
  }

  /** Looks for the session in the other store. */
  async find({ legacy }: SessionKeys, epoch: Halves, now: number): Promise<Found | Unusable | undefined> {
    const value = legacy === undefined ? undefined : await this.#foreign.read(legacy);
    return value && foundIn(value, this.source, this.#lifetimes, epoch, now);
  }

  /** Lets a session live on in the other store; `false` if it is gone. */
  async renew({ legacy }: SessionKeys, ttlMs: number): Promise<boolean> {
    return legacy !== undefined && this.#values.touch(legacy, Math.max(1, Math.ceil(ttlMs)));
  }

  /**
   * Ends what stands in the other store, after the session was stored here. Returns `false` if it was ended there or marked
   * here meanwhile: then what was stored must go again.
   */
  async settle({ legacy, ended }: SessionKeys): Promise<boolean> {
    if (legacy === undefined) return true;
    const [deleted, marked] = await Promise.all([this.#values.delete([legacy]), this.#values.get(ended)]);
    return deleted > 0 && marked === undefined;
  }

  /** To be called before sessions are deleted: from here on they are gone. */
  async end(all: readonly SessionKeys[]): Promise<void> {
    // Longer than what an instance may write elsewhere that is stopped within one ttl from now.
    const ttlMs = 2 * this.#lifetimes.ttlMs;
    await Promise.all(all.map(({ ended }) => this.#values.set(ended, mark, ttlMs)));
    const legacy = all.flatMap((keys) => keys.legacy ?? []);
    if (legacy.length > 0) await this.#values.delete(legacy);
  }

  /** Lets a session be under an id again where one was ended. */
  async begin({ ended }: SessionKeys): Promise<void> {
    await this.#values.delete([ended]);
  }

  /** Ends all sessions of the other store. */
  clear(): Promise<void> {
    return this.#foreign.clear(this.source.prefix);
  }
}
