/** Keeps keys uncached while their truth is being changed, and survives the death of whoever changes it. */

import type { Version } from '../backend/values.ts';
import { open, seal } from '../codec/envelope.ts';
import type { Timer } from '../support/clock.ts';
import { HotshelfError } from '../support/errors.ts';
import { decide, holdPayload, type Sight } from './decide.ts';
import type { Shelf } from './shelf.ts';
import { noScope, type Tick } from './stamp.ts';

/** The backend forgets a hold after this, in ms, if its holder died. */
const holdTtlMs = 10_000;
const renewEveryMs = 3000;
/** So often a change of the marker is tried against other holders before the key is simply deleted. */
const mostAttempts = 8;

/**
 * The hold of one `mutate` on its keys and tags. It belongs to no epoch: a `clear` during a write must not let a load in.
 *
 * Under each key stands a marker that lists its holders, so that the holder who ends first does not free the others; each
 * holder has a key of its own besides that tells that it lives. A load that sees the marker is not stored; a load that began
 * before finds its lease gone. Under a tag the marker takes the place of the stamp, and leaves a later one.
 */
export class Hold {
  readonly #shelf: Shelf;
  readonly #keys = new Set<string>();
  readonly #tags = new Set<string>();
  readonly #holder: string;
  #timer: Timer | undefined;
  #renewal: Promise<void> | undefined;
  #ended = false;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
    this.#holder = shelf.newToken();
  }

  /** Everything that it was to hold, held for certain or not. */
  get held(): { readonly keys: readonly string[]; readonly tags: readonly string[] } {
    return { keys: [...this.#keys], tags: [...this.#tags] };
  }

  /**
   * Holds full keys and tags too. Rejects as the backend does; then nothing more is held for certain, and `end` must be called
   * all the same.
   */
  async add(keys: readonly string[], tags: readonly string[]): Promise<void> {
    const newKeys = keys.filter((key) => !this.#keys.has(key));
    const newTags = tags.filter((tag) => !this.#tags.has(tag));
    for (const key of newKeys) this.#keys.add(key);
    for (const tag of newTags) this.#tags.add(tag);
    await this.#hold([...newKeys, ...newTags]);
    // If this process dies, the tags are made again at an instant that no entry from before the hold can have.
    if (newTags.length > 0) await this.#shelf.tags.advance();
    if (this.#timer === undefined) this.#scheduleRenewal();
  }

  /**
   * Frees everything: what stands under a key is deleted, under a tag it is raised, but for the holds of others. Rejects as the
   * backend does.
   */
  async end(): Promise<void> {
    this.#ended = true;
    this.#timer?.cancel();
    await this.#renewal;
    if (this.#keys.size + this.#tags.size === 0) return;
    const at = this.#tags.size === 0 ? undefined : await this.#shelf.tags.advance();
    await every([
      ...Array.from(this.#keys, (key) => this.#free(key, undefined)),
      ...Array.from(this.#tags, (tag) => this.#free(tag, at)),
    ]);
    await this.#shelf.values.delete([this.#lifeKey(this.#holder)]);
  }

  async #hold(keys: Iterable<string>): Promise<void> {
    const alive = this.#shelf.values.set(this.#lifeKey(this.#holder), Buffer.from('1'), holdTtlMs);
    await every([alive, ...Array.from(keys, (key) => this.#join(key))]);
  }

  #scheduleRenewal(): void {
    if (this.#ended) return;
    this.#timer = this.#shelf.clock.after(
      renewEveryMs,
      () => {
        const again = () => this.#scheduleRenewal();
        this.#renewal = this.#hold([...this.#keys, ...this.#tags]).then(again, again);
      },
      { background: true },
    );
  }

  async #join(key: string): Promise<void> {
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      const sight = await this.#look(key);
      const others = sight.kind === 'held' ? sight.holders.filter((holder) => holder !== this.#holder) : [];
      if (await this.#write(key, sight, [...others, this.#holder])) return;
    }
    await this.#shelf.values.set(key, this.#marker(key, [this.#holder]), holdTtlMs);
  }

  /** @param at the instant that a tag is left with */
  async #free(key: string, at: Tick | undefined): Promise<void> {
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      const sight = await this.#look(key);
      if (sight.kind !== 'held') {
        if (at !== undefined) await this.#shelf.tags.raise(key, at, false);
        else if ('version' in sight && !(await this.#remove(key, sight.version))) continue;
        return;
      }
      const others = await this.#living(sight.holders.filter((holder) => holder !== this.#holder));
      if (others.length > 0 ? await this.#write(key, sight, others) : await this.#leave(key, sight.version, at)) return;
    }
    if (at === undefined) await this.#shelf.values.delete([key]);
    else
      throw new HotshelfError(
        'BACKEND_REFUSED',
        `The hold on a tag could not be ended: others changed it ${mostAttempts} times.`,
      );
  }

  /** Puts nothing in the place of the marker or, under a tag, a stamp. */
  async #leave(key: string, version: Version, at: Tick | undefined): Promise<boolean> {
    if (at === undefined) return this.#remove(key, version);
    const { bytes, ttlMs } = this.#shelf.tags.stampAt(key, at);
    return (await this.#shelf.values.cas(key, version, bytes, ttlMs)) !== undefined;
  }

  async #look(key: string): Promise<Sight> {
    const stored = await this.#shelf.values.get(key);
    if (stored === undefined) return { kind: 'absent' };
    return decide(open(key, stored.bytes), stored.version, noScope, 'valid', this.#shelf.clock.now());
  }

  async #write(key: string, sight: Sight, holders: readonly string[]): Promise<boolean> {
    const { values } = this.#shelf;
    const marker = this.#marker(key, holders);
    const written =
      'version' in sight
        ? await values.cas(key, sight.version, marker, holdTtlMs)
        : await values.add(key, marker, holdTtlMs);
    return written !== undefined;
  }

  #remove(key: string, version: Version): Promise<boolean> {
    return this.#shelf.values.deleteIf(key, version);
  }

  async #living(holders: readonly string[]): Promise<string[]> {
    if (holders.length === 0) return [];
    const alive = await this.#shelf.values.getMany(holders.map((holder) => this.#lifeKey(holder)));
    return holders.filter((_, index) => alive[index] !== undefined);
  }

  #marker(key: string, holders: readonly string[]): Buffer {
    return seal(key, noScope, { kind: 'hold' }, holdPayload(this.#shelf.newToken(), holders));
  }

  #lifeKey(holder: string): string {
    return `${this.#shelf.prefix}!hold:${holder}`;
  }
}

/** Waits for all, then fails as the first that failed: what is still under way could put a hold back after its end. */
async function every(works: readonly Promise<unknown>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(works)) if (outcome.status === 'rejected') throw outcome.reason;
}

/** Ends a hold whatever became of it; returns the error if the backend did not confirm. */
export async function endHold(hold: Hold): Promise<HotshelfError | undefined> {
  try {
    await hold.end();
    return undefined;
  } catch (error) {
    if (error instanceof HotshelfError) return error;
    throw error;
  }
}
