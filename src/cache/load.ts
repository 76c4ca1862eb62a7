/** Does the loads of a cache: takes the lease or waits for its owner, asks the origin, fills. */

import type { Version } from '../backend/values.ts';
import type { Halves } from '../codec/hash64.ts';
import type { BypassReason } from '../observe/events.ts';
import { HotshelfError } from '../support/errors.ts';
import { sleep } from '../support/clock.ts';
import type { Sight } from './decide.ts';
import { DirectLoads } from './direct.ts';
import { encodeEntry, readEntry } from './entry.ts';
import type { Flight } from './flight.ts';
import { Lease, silenceMs } from './lease.ts';
import { look, type Looked } from './look.ts';
import type { Found } from './lookup.ts';
import type { Policy } from './options.ts';
import type { Shelf } from './shelf.ts';
import type { Space } from './space.ts';

/** What a loader is told. */
export interface LoadContext {
  /** The full key that is being loaded. */
  readonly key: string;
}

/** Asks the origin. `undefined` means "cache nothing"; `null` is a value like any other, with its own ttl. */
export type Loader<Value> = (context: LoadContext) => Promise<Value> | Value;

/** One read that found no entry. */
export interface Job {
  readonly space: Space;
  readonly key: string;
  readonly load: Loader<unknown>;
  readonly policy: Policy;
}

const firstPauseMs = 4;
const longestPauseMs = 50;
/** So often a caller tries to take the lease against others that are always faster, before it loads past the cache. */
const mostAttempts = 5;

