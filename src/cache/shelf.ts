/** Holds what all namespaces of one cache share. */

import { randomBytes } from 'node:crypto';
import type { Backend } from '../backend/backend.ts';
import type { Values } from '../backend/values.ts';
import type { Codec } from '../codec/codec.ts';
import type { CacheEvent } from '../observe/events.ts';
import type { Clock } from '../support/clock.ts';
import { Emitter } from '../support/emitter.ts';
import { Flights } from './flight.ts';
import { Unconfirmed } from './unconfirmed.ts';

export interface ShelfParts {
  readonly backend: Backend;
  readonly values: Values;
  readonly codec: Codec;
  readonly clock: Clock;
  /** The first part of every key. */
  readonly prefix: string;
}

export class Shelf implements ShelfParts {
  readonly backend: Backend;
  readonly values: Values;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly prefix: string;
  readonly events = new Emitter<CacheEvent>();
  readonly flights = new Flights();
  readonly unconfirmed: Unconfirmed;
  /** Loads and holds of this process that the backend may still show. */
  readonly ownTokens = new Set<string>();
  closed = false;
  readonly #process = randomBytes(9).toString('base64url');
  readonly #background = new Set<Promise<unknown>>();
  #tokens = 0;

  constructor(parts: ShelfParts) {
    this.backend = parts.backend;
    this.values = parts.values;
    this.codec = parts.codec;
    this.clock = parts.clock;
    this.prefix = parts.prefix;
    this.unconfirmed = new Unconfirmed(this);
  }

  /** Returns a name that no load or hold anywhere had before. */
  newToken(): string {
    this.#tokens += 1;
    return `${this.#process}.${this.#tokens}`;
  }

  /** Tells whether `token` is of a load that this process began and no longer does: nobody will ever fill its lease. */
  isOrphan(token: string): boolean {
    return token.startsWith(this.#process) && !this.ownTokens.has(token);
  }

  /** Lets `work` go on behind; it must handle its own errors. `settle` waits for it. */
  behind(work: Promise<unknown>): void {
    this.#background.add(work);
    const forget = () => void this.#background.delete(work);
    work.then(forget, forget);
  }

  /** Resolves when the work behind is done, or after `limitMs`. */
  async settle(limitMs: number): Promise<void> {
    if (this.#background.size === 0) return;
    await new Promise<void>((resolve) => {
      const limit = this.clock.after(limitMs, resolve);
      void Promise.allSettled(this.#background).then(() => {
        limit.cancel();
        resolve();
      });
    });
  }
}
