/** Keeps keys uncached while their truth is being changed, and survives the death of whoever changes it. */

import type { Version } from '../backend/values.ts';
import { seal } from '../codec/envelope.ts';
import type { Halves } from '../codec/hash64.ts';
import type { Timer } from '../support/clock.ts';
import { HotshelfError } from '../support/errors.ts';
import { decide, holdPayload, type Sight } from './decide.ts';
import type { Shelf } from './shelf.ts';

/** The backend forgets a hold after this, in ms, if its holder died. */
const holdTtlMs = 10_000;
const renewEveryMs = 3000;
/** So often a change of the marker is tried against other holders before the key is simply deleted. */
const mostAttempts = 8;
/** A hold belongs to no epoch: a `clear` during a write must not let a load in. */
const noScope: Halves = new Uint32Array(2);

/**
 * The hold of one `mutate` on its keys.
 *
 * Under each key stands a marker that lists its holders, so that the holder who ends first does not free the others; each
 * holder has a key of its own besides that tells that it lives. A load that sees the marker is not stored; a load that began
 * before finds its lease gone.
 */
export class Hold {
  readonly #shelf: Shelf;
  readonly #keys: readonly string[];
  readonly #holder: string;
  #timer: Timer | undefined;
  #renewal: Promise<void> | undefined;
  #ended = false;

  private constructor(shelf: Shelf, keys: readonly string[]) {
    this.#shelf = shelf;
    this.#keys = keys;
    this.#holder = shelf.newToken();
  }

  /** Holds `keys`. Rejects as the backend does; then nothing is held for certain, and `end` must be called all the same. */
  static begin(shelf: Shelf, keys: readonly string[]): { hold: Hold; held: Promise<void> } {
    const hold = new Hold(shelf, keys);
    return { hold, held: hold.#hold().then(() => hold.#scheduleRenewal()) };
  }

  /** Frees the keys: what stands there is deleted, but for the holds of others. Rejects as the backend does. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#timer?.cancel();
    await this.#renewal;
    await every(this.#keys.map((key) => this.#free(key)));
    await this.#shelf.values.delete([this.#lifeKey(this.#holder)]);
  }

  async #hold(): Promise<void> {
    const alive = this.#shelf.values.set(this.#lifeKey(this.#holder), Buffer.from('1'), holdTtlMs);
    await every([alive, ...this.#keys.map((key) => this.#join(key))]);
  }

  #scheduleRenewal(): void {
    if (this.#ended) return;
    this.#timer = this.#shelf.clock.after(
      renewEveryMs,
      () => {
        const again = () => this.#scheduleRenewal();
        this.#renewal = this.#hold().then(again, again);
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

  async #free(key: string): Promise<void> {
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      const sight = await this.#look(key);
      if (sight.kind === 'absent') return;
      const holders = sight.kind === 'held' ? sight.holders : [];
      const others = await this.#living(holders.filter((holder) => holder !== this.#holder));
      if (others.length === 0 ? await this.#remove(key, sight.version) : await this.#write(key, sight, others)) return;
    }
    await this.#shelf.values.delete([key]);
  }

  async #look(key: string): Promise<Sight> {
    return decide(key, await this.#shelf.values.get(key), noScope, this.#shelf.clock.now());
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
