/** Answers a read: from an entry, from a load that is already going on, or by a new one. */

import type { Version } from '../backend/values.ts';
import { cleared, expired } from './decide.ts';
import { readEntry } from './entry.ts';
import { type Job, Loading } from './load.ts';
import { look, type Looked } from './look.ts';
import type { Found } from './lookup.ts';
import type { Shelf } from './shelf.ts';
import type { Kept, Space } from './space.ts';

export class Reader {
  readonly #shelf: Shelf;
  readonly #loading: Loading;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
    this.#loading = new Loading(shelf);
  }

  /** Returns the value of `job.key`, loading it when no usable entry exists. */
  read(job: Job): Promise<Found> {
    const { flights, unconfirmed, closed } = this.#shelf;
    if (closed) return this.#loading.around(job, 'closed');
    if (unconfirmed.distrusts(job.key, job.space)) return this.#loading.around(job, 'unconfirmed');
    const startedAt = flights.now;
    return look(job.space, job.key).then((looked) => this.#answer(job, startedAt, looked));
  }

  #answer(job: Job, startedAt: number, looked: Looked): Found | Promise<Found> {
    if ('failure' in looked) return this.#loading.around(job, 'backend');
    const found = this.#found(job.space, job.key, looked);
    if (found !== undefined) return found;
    const { flights } = this.#shelf;
    const joinable = flights.joinable(job.key, startedAt, looked.sight);
    if (joinable === undefined) {
      return flights.begin(job.key, (flight, landed) => this.#loading.fly(flight, job, looked, landed)).outcome;
    }
    job.space.counts.collapsed += 1;
    return joinable.outcome.then((outcome) => ({ ...outcome, status: 'collapsed', stored: false }));
  }

  /** Returns the entry of a key, or `undefined`; never loads. */
  async peek(space: Space, full: string): Promise<Found | undefined> {
    if (this.#shelf.closed || this.#shelf.unconfirmed.distrusts(full, space)) return undefined;
    const looked = await look(space, full);
    return 'failure' in looked ? undefined : this.#found(space, full, looked);
  }

  #found(space: Space, full: string, looked: Exclude<Looked, { failure: unknown }>): Found | undefined {
    const { sight } = looked;
    if (sight.kind === 'hit') {
      const found = readEntry(space, sight);
      if (found === undefined) this.#noteUnusable(space, full, 'decoding failed');
      else {
        this.#noteHit(space, full);
        if (this.#shelf.codec.isPlain(sight.entry.flags)) this.#keep(full, found, sight.version);
      }
      return found;
    }
    if (sight.kind === 'outdated' && sight.reason !== expired && sight.reason !== cleared) {
      this.#noteUnusable(space, full, sight.reason);
    }
    return undefined;
  }

  /** In a backend of this process the decoded value stays with the bytes; later hits share it, so it is frozen. */
  #keep(full: string, found: Found, version: Version): void {
    const state = this.#shelf.values.resident?.peek(full);
    // Another state may have been written since: the value must not stay with bytes that it did not come from.
    if (state?.version !== version || state.memo !== undefined) return;
    freeze(found.value);
    const kept: Kept = { value: found.value, promise: Promise.resolve(found.value) };
    state.remember(kept, state.bytes.length * 2);
  }

  #noteHit(space: Space, full: string): void {
    space.counts.hits += 1;
    const { events } = this.#shelf;
    if (events.observed) events.emit({ type: 'hit', cache: space.name, key: full });
  }

  #noteUnusable(space: Space, full: string, reason: string): void {
    space.counts.unusable += 1;
    this.#shelf.events.emit({ type: 'unusable', cache: space.name, key: full, reason });
  }
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const part of Object.values(value)) freeze(part);
  Object.freeze(value);
}
