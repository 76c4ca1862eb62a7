/** Keeps the tags' clock and stamps in the backend: what ends any number of entries with a few commands. */

import type { Stored, Values } from '../../backend/values.ts';
import type { Clock } from '../../support/clock.ts';
import { contended, mostAttempts, TagClock } from './clock.ts';
import { holdersOf, living } from '../change/holders.ts';
import { KnownKeys } from '../known-keys.ts';
import type { Key } from '../key.ts';
import {
  judge,
  readStamp,
  readTick,
  sealStamp,
  type Stamp,
  type TagSight,
  type TagSights,
  type Tick,
} from './stamp.ts';

const mostStamps = 10_000;
/** A stamp is kept at least this long, in ms, and twice as long as the entries that need it. */
const shortestKeepMs = 2 * 3600_000;

/**
 * A logical clock stands under one key of the cache, a stamp under each tag.
 *
 * An invalidation moves the clock on and raises the stamps of its tags to it. An entry remembers an instant of the clock that was
 * seen before its load began, and is good while none of its tags has a later stamp. So a load in flight can name its tags even
 * after it has read: an invalidation meanwhile has a later instant. No wall clock takes part.
 *
 * A tag that is not there ends its entries: stamps may be evicted and have a lifetime. One is made again with an instant that
 * was read *after* it was found missing, which no entry from before an earlier invalidation can have. A lost clock
 * begins a new era, and stamps of an older era are made again likewise.
 *
 * While a `mutate` holds a tag, nobody raises it or stores under it. The one who ends the hold, or finds its holder dead, puts
 * a stamp there that is later than every instant of the time in which it was held: a load may have read the old truth at any of
 * them, and name the tag only afterwards.
 */
export class Tags {
  readonly #values: Values;
  readonly #clock: Clock;
  readonly #prefix: string;
  readonly #ticks: TagClock;
  readonly #keys: KnownKeys;
  /** Stamps as they were last read. */
  readonly #stamps = new Map<string, Exclude<TagSight, 'held' | undefined>>();

  constructor(values: Values, clock: Clock, prefix: string) {
    this.#values = values;
    this.#clock = clock;
    this.#prefix = prefix;
    // "!" stands in no prefix of a namespace, so that no entry can have these keys.
    this.#ticks = new TagClock(values, `${prefix}!clock`);
    this.#keys = new KnownKeys(`${prefix}!tag`);
  }

  /** Returns the full key of a tag. @throws {HotshelfError} `KEY_INVALID` */
  readonly keyOf = (tag: Key): string => this.#keys.find(tag) ?? this.#keys.write(tag);

  /** The latest instant that this process knows of; to be asked for before tags are read. */
  get known(): Tick | undefined {
    return this.#ticks.known;
  }

  /** Reads what `stored` shows under `tags`, from index `from` on, into `seen`. */
  see(
    tags: readonly string[],
    stored: readonly (Stored | undefined)[],
    from: number,
    seen: Map<string, TagSight>,
  ): void {
    for (let index = 0; index < tags.length; index += 1) {
      const tag = tags[index] ?? '';
      const sight = this.#read(tag, stored[from + index]);
      if (sight !== undefined && sight !== 'held') this.#ticks.learn(sight.era, Math.max(sight.hard, sight.soft));
      seen.set(tag, sight);
    }
  }

  /** As `readStamp`: hot tags are read far more often than they change, and each of their states has a version of its own. */
  #read(tag: string, stored: Stored | undefined): TagSight {
    const last = this.#stamps.get(tag);
    if (last !== undefined && last.version === stored?.version) return last;
    const sight = readStamp(tag, stored);
    if (typeof sight === 'object') {
      if (this.#stamps.size >= mostStamps) this.#stamps.clear();
      this.#stamps.set(tag, sight);
    }
    return sight;
  }

