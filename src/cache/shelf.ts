/** Holds what all namespaces of one cache share. */

import { randomBytes } from 'node:crypto';
import type { Backend } from '../backend/backend.ts';
import type { Values } from '../backend/values.ts';
import { CacheEvents } from '../observe/channels.ts';
import type { Clock } from '../support/clock.ts';
import { CoarseClock } from '../support/coarse-clock.ts';
import { Flights } from './load/flight.ts';
import { TagHints } from './tags/hints.ts';
import { LocalTier } from './local/tier.ts';
import type { LocalPolicy } from './local/options.ts';
import { News } from './change/news.ts';
import type { NearValue } from './read/near.ts';
import type { Parts } from './parts.ts';
import { Pauses } from './load/pauses.ts';
import { Tags } from './tags/tags.ts';
import { Unconfirmed } from './change/unconfirmed.ts';

export class Shelf {
  readonly backend: Backend;
  readonly values: Values;
  readonly clock: Clock;
  /** The wall clock for paths where asking it is most of the work. */
  readonly coarse: CoarseClock;
  /** The first part of every key. */
  readonly prefix: string;
  readonly events = new CacheEvents();
  readonly flights = new Flights();
  readonly tags: Tags;
  readonly hints = new TagHints();
  readonly pauses: Pauses;
  /** The local tier, and what was said of it; `undefined` where there is none. */
  readonly local: LocalPolicy | undefined;
  readonly tier: LocalTier<NearValue> | undefined;
  /** What local tiers hear of this process, and of the others. */
  readonly news: News;
  readonly unconfirmed: Unconfirmed;
  /** Loads and holds of this process that the backend may still show. */
  readonly ownTokens = new Set<string>();
  /** Whom the names of cached functions belong to. */
  readonly names = new Map<string, object>();
  closed = false;
  readonly #process = randomBytes(9).toString('base64url');
  readonly #background = new Set<Promise<unknown>>();
  #tokens = 0;

  constructor(parts: Parts) {
    this.backend = parts.backend;
    this.values = parts.values;
    this.clock = parts.clock;
    this.coarse = new CoarseClock(parts.clock);
    this.prefix = parts.prefix;
    this.tags = new Tags(parts.values, parts.clock, parts.prefix);
    this.pauses = new Pauses(parts.clock);
    this.local = parts.local;
    this.tier = parts.local && new LocalTier(parts.local, parts.clock);
    this.news = new News(this, parts.announces);
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
      void this.#idle().then(() => {
        limit.cancel();
        resolve();
      });
    });
  }

  async #idle(): Promise<void> {
    // What is done behind may leave something: a load its fill.
    while (this.#background.size > 0) await Promise.allSettled(this.#background);
  }
}
