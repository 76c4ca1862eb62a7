/** Does the loads of a cache: takes the lease or waits for its owner, asks the origin, fills. */

import type { BypassReason, RefreshReason } from '../../observe/events.ts';
import { HotshelfError } from '../../support/errors.ts';
import { sleep } from '../../support/clock.ts';
import { type Answer, ask, type Question } from './ask.ts';
import { type EntrySight, type Sight, staleToken, tokenOf } from '../read/decide.ts';
import { DirectLoads } from './direct.ts';
import { type Encoded, encodeEntry, readEntry } from '../read/entry.ts';
import { fill } from './fill.ts';
import type { Flight } from './flight.ts';
import { sideKeyOf } from './lease.ts';
import type { Ticket } from '../local/tier.ts';
import { look, type Looked, type Seen } from '../read/look.ts';
import type { Found, Lookup } from '../lookup.ts';
import type { Policy } from '../policy.ts';
import { Pauses } from './pauses.ts';
import { type Right, takeRight } from './right.ts';
import type { Shelf } from '../shelf.ts';
import { waitTimeout, withinLimit } from './time-limit.ts';
import { Wait } from './wait.ts';

/** One read that found nothing that is good enough. */
export interface Job extends Question {
  /** For a read of many keys, whose loads go together: to be told when this key needs none, or must wait for it. */
  readonly batch?: { settled(key: string): void } | undefined;
  /** Whether to verify a hit, where chance was asked already. */
  readonly verify?: boolean | undefined;
  /** Of the local tier, taken before the read began. */
  readonly ticket?: Ticket | undefined;
}

/** So often a caller tries to take the lease against others that are always faster, before it loads past the cache. */
const mostAttempts = 5;
/** After a load failed, the stale entry is answered for so long, in ms, before the next is tried. */
const failurePauseMs = 1000;
/** After a refresh brought nothing to store, in ms. */
const emptyPauseMs = 1000;
/** After somebody else was found refreshing an entry, it is left to them for so long, in ms. */
const leaveMs = 200;