  /** Reads the stamps of `tags` now. Rejects as the backend does. */
  async read(tags: readonly string[]): Promise<TagSights> {
    const seen = new Map<string, TagSight>();
    this.see(tags, await this.#values.getMany(tags), 0, seen);
    return seen;
  }

  /**
   * Returns the instant for a load that begins now, making tags that are missing; `held` while one of them must not be stored.
   *
   * Rejects as the backend does.
   *
   * @param seen what a read of the tags showed
   * @param knownBefore what was known when that read began; without it the clock is read
   */
  async ready(tags: readonly string[], seen: TagSights, knownBefore: Tick | undefined): Promise<Tick | 'held'> {
    let sights = seen;
    let at = knownBefore ?? (await this.#ticks.read());
    if (knownBefore === undefined && tags.length > 0) sights = await this.read(tags);
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      const held = tags.filter((tag) => sights.get(tag) === 'held');
      const freed = await Promise.all(held.map((tag) => this.#endDeadHold(tag)));
      if (freed.includes(false)) return 'held';
      if (judge(tags, at, sights) === 'valid') return at;
      const instant = this.#knownFor(tags, sights) ?? (await this.#ticks.read());
      const renewed = await Promise.all(tags.map((tag) => this.#renew(tag, sights, instant)));
      at = instant;
      sights = await this.#readAgain(
        tags,
        tags.filter((_, index) => renewed[index]),
        instant,
      );
    }
    throw contended(tags);
  }

  /** Tells whether a value that was loaded at `at` is still not invalidated by its tags. Rejects as the backend does. */
  async stillHolds(tags: readonly string[], at: Tick): Promise<boolean> {
    return tags.length === 0 || judge(tags, at, await this.read(tags)) === 'valid';
  }

  /** Invalidates: every entry with one of these tags whose load began before is never used again, or is stale from now on. */
  async invalidate(tags: readonly string[], soft: boolean): Promise<void> {
    const [at, stored] = await Promise.all([this.advance(), this.#values.getMany(tags)]);
    await Promise.all(tags.map((tag, index) => this.raise(tag, at, soft, stored[index])));
  }

  /** As `TagClock.advance`. */
  advance(): Promise<Tick> {
    return this.#ticks.advance();
  }

  /**
   * Raises one stamp to `at`. The hold of somebody who lives stays: its end will leave a later stamp.
   *
   * @param before a stamp as it was a moment ago, to be tried first; a hold that was seen before `at` may have ended before it
   */
  async raise(tag: string, at: Tick, soft: boolean, before?: Stored): Promise<void> {
    let known = readStamp(tag, before) === 'held' ? undefined : before;
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      const stored = known ?? (await this.#values.get(tag));
      known = undefined;
      const sight = readStamp(tag, stored);
      if (sight === 'held') {
        if (await this.#endDeadHold(tag)) continue;
        return;
      }
      const isOfEra = sight !== undefined && sight.era === at.era;
      if (isOfEra && (soft ? sight.soft : sight.hard) >= at.count) return;
      const stamp = isOfEra
        ? { hard: soft ? sight.hard : at.count, soft: Math.max(sight.soft, at.count) }
        : { hard: at.count, soft: at.count };
      if (await this.#put(tag, { ...stamp, era: at.era }, stored)) return;
    }
    throw contended([tag]);
  }

  /** Returns the bytes of a fresh stamp, for those who put it in the place of a hold. */
  stampAt(tag: string, { era, count }: Tick): { readonly bytes: Buffer; readonly ttlMs: number } {
    return this.#stamped(tag, { era, hard: count, soft: count }, shortestKeepMs);
  }

  /** Sees to it that the stamps outlive an entry of `lifetimeMs`. Rejects as the backend does. */
  async keep(tags: readonly string[], seen: TagSights, lifetimeMs: number): Promise<void> {
    const until = this.#clock.now() + lifetimeMs;
    // Those that were not seen were made since, and are kept for the shortest time.
    const isSeen = lifetimeMs < shortestKeepMs || tags.every((tag) => typeof seen.get(tag) === 'object');
    const sights = isSeen ? seen : await this.read(tags);
    await Promise.all(
      tags.map(async (tag) => {
        const sight = sights.get(tag);
        if (typeof sight !== 'object' || sight.keptUntil >= until) return;
        const { bytes, ttlMs } = this.#stamped(tag, sight, lifetimeMs * 2);
        await this.#values.cas(tag, sight.version, bytes, ttlMs);
      }),
    );
  }

  /** The known instant if it is all that is needed: every tag is there, of its era, and none is later. */
  #knownFor(tags: readonly string[], seen: TagSights): Tick | undefined {
    const { known } = this.#ticks;
    return known !== undefined && judge(tags, known, seen) === 'valid' ? known : undefined;
  }

  /** Puts a stamp in the place of a hold that nobody lives for; false if somebody does. Rejects as the backend does. */
  async #endDeadHold(tag: string): Promise<boolean> {
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      const stored = await this.#values.get(tag);
      const holders = holdersOf(tag, stored);
      if (stored === undefined || holders === undefined) return true;
      if ((await living(this.#values, this.#prefix, holders)).length > 0) return false;
      const { bytes, ttlMs } = this.stampAt(tag, await this.advance());
      if ((await this.#values.cas(tag, stored.version, bytes, ttlMs)) !== undefined) return true;
    }
    throw contended([tag]);
  }

  /**
   * Makes a stamp that is missing or of another era; one that is there already, or changed meanwhile, stays.
   * Returns whether it was made.
   */
  async #renew(tag: string, seen: TagSights, at: Tick): Promise<boolean> {
    const sight = seen.get(tag);
    if (sight === 'held' || (sight !== undefined && sight.era === at.era)) return false;
    const { bytes, ttlMs } = this.stampAt(tag, at);
    if (sight !== undefined) return (await this.#values.cas(tag, sight.version, bytes, ttlMs)) !== undefined;
    if ((await this.#values.add(tag, bytes, ttlMs)) !== undefined) return true;
    await this.#replaceUnusable(tag, bytes, ttlMs);
    return true;
  }

  /**
   * Reads the stamps of `tags`, of which `made` were just made at `instant`. If the clock went on meanwhile or is lost, one of those
   * may have been raised and lost again before it was made: then they are raised.
   */
  async #readAgain(tags: readonly string[], made: readonly string[], instant: Tick): Promise<TagSights> {
    if (made.length === 0) return this.read(tags);
    const stored = await this.#values.getMany([...tags, this.#ticks.key]);
    const tick = readTick(this.#ticks.key, stored.at(-1));
    if (tick === undefined || tick.era !== instant.era || tick.count > instant.count) {
      const now = await this.#ticks.read();
      await Promise.all(made.map((tag) => this.raise(tag, now, false)));
      return this.read(tags);
    }
    const seen = new Map<string, TagSight>();
    this.see(tags, stored, 0, seen);
    return seen;
  }

  /** Bytes that are no stamp would keep the tag missing for ever. */
  async #replaceUnusable(tag: string, bytes: Uint8Array, ttlMs: number): Promise<void> {
    const stored = await this.#values.get(tag);
    if (stored !== undefined && readStamp(tag, stored) === undefined)
      await this.#values.cas(tag, stored.version, bytes, ttlMs);
  }

  async #put(tag: string, stamp: Omit<Stamp, 'keptUntil'>, over: Stored | undefined): Promise<boolean> {
    const { bytes, ttlMs } = this.#stamped(tag, stamp, shortestKeepMs);
    const written =
      over === undefined
        ? await this.#values.add(tag, bytes, ttlMs)
        : await this.#values.cas(tag, over.version, bytes, ttlMs);
    return written !== undefined;
  }

  #stamped(tag: string, { era, hard, soft }: Omit<Stamp, 'keptUntil'>, keepMs: number) {
    const ttlMs = Math.ceil(Math.max(shortestKeepMs, keepMs));
    return { bytes: sealStamp(tag, { era, hard, soft, keptUntil: this.#clock.now() + ttlMs }), ttlMs };
  }
}
