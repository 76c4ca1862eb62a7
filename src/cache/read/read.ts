/** Answers a read: from an entry, from a load that is already going on, or by a new one. */

import { ageMs, cleared, type EntrySight, expired, type Sight } from './decide.ts';
import { refreshAt } from './early.ts';
import { readEntry } from './entry.ts';
import type { StaleReason } from '../../observe/events.ts';
import type { Flight, Joinable } from '../load/flight.ts';
import { type Job, Loading } from '../load/load.ts';
import { withinLimit } from '../load/time-limit.ts';
import type { Ticket } from '../local/tier.ts';
import { look, type Looked, type Seen } from './look.ts';
import type { Found, Lookup } from '../lookup.ts';
import { keepHit } from './near.ts';
import type { Policy } from '../policy.ts';
import type { Shelf } from '../shelf.ts';
import type { Space } from '../space.ts';
import { Verifier } from './verify.ts';

export class Reader {
  readonly #shelf: Shelf;
  readonly #loading: Loading;
  readonly #verifier: Verifier;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
    this.#loading = new Loading(shelf);
    this.#verifier = new Verifier(shelf);
  }

  /** Returns the value of `job.key`, loading it when no usable entry exists. */
  read(asked: Job): Promise<Found> {
    const { flights, unconfirmed, closed, tier, clock } = this.#shelf;
    const { space, key, policy } = asked;
    const isDrawn = asked.verify === undefined && policy.verify > 0 && clock.random() < policy.verify;
    const job = isDrawn ? { ...asked, verify: true } : asked;
    if (closed) return this.#loading.around(job, 'closed');
    if (unconfirmed.distrusts(key, space)) return this.#loading.around(job, 'unconfirmed');
    const near = policy.fresh || job.verify === true ? undefined : space.near(key, policy.schema, policy.accept);
    if (near !== undefined) {
      job.batch?.settled(key);
      return Promise.resolve(near);
    }
    const startedAt = flights.now;
    const ticket = tier?.ticket();
    return look(space, key, policy.tags).then((looked) => this.#answer(job, startedAt, looked, ticket));
  }

  /** Returns the entry of a key, `undefined` if there is none, or `'failed'` where the backend does; never loads. */
  async peek(space: Space, full: string): Promise<Found | 'failed' | undefined> {
    const { closed, unconfirmed, tier } = this.#shelf;
    if (closed || unconfirmed.distrusts(full, space)) return undefined;
    const { policy } = space;
    const near = policy.fresh ? undefined : space.near(full, policy.schema);
    if (near !== undefined) return near;
    const ticket = tier?.ticket();
    const looked = await look(space, full, policy.tags);
    return 'failure' in looked ? 'failed' : this.#hit(space, full, looked, policy, ticket);
  }

  #answer(job: Job, startedAt: number, looked: Looked, ticket: Ticket | undefined): Found | Promise<Found> {
    if ('failure' in looked) return this.#loading.around(job, 'backend');
    if (job.policy.accept !== undefined) return this.#answerAccepted(job, startedAt, looked, ticket);
    const { space, key, policy } = job;
    const hit = this.#hit(space, key, looked, policy, ticket);
    if (hit !== undefined) {
      job.batch?.settled(key);
      this.#afterHit(job, hit, looked);
      return hit;
    }
    const stale = this.#stale(job, looked);
    if (stale !== undefined) {
      if (this.#shelf.pauses.has(key)) return this.#serve(job, stale, 'load failed');
      if (policy.swr && looked.sight.kind === 'stale') {
        this.#loading.refresh(job, { ...looked, sight: looked.sight }, 'stale');
        return this.#serve(job, stale, 'refreshing');
      }
    }
    const outcome = this.#load(job, startedAt, looked, ticket);
    return stale === undefined ? outcome : this.#orStale(job, stale, outcome);
  }

  /** As `#answer` does by age, by what the reader says of the entry. */
  #answerAccepted(job: Job, startedAt: number, looked: Seen, ticket: Ticket | undefined): Found | Promise<Found> {
    const { space, key, policy } = job;
    const { sight } = looked;
    const found = isEntry(sight) ? readEntry(space, sight, policy) : undefined;
    const acceptance = found === undefined ? 'replace' : policy.accept?.(found as Lookup<never>);
    if (found === undefined || !isEntry(sight) || acceptance === 'replace') {
      this.#noteUnusableSight(space, key, sight, found);
      return this.#load(job, startedAt, looked, ticket);
    }
    const paused = acceptance === 'load' && this.#shelf.pauses.has(key);
    if (acceptance === 'load' && !paused) {
      return this.#orStale(job, found, this.#load(job, startedAt, looked, ticket));
    }
    if (acceptance === 'refresh') this.#loading.refresh(job, { ...looked, sight }, 'stale');
    if (sight.kind === 'stale') return this.#serve(job, found, paused ? 'load failed' : 'refreshing');
    job.batch?.settled(key);
    this.#countHit(job, sight, found, looked, ticket);
    return found;
  }

  /** Joins a load or begins one. */
  #load(job: Job, startedAt: number, looked: Seen, ticket: Ticket | undefined): Promise<Found> {
    const { flights } = this.#shelf;
    const joinable = flights.joinable(job.key, startedAt, looked.sight);
    if (joinable !== undefined) {
      job.batch?.settled(job.key);
      return this.#join(job, joinable);
    }
    const fly = (flight: Flight, landed: () => void) => this.#loading.fly(flight, { ...job, ticket }, looked, landed);
    return flights.begin(job.key, job.policy.hardMs, fly).outcome;
  }

  async #join(job: Job, { flight, byToken }: Joinable): Promise<Found> {
    const outcome = await withinLimit(job, flight.outcome, flight.limitMs).catch((error: unknown) => {
      job.space.counts.collapsed += 1;
      throw error;
    });
    const { tags, at } = flight;
    // The caller came after the load began: had one of the tags been invalidated between, the value would be too old for it.
    if (byToken && tags.length > 0 && (at === undefined || !(await this.#stillHolds(tags, at)))) return this.read(job);
    job.space.counts.collapsed += 1;
    const { value, ageMs: age, ttlMs } = outcome;
    return { value, status: 'collapsed', stored: false, ageMs: age, ttlMs };
  }

  async #stillHolds(...[tags, at]: Parameters<Shelf['tags']['stillHolds']>): Promise<boolean> {
    const { unconfirmed, tags: all } = this.#shelf;
    return !unconfirmed.distrustsTags(tags) && all.stillHolds(tags, at).catch(() => false);
  }

  /** Answers with the outcome of a load, or with the stale entry if the load fails or takes too long. */
  #orStale(job: Job, stale: Found, outcome: Promise<Found>): Promise<Found> {
    const { clock } = this.#shelf;
    const { softMs } = job.policy;
    return new Promise((resolve) => {
      let answered = false;
      const answer = (reason: StaleReason) => {
        if (!answered) resolve(this.#serve(job, stale, reason));
        answered = true;
      };
      const timer = softMs === Infinity ? undefined : clock.after(softMs, () => answer('load slow'));
      const end = () => {
        timer?.cancel();
        // By now the load or the wait was counted too.
        if (answered) job.space.counts.staleAfterAll += 1;
      };
      this.#shelf.behind(outcome.then(resolve, () => answer('load failed')).then(end));
    });
  }

  #serve(job: Job, stale: Found, reason: StaleReason): Found {
    const { space, key } = job;
    const { events } = this.#shelf;
    job.batch?.settled(key);
    space.counts.staleServed += 1;
    if (events.observed) events.emit({ type: 'stale', cache: space.name, key, reason, ageMs: stale.ageMs });
    return { ...stale, reason };
  }

  /** What may be answered while the load fails or is slow: an entry past its ttl, within the grace that this caller allows. */
  #stale({ space, policy }: Job, { sight }: Seen): Found | undefined {
    if (sight.kind !== 'stale' || policy.graceMs === 0) return undefined;
    const age = ageMs(sight.entry, this.#shelf.clock.now());
    return age < sight.entry.ttlMs + policy.graceMs ? readEntry(space, sight, policy) : undefined;
  }

  #hit(space: Space, full: string, seen: Seen, policy: Policy, ticket: Ticket | undefined): Found | undefined {
    const { sight } = seen;
    const found = sight.kind === 'hit' ? readEntry(space, sight, policy) : undefined;
    if (sight.kind === 'hit' && found !== undefined) {
      this.#countHit({ space, key: full, policy }, sight, found, seen, ticket);
      return found;
    }
    this.#noteUnusableSight(space, full, sight, found);
    return undefined;
  }

  #countHit(
    { space, key, policy }: Pick<Job, 'space' | 'key' | 'policy'>,
    sight: EntrySight,
    found: Found,
    { tags }: Seen,
    ticket: Ticket | undefined,
  ): void {
    space.counts.bytesRead += sight.entry.payload.length;
    space.noteHit(key, space.backendTier);
    keepHit(space, sight, found, tags, policy, ticket);
  }

  #afterHit(job: Job, hit: Found, seen: Seen): void {
    const { policy, verify } = job;
    const { sight } = seen;
    if (sight.kind !== 'hit' || (policy.refresh === undefined && verify !== true)) return;
    const { clock } = this.#shelf;
    const now = clock.now();
    if (refreshAt(sight.entry, policy.refresh, now, 1 - clock.random()) <= now) {
      this.#loading.refresh(job, { ...seen, sight }, 'early');
    }
    if (verify === true) this.#verifier.verify(job, hit, sight.version);
  }

  #noteUnusableSight(space: Space, full: string, sight: Sight, found: Found | undefined): void {
    if (sight.kind === 'hit' && found === undefined) this.#noteUnusable(space, full, 'decoding failed');
    if (sight.kind !== 'outdated' || sight.reason === expired || sight.reason === cleared) return;
    this.#noteUnusable(space, full, sight.reason);
  }

  #noteUnusable(space: Space, full: string, reason: string): void {
    space.counts.unusable += 1;
    this.#shelf.events.emit({ type: 'unusable', cache: space.name, key: full, reason });
  }
}

function isEntry(sight: Sight): sight is EntrySight {
  return sight.kind === 'hit' || sight.kind === 'stale';
}