export class Loading {
  readonly #shelf: Shelf;
  readonly #direct: DirectLoads;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
    this.#direct = new DirectLoads(shelf.clock);
  }

  /** Loads past the cache. */
  async around(job: Job, reason: BypassReason): Promise<Found> {
    const { value, own } = this.#direct.run(job.key, () => this.#ask(job));
    if (!own) {
      job.space.counts.collapsed += 1;
      return uncached(await value, 'collapsed');
    }
    this.#noteBypass(job, reason);
    return bypassed(await value, reason);
  }

  /** Brings the value of a key under which `looked` showed no entry. `landed` is called when nothing is left to join. */
  async fly(flight: Flight, job: Job, looked: Looked, landed: () => void): Promise<Found> {
    try {
      return await this.#fly(flight, job, looked, landed);
    } catch (error) {
      landed();
      throw error;
    }
  }

  async #fly(flight: Flight, job: Job, looked: Looked, landed: () => void): Promise<Found> {
    const { clock } = this.#shelf;
    const wait = new Wait(clock.monotonic() + job.policy.waitMs);
    let seen = looked;
    for (let attempts = 0; attempts < mostAttempts;) {
      if ('failure' in seen) return this.#giveUp(job, 'backend', landed);
      const { sight } = seen;
      if (sight.kind === 'hit') {
        const found = readEntry(job.space, sight);
        if (found !== undefined) {
          landed();
          this.#noteHit(job);
          return found;
        }
      }
      if (sight.kind === 'held') {
        flight.token = sight.token;
        return this.#loadUnstored(job, 'mutation', landed);
      }
      if (sight.kind === 'leased' && this.#mustWait(sight, wait)) {
        flight.token = sight.token;
        await sleep(clock, wait.pauseMs(clock.random()));
      } else {
        attempts += 1;
        const lease = await this.#take(flight, job, seen.scope, 'version' in sight ? sight.version : undefined);
        if (lease === 'failed') return this.#giveUp(job, 'backend', landed);
        if (lease !== undefined) return this.#loadUnder(lease.lease, lease.scope, job, landed);
      }
      seen = await look(job.space, job.key);
    }
    return this.#giveUp(job, 'contended', landed);
  }

  #mustWait(sight: Extract<Sight, { kind: 'leased' }>, wait: Wait): boolean {
    return !this.#shelf.isOrphan(sight.token) && wait.goesOn(sight.version, this.#shelf.clock.monotonic());
  }

  async #take(flight: Flight, job: Job, seenScope: Halves | undefined, over: Version | undefined) {
    const token = this.#shelf.newToken();
    flight.token = token;
    try {
      const scope = seenScope ?? (await job.space.scope());
      const lease = await Lease.take(this.#shelf, { key: job.key, scope, token }, over);
      return lease && { lease, scope };
    } catch (error) {
      if (!(error instanceof HotshelfError)) throw error;
      this.#noteFailure(job, error);
      // The marker may stand there, and nobody would fill it: it is deleted as soon as the backend answers.
      if (error.code === 'OUTCOME_UNKNOWN') this.#shelf.unconfirmed.addKeys([job.key], job.space);
      return 'failed';
    }
  }

  async #loadUnder(lease: Lease, scope: Halves, job: Job, landed: () => void): Promise<Found> {
    const { space, policy } = job;
    const letGo = () => {
      this.#behind(job, lease.release());
      landed();
    };
    space.counts.misses += 1;
    if (this.#shelf.events.observed) this.#shelf.events.emit({ type: 'miss', cache: space.name, key: job.key });
    let value: unknown;
    let encoded: ReturnType<typeof encodeEntry> | undefined;
    try {
      value = await this.#ask(job);
      if (value !== undefined) encoded = encodeEntry(space, { key: job.key, scope, value, policy });
    } catch (error) {
      letGo();
      throw error;
    }
    if (encoded === undefined) {
      letGo();
      return uncached(value, 'miss');
    }
    if (encoded instanceof HotshelfError) {
      letGo();
      this.#shelf.events.emit({ type: 'uncacheable', cache: space.name, key: job.key, error: encoded });
      return uncached(value, 'miss');
    }
    const { bytes, ttlMs } = encoded;
    space.counts.fills += 1;
    this.#behind(job, this.#fill(lease, bytes, ttlMs, job).finally(landed));
    return { value, status: 'miss', stored: true, ageMs: 0, ttlMs };
  }

  async #fill(lease: Lease, bytes: Uint8Array, ttlMs: number, job: Job): Promise<void> {
    if (await lease.fill(bytes, ttlMs)) return;
    job.space.counts.refusedFills += 1;
    this.#shelf.events.emit({ type: 'refused', cache: job.space.name, key: job.key });
  }

  async #loadUnstored(job: Job, reason: BypassReason, landed: () => void): Promise<Found> {
    this.#noteBypass(job, reason);
    const value = await this.#ask(job);
    landed();
    return bypassed(value, reason);
  }

  #giveUp(job: Job, reason: BypassReason, landed: () => void): Promise<Found> {
    landed();
    return this.around(job, reason);
  }

  async #ask(job: Job): Promise<unknown> {
    const { clock, events } = this.#shelf;
    const { space, key } = job;
    const startedAt = clock.monotonic();
    let failed = true;
    space.counts.loads += 1;
    try {
      const value = await job.load({ key });
      failed = false;
      return value;
    } finally {
      if (failed) space.counts.failedLoads += 1;
      if (events.observed)
        events.emit({ type: 'load', cache: space.name, key, ms: clock.monotonic() - startedAt, failed });
    }
  }

  #behind(job: Job, work: Promise<void>): void {
    this.#shelf.behind(
      work.catch((error: unknown) => {
        if (!(error instanceof HotshelfError)) throw error;
        this.#noteFailure(job, error);
      }),
    );
  }

  #noteFailure(job: Job, error: HotshelfError): void {
    this.#shelf.events.emit({ type: 'failed', cache: job.space.name, key: job.key, error });
  }

  /** Somebody else's load, waited for, counts as an entry that was found. */
  #noteHit({ space, key }: Job): void {
    space.counts.hits += 1;
    if (this.#shelf.events.observed) this.#shelf.events.emit({ type: 'hit', cache: space.name, key });
  }

  #noteBypass(job: Job, reason: BypassReason): void {
    job.space.counts.bypasses += 1;
    this.#shelf.events.emit({ type: 'bypass', cache: job.space.name, key: job.key, reason });
  }
}

/** Decides how long one caller waits for somebody else's load. */
class Wait {
  readonly #until: number;
  #pauseMs = firstPauseMs;
  #version: Version | undefined;
  #silentSince = 0;

  constructor(until: number) {
    this.#until = until;
  }

  /** Tells whether the owner of the lease lives and there is time left. */
  goesOn(version: Version, now: number): boolean {
    if (version !== this.#version) {
      this.#version = version;
      this.#silentSince = now;
    }
    return now < this.#until && now - this.#silentSince < silenceMs;
  }

  /** The next pause: half as long again each time, spread by a quarter so that waiters do not march in step. */
  pauseMs(random: number): number {
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(longestPauseMs, pauseMs * 1.5);
    return pauseMs * (0.75 + random / 2);
  }
}

function uncached(value: unknown, status: 'miss' | 'collapsed'): Found {
  return { value, status, stored: false, ageMs: 0, ttlMs: 0 };
}

function bypassed(value: unknown, reason: BypassReason): Found {
  return { value, status: 'bypass', reason, stored: false, ageMs: 0, ttlMs: 0 };
}
