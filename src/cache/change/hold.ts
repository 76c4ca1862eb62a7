/** Keeps keys uncached while their truth is being changed, and survives the death of whoever changes it. */

import type { Version } from '../../backend/values.ts';
import { open, seal } from '../../codec/envelope.ts';
import type { Timer } from '../../support/clock.ts';
import { HotshelfError } from '../../support/errors.ts';
import { decide, holdPayload, type Sight } from '../read/decide.ts';
import { lifeKeyOf, living } from './holders.ts';
import type { Shelf } from '../shelf.ts';
import { noScope } from '../tags/stamp.ts';

/** The backend forgets the hold of a key, and that a holder lives, after this, in ms, if the holder died. */
const holdTtlMs = 10_000;
/** The hold of a tag stays until somebody finds its holder dead: that there was one must be known for longer than loads last. */
const tagHoldTtlMs = 2 * 3600_000;
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
    await this.#hold(newKeys, newTags);
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
    await every([...Array.from(this.#keys, (key) => this.#free(key)), this.#freeTags([...this.#tags])]);
    // It ends by itself too, and nothing depends on when.
    const deleted = this.#shelf.values.delete([lifeKeyOf(this.#shelf.prefix, this.#holder)]);
    this.#shelf.behind(deleted.catch(() => {}));
  }

  async #hold(keys: readonly string[], tags: readonly string[]): Promise<void> {
    const { values, prefix } = this.#shelf;
    const alive = values.set(lifeKeyOf(prefix, this.#holder), Buffer.from('1'), holdTtlMs);
    // Whoever meets the hold of a tag asks at once whether its holder lives.
    const joined = tags.map((tag) => alive.then(() => this.#join(tag)));
    await every([alive, ...keys.map((key) => this.#join(key)), ...joined]);
  }

  #scheduleRenewal(): void {
    if (this.#ended) return;
    this.#timer = this.#shelf.clock.after(
      renewEveryMs,
      () => {
        const again = () => this.#scheduleRenewal();
        this.#renewal = this.#hold([...this.#keys], [...this.#tags]).then(again, again);
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
    await this.#shelf.values.set(key, this.#marker(key, [this.#holder]), this.#ttlMs(key));
  }

  async #free(key: string): Promise<void> {
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      const sight = await this.#look(key);
      if (sight.kind !== 'held') {
        if (!('version' in sight) || (await this.#remove(key, sight.version))) return;
        continue;
      }
      const others = await this.#others(sight.holders);
      const freed = others.length > 0 ? await this.#write(key, sight, others) : this.#remove(key, sight.version);
      if (await freed) return;
    }
    await this.#shelf.values.delete([key]);
  }

  /** First nobody must rely on this holder any more to leave a later stamp; only then is the clock moved on for that stamp. */
  async #freeTags(tags: readonly string[]): Promise<void> {
    if (tags.length === 0) return;
    const left = new Map<string, Version | undefined>();
    await every(tags.map(async (tag) => left.set(tag, await this.#withdraw(tag))));
    const at = await this.#shelf.tags.advance();
    await every(
      tags.map(async (tag) => {
        const version = left.get(tag);
        const { bytes, ttlMs } = this.#shelf.tags.stampAt(tag, at);
        const { values, tags: all } = this.#shelf;
        if (version === undefined || (await values.cas(tag, version, bytes, ttlMs)) === undefined)
          await all.raise(tag, at, false);
      }),
    );
  }

  /** Returns the version of the marker if it is without a holder now. */
  async #withdraw(tag: string): Promise<Version | undefined> {
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      const sight = await this.#look(tag);
      if (sight.kind !== 'held') return undefined;
      const others = await this.#others(sight.holders);
      const version = await this.#write(tag, sight, others);
      if (version !== undefined) return others.length > 0 ? undefined : version;
    }
    throw new HotshelfError(
      'BACKEND_REFUSED',
      `The hold on a tag could not be ended: others changed it ${mostAttempts} times.`,
    );
  }

  async #look(key: string): Promise<Sight> {
    const stored = await this.#shelf.values.get(key);
    if (stored === undefined) return { kind: 'absent' };
    return decide(open(key, stored.bytes), stored.version, noScope, 'valid', this.#shelf.clock.now());
  }

  #write(key: string, sight: Sight, holders: readonly string[]): Promise<Version | undefined> {
    const { values } = this.#shelf;
    const marker = this.#marker(key, holders);
    return 'version' in sight
      ? values.cas(key, sight.version, marker, this.#ttlMs(key))
      : values.add(key, marker, this.#ttlMs(key));
  }

  #remove(key: string, version: Version): Promise<boolean> {
    return this.#shelf.values.deleteIf(key, version);
  }

  /** The other holders who live. */
  #others(holders: readonly string[]): Promise<readonly string[]> {
    const others = holders.filter((holder) => holder !== this.#holder);
    return living(this.#shelf.values, this.#shelf.prefix, others);
  }

  #ttlMs(key: string): number {
    return this.#tags.has(key) ? tagHoldTtlMs : holdTtlMs;
  }

  #marker(key: string, holders: readonly string[]): Buffer {
    return seal(key, noScope, { kind: 'hold' }, holdPayload(this.#shelf.newToken(), holders));
  }
}

/** Waits for all, then fails as the first that failed: what is still under way could put a hold back after its end. */
async function every(works: readonly Promise<unknown>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(works)) if (outcome.status === 'rejected') throw outcome.reason;
}