export class Loading {
  readonly #shelf: Shelf;
  readonly #direct: DirectLoads;
  readonly #refreshing = new Set<string>();
  /** Of refreshes only, not among the pauses of the shelf: no load failed, and who must wait for one is not kept from it. */
  readonly #refreshPauses: Pauses;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
    this.#refreshPauses = new Pauses(shelf.clock);
    this.#direct = new DirectLoads(shelf.clock);
  }

  /** Loads past the cache. */
  async around(job: Job, reason: BypassReason): Promise<Found> {
    const { hardMs } = job.policy;
    const { value: answer, own, limitMs } = this.#direct.run(job.key, hardMs, () => ask(job, { bypass: reason }));
    if (!own) {
      job.batch?.settled(job.key);
      job.space.counts.collapsed += 1;
      return uncached((await withinLimit(job, answer, limitMs)).value, 'collapsed');
    }
    this.#noteBypass(job, reason);
    return bypassed((await answer).value, reason);
  }

  /** Brings the value of a key under which `looked` showed no fresh entry. `landed` is called when nothing is left to join. */
  async fly(flight: Flight, job: Job, looked: Looked, landed: () => void): Promise<Found> {
    try {
      return await this.#fly(flight, job, looked, landed);
    } catch (error) {
      landed();
      throw error;
    }
  }

  /** Loads an entry again behind its readers, unless somebody already does or it failed just now. */
  refresh(job: Job, seen: Seen & { readonly sight: EntrySight }, reason: RefreshReason): void {
    const { key } = job;
    if (this.#refreshing.has(key) || this.#refreshPauses.has(key) || this.#shelf.pauses.has(key)) return;
    this.#refreshing.add(key);
    this.#behind(
      job,
      this.#refresh({ ...job, ticket: this.#shelf.tier?.ticket() }, seen, reason).finally(() =>
        this.#refreshing.delete(key),
      ),
    );
  }

  async #refresh(job: Job, seen: Seen & { readonly sight: EntrySight }, reason: RefreshReason): Promise<void> {
    const { flights, events } = this.#shelf;
    const { space, key } = job;
    const right = await takeRight(job, seen, this.#shelf.newToken(), undefined);
    if (right === undefined || right === 'held') {
      this.#refreshPauses.set(key, leaveMs);
      return;
    }
    space.counts.refreshes += 1;
    if (events.observed) events.emit({ type: 'refresh', cache: space.name, key, reason });
    const { outcome } = flights.begin(key, job.policy.hardMs, (flight, landed) => {
      flight.token = staleToken(seen.sight.version);
      return this.#loadUnder(right, job, flight, landed, true);
    });
    // The event of the load tells of its failure; the readers have what they need.
    await outcome.catch(() => {});
  }

  async #fly(flight: Flight, job: Job, looked: Looked, landed: () => void): Promise<Found> {
    const { clock } = this.#shelf;
    const startedAt = clock.monotonic();
    const wait = new Wait(startedAt + job.policy.waitMs);
    let seen = looked;
    for (let attempts = 0; attempts < mostAttempts;) {
      if ('failure' in seen) return this.#giveUp(job, 'backend', landed);
      const found = this.#found(job, seen.sight);
      if (found !== undefined) {
        if ('entry' in seen.sight) [flight.tags, flight.at] = [seen.sight.entry.tags, seen.sight.entry];
        landed();
        return found;
      }
      if (seen.sight.kind === 'held') {
        flight.token = seen.sight.token;
        return this.#loadUnstored(job, flight, landed);
      }
      const marker = await this.#markerFor(job, seen.sight, attempts);
      if (marker === 'failed') return this.#giveUp(job, 'backend', landed);
      if (marker.kind === 'leased' && this.#mustWait(marker, wait)) {
        flight.token = tokenOf(seen.sight);
        job.batch?.settled(job.key);
        const leftMs = startedAt + job.policy.hardMs - clock.monotonic();
        if (leftMs <= 0) throw this.#waitedTooLong(job, seen.sight);
        await sleep(clock, Math.min(leftMs, wait.pauseMs(clock.random())));
      } else {
        attempts += 1;
        const right = await this.#take(flight, job, seen, marker);
        if (right === 'failed') return this.#giveUp(job, 'backend', landed);
        if (right === 'held') return this.#giveUp(job, 'mutation', landed);
        if (right !== undefined) return this.#loadUnder(right, job, flight, landed, false);
      }
      seen = await look(job.space, job.key, job.policy.tags);
    }
    return this.#giveUp(job, 'contended', landed);
  }

  /** What somebody else's load, waited for, has left. */
  #found({ space, key, policy }: Job, sight: Sight): Found | undefined {
    if (sight.kind !== 'hit') return undefined;
    const found = readEntry(space, sight, policy);
    if (found !== undefined && !isAccepted(found, policy)) return undefined;
    if (found !== undefined) space.noteHit(key, space.backendTier);
    return found;
  }

  /** What stands in the way of a load: the state of the key itself or, for an entry that stays readable, of its side key. */
  async #markerFor({ space, key, policy }: Job, sight: Sight, attempts: number): Promise<Sight | 'failed'> {
    if (sight.kind !== 'stale' && sight.kind !== 'hit') return sight;
    if (attempts === 0) return { kind: 'absent' };
    const side = await look(space, sideKeyOf(key), policy.tags);
    return 'failure' in side ? 'failed' : side.sight;
  }

  #mustWait(sight: Extract<Sight, { kind: 'leased' }>, wait: Wait): boolean {
    return !this.#shelf.isOrphan(sight.token) && wait.goesOn(sight.version, this.#shelf.clock.monotonic());
  }

  #waitedTooLong(job: Job, sight: Sight): HotshelfError {
    job.space.counts.collapsed += 1;
    // The next reader who has a stale entry need not wait as long again.
    if ('entry' in sight) this.#shelf.pauses.set(job.key, failurePauseMs);
    return waitTimeout(job);
  }

  async #take(flight: Flight, job: Job, seen: Seen, marker: Sight): Promise<Right | 'held' | 'failed' | undefined> {
    const token = this.#shelf.newToken();
    flight.token = seen.sight.kind === 'stale' ? tokenOf(seen.sight) : token;
    try {
      return await takeRight(job, seen, token, 'version' in marker ? marker.version : undefined);
    } catch (error) {
      if (!(error instanceof HotshelfError)) throw error;
      this.#noteFailure(job, error);
      // The marker may stand there, and nobody would fill it: it is deleted as soon as the backend answers.
      if (error.code === 'OUTCOME_UNKNOWN') this.#shelf.unconfirmed.addKeys([job.key], job.space);
      return 'failed';
    }
  }

  async #loadUnder(right: Right, job: Job, flight: Flight, landed: () => void, behind: boolean): Promise<Found> {
    const { space, key } = job;
    const { events, pauses } = this.#shelf;
    if (!behind) this.#noteMiss(job);
    let answer: Answer;
    let encoded: Encoded | HotshelfError | undefined;
    try {
      answer = await ask(job, { earlier: right.earlier, behind });
      if (answer.storable) encoded = encodeEntry(space, { ...job, ...answer, scope: right.scope, at: right.at });
    } catch (error) {
      if (right.earlier !== undefined) pauses.set(key, failurePauseMs);
      this.#behind(job, right.lease.release());
      landed();
      throw error;
    }
    pauses.end(key);
    flight.tags = answer.tags;
    flight.at = right.at;
    if (encoded === undefined || encoded instanceof HotshelfError) {
      // Where the entry stays as old as it was, every reader would have it loaded again.
      if (behind) this.#refreshPauses.set(key, emptyPauseMs);
      // `undefined` says that there is no value any more; one to be handed out only says nothing of the others.
      this.#behind(job, answer.value === undefined ? right.lease.discard() : right.lease.release());
      landed();
      if (encoded !== undefined) events.emit({ type: 'uncacheable', cache: space.name, key, error: encoded });
      return uncached(answer.value, 'miss');
    }
    space.counts.fills += 1;
    space.counts.bytesWritten += encoded.payload.length;
    this.#behind(job, this.#fill(right, job, answer, encoded).finally(landed));
    return { value: answer.value, status: 'miss', stored: true, ageMs: 0, ttlMs: encoded.ttlMs };
  }

  async #fill(right: Right, job: Job, answer: Answer, encoded: Encoded): Promise<void> {
    if (await fill(right, job, answer, encoded, job.ticket)) return;
    job.space.counts.refusedFills += 1;
    this.#shelf.events.emit({ type: 'refused', cache: job.space.name, key: job.key });
  }

  async #loadUnstored(job: Job, flight: Flight, landed: () => void): Promise<Found> {
    this.#noteBypass(job, 'mutation');
    const answer = await ask(job, { bypass: 'mutation' });
    flight.tags = answer.tags;
    landed();
    return bypassed(answer.value, 'mutation');
  }

  #giveUp(job: Job, reason: BypassReason, landed: () => void): Promise<Found> {
    landed();
    return this.around(job, reason);
  }

  #behind(job: Job, work: Promise<void>): void {
    this.#shelf.behind(
      work.catch((error: unknown) => {
        if (!(error instanceof HotshelfError)) throw error;
        this.#noteFailure(job, error);
      }),
    );
  }

  #noteMiss({ space, key }: Job): void {
    space.counts.misses += 1;
    if (this.#shelf.events.observed) this.#shelf.events.emit({ type: 'miss', cache: space.name, key });
  }

  #noteFailure(job: Job, error: HotshelfError): void {
    this.#shelf.events.emit({ type: 'failed', cache: job.space.name, key: job.key, error });
  }

  #noteBypass(job: Job, reason: BypassReason): void {
    job.space.counts.bypasses += 1;
    this.#shelf.events.emit({ type: 'bypass', cache: job.space.name, key: job.key, reason });
  }
}

function isAccepted(found: Found, { accept }: Policy): boolean {
  const acceptance = accept?.(found as Lookup<never>) ?? 'serve';
  return acceptance === 'serve' || acceptance === 'refresh';
}

function uncached(value: unknown, status: 'miss' | 'collapsed'): Found {
  return { value, status, stored: false, ageMs: 0, ttlMs: 0 };
}

function bypassed(value: unknown, reason: BypassReason): Found {
  return { value, status: 'bypass', reason, stored: false, ageMs: 0, ttlMs: 0 };
}
