/** Remembers the invalidations that the backend did not confirm, and repeats them until it does. */

import type { Timer } from '../../support/clock.ts';
import { HotshelfError } from '../../support/errors.ts';
import { under } from './news.ts';
import type { Shelf } from '../shelf.ts';
import type { Space } from '../space.ts';

const firstRetryMs = 100;
const lastRetryMs = 1000;
const keysPerTry = 500;
/** More keys than this are not counted one by one: then the whole cache is not trusted until it was cleared. */
const mostKeys = 100_000;

/**
 * While a key is in here this process does not trust the backend for it: reads go to the origin. That keeps the promise of
 * no stale read for this process even when the backend comes back with the old entry.
 */
export class Unconfirmed {
  readonly #shelf: Shelf;
  /** The number tells one invalidation of a key from a later one that came while the first was being repeated. */
  readonly #keys = new Map<string, number>();
  readonly #tags = new Map<string, number>();
  readonly #spaces = new Map<Space, number>();
  #generation = 0;
  #timer: Timer | undefined;
  #retryMs = firstRetryMs;
  #running = false;
  readonly #unwatch: () => void;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
    this.#unwatch = shelf.backend.watch((event) => {
      if (event.type === 'up' && this.size > 0) this.#schedule(0);
    });
  }

  /** How many keys, tags and namespaces wait. */
  get size(): number {
    return this.#keys.size + this.#tags.size + this.#spaces.size;
  }

  /** Tells whether reads of `full` in `space` must not use the backend. */
  distrusts(full: string, space: Space): boolean {
    if (this.size === 0) return false;
    if (this.#keys.has(full)) return true;
    for (const cleared of this.#spaces.keys()) if (space.isWithin(cleared)) return true;
    return false;
  }

  /** Tells whether entries with one of these tags must not be used. */
  distrustsTags(tags: readonly string[]): boolean {
    return this.#tags.size > 0 && tags.some((tag) => this.#tags.has(tag));
  }

  addKeys(keys: readonly string[], space: Space): void {
    this.#add(this.#keys, keys, space);
  }

  addTags(tags: readonly string[], space: Space): void {
    this.#add(this.#tags, tags, space);
  }

  addSpace(space: Space): void {
    this.#generation += 1;
    this.#spaces.set(space, this.#generation);
    this.#trySoon();
  }

  #add(waiting: Map<string, number>, names: readonly string[], space: Space): void {
    if (waiting.size + names.length > mostKeys) {
      waiting.clear();
      this.addSpace(space.root);
      return;
    }
    this.#generation += 1;
    for (const name of names) waiting.set(name, this.#generation);
    this.#trySoon();
  }

  /** Tries once more now, and never again: for the end of the process. */
  async end(): Promise<void> {
    this.#unwatch();
    this.#timer?.cancel();
    if (this.size > 0) await this.#try();
  }

  /** One more that waits must not put off the others: what is planned stays planned. */
  #trySoon(): void {
    if (this.#timer === undefined && !this.#running) this.#schedule(firstRetryMs);
  }

  #schedule(ms: number): void {
    if (this.#shelf.closed) return;
    this.#timer?.cancel();
    const retry = () => {
      this.#timer = undefined;
      this.#shelf.behind(this.#try());
    };
    this.#timer = this.#shelf.clock.after(ms, retry, { background: true });
  }

  async #try(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      for (const [space, generation] of this.#spaces) {
        await space.clear();
        await this.#shelf.news.tell({ prefixes: under(space.prefix) });
        if (this.#spaces.get(space) === generation) this.#spaces.delete(space);
      }
      while (this.#tags.size > 0) await this.#tryTags([...this.#tags].slice(0, keysPerTry));
      while (this.#keys.size > 0) await this.#tryKeys([...this.#keys].slice(0, keysPerTry));
      this.#retryMs = firstRetryMs;
      if (this.size === 0) this.#shelf.events.emit({ type: 'confirmed', cache: 'default' });
    } catch (error) {
      if (!(error instanceof HotshelfError)) throw error;
      this.#retryMs = Math.min(lastRetryMs, this.#retryMs * 2);
    } finally {
      this.#running = false;
      if (this.size > 0) this.#schedule(this.#retryMs);
    }
  }

  async #tryKeys(batch: readonly (readonly [string, number])[]): Promise<void> {
    const keys = batch.map(([key]) => key);
    await this.#shelf.values.delete(keys);
    await this.#shelf.news.tell({ keys });
    settle(this.#keys, batch);
  }

  async #tryTags(batch: readonly (readonly [string, number])[]): Promise<void> {
    const tags = batch.map(([tag]) => tag);
    await this.#shelf.tags.invalidate(tags, false);
    await this.#shelf.news.tell({ tags });
    settle(this.#tags, batch);
  }
}

function settle(waiting: Map<string, number>, batch: readonly (readonly [string, number])[]): void {
  for (const [name, generation] of batch) if (waiting.get(name) === generation) waiting.delete(name);
}
