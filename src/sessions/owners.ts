/** Keeps the list of each owner's sessions, so that they can be shown, counted and ended everywhere. */

import type { Version } from '../backend/values.ts';
import { HotshelfError } from '../support/errors.ts';
import { untilWritten } from './attempts.ts';
import { SessionError, sessionError } from './errors.ts';
import type { SessionEvent } from './events.ts';
import type { Fields } from './fields.ts';
import { Format } from './format.ts';
import type { Keys, SessionKeys } from './keys.ts';
import type { SessionFields, Settings } from './options.ts';
import { type Listed, listIn, type OwnerList, pruned, without, withOne } from './owner-list.ts';
import type { Found, SessionRecord } from './record.ts';
import type { Records, Sight } from './records.ts';

interface Read {
  readonly list: OwnerList;
  readonly version: Version | undefined;
  readonly expiresAt: number;
}

/** Returns the owner of a session with these fields; what it was before, where nobody says who owns a session. */
export function ownerIn(fields: Fields, before: string | undefined, { ownerOf }: Settings): string | undefined {
  if (ownerOf === undefined) return before;
  const owner: unknown = ownerOf(fields.view() as SessionFields);
  if (typeof owner === 'number') return String(owner);
  return typeof owner === 'string' && owner !== '' ? owner : undefined;
}

export class Owners {
  readonly #settings: Settings;
  readonly #keys: Keys;
  readonly #records: Records;
  readonly #format: Format;
  readonly #emit: (event: SessionEvent) => void;

  constructor(settings: Settings, keys: Keys, records: Records, emit: (event: SessionEvent) => void) {
    this.#settings = settings;
    this.#keys = keys;
    this.#records = records;
    this.#format = new Format(settings.codec, settings.alsoRead);
    this.#emit = emit;
  }

  /**
   * Notes the owner that a session is about to get, or the longer life of its list, and returns what to write. Noted before it
   * is written: whoever ends all sessions of the owner in between then ends this one.
   *
   * @throws {HotshelfError} `SESSION_LIMIT`
   */
  async before(keys: SessionKeys, old: SessionRecord, next: Found): Promise<Found> {
    const { owner, listedUntil } = next.record;
    if (owner === undefined || (owner === old.owner && next.expiresAt <= listedUntil)) return next;
    const until = listUntil(next);
    await this.#note(owner, keys, next.record.createdAt, until, this.#settings.clock.now());
    return { ...next, record: { ...next.record, listedUntil: until } };
  }

  /** Takes a session off the list of the owner that it had. */
  after(keys: SessionKeys, old: SessionRecord, next: SessionRecord): void {
    if (old.owner !== undefined && old.owner !== next.owner) void this.forget(old.owner, keys);
  }

  /**
   * Puts a session that is stored into the list of its owner, and ends the oldest ones if there are too many.
   *
   * @throws {HotshelfError} `SESSION_LIMIT`
   */
  note(owner: string, keys: SessionKeys, createdAt: number, until: number): Promise<void> {
    return this.#note(owner, keys, createdAt, until, 0);
  }

  async #note(owner: string, keys: SessionKeys, createdAt: number, until: number, pendingAt: number): Promise<void> {
    const place = this.#keys.placeOf(keys);
    await this.#change(owner, async ({ list, expiresAt }) => {
      if (list.some((one) => one.place === place)) return expiresAt >= until ? undefined : { list, until };
      const now = this.#settings.clock.now();
      const sights = await this.#sights(list);
      const alive = pruned(list, (one) => sights.get(one.place)?.state?.found.record.owner === owner, now);
      const { maxPerOwner, onLimit } = this.#settings;
      const next = withOne(alive, { place, createdAt, pendingAt }, maxPerOwner);
      if (next.evicted.length > 0 && onLimit === 'reject') throw tooMany(maxPerOwner);
      await this.#end(next.evicted);
      for (const one of next.evicted) this.#emit({ type: 'evicted', id: this.#keys.at(one.place).id });
      return { list: next.list, until: Math.max(until, expiresAt) };
    });
  }

  /** Never rejects: what is left in the list by a failure is seen to be gone. */
  async forget(owner: string, keys: SessionKeys): Promise<void> {
    const places = new Set([this.#keys.placeOf(keys)]);
    try {
      await this.#change(owner, async ({ list, expiresAt }) => {
        const rest = without(list, places);
        return rest.length === list.length ? undefined : { list: rest, until: expiresAt };
      });
    } catch (error) {
      const failure = sessionError(error);
      if (!(failure instanceof HotshelfError)) throw failure;
      this.#emit({ type: 'failed', id: keys.id, error: failure });
    }
  }

  /** Returns the sessions of an owner that are alive, the newest first. */
  async list(owner: string): Promise<readonly { readonly keys: SessionKeys; readonly found: Found }[]> {
    const { list } = await this.#read(owner);
    const sights = await this.#sights(list);
    const own = list.flatMap(({ place }) => {
      const found = sights.get(place)?.state?.found;
      return found?.record.owner === owner ? [{ keys: this.#keys.at(place), found }] : [];
    });
    return own.toSorted((a, b) => b.found.record.createdAt - a.found.record.createdAt);
  }

  /** Ends all sessions of an owner but `except`; returns how many there were. */
  async revoke(owner: string, except: SessionKeys | undefined): Promise<number> {
    const spared = except && this.#keys.placeOf(except);
    let count = 0;
    await this.#change(owner, async ({ list, expiresAt }) => {
      const sights = await this.#sights(list);
      const ended = list.filter(({ place }) => {
        const holder = sights.get(place)?.state?.found.record.owner;
        // One that is nobody's yet is about to become the owner's.
        return place !== spared && (holder === undefined || holder === owner);
      });
      await this.#end(ended);
      count += ended.filter(({ place }) => sights.get(place)?.state !== undefined).length;
      const gone = new Set(list.filter(({ place }) => place !== spared).map(({ place }) => place));
      return gone.size === 0 ? undefined : { list: without(list, gone), until: expiresAt };
    });
    return count;
  }

  async #sights(list: OwnerList): Promise<ReadonlyMap<string, Sight>> {
    if (list.length === 0) return new Map();
    const sights = await this.#records.lookAtAll(list.map(({ place }) => this.#keys.at(place)));
    return new Map(list.map(({ place }, index) => [place, sights[index]] as const).filter(isSeen));
  }

  #end(list: OwnerList): Promise<void> {
    return this.#records.removeAll(list.map(({ place }) => this.#keys.at(place)));
  }

  async #read(owner: string): Promise<Read> {
    const key = this.#keys.owner(owner);
    const stored = await this.#settings.values.get(key);
    if (stored === undefined) return { list: [], version: undefined, expiresAt: 0 };
    const read = this.#format.read(key, stored.bytes, ({ decode }) => listIn(decode()));
    if ('unusable' in read) return { list: [], version: stored.version, expiresAt: 0 };
    return { list: read.value, version: stored.version, expiresAt: read.stamp.expiresAt };
  }

  /** Reads the list, asks `next` what it should be, and writes that, again and again until nobody else wrote in between. */
  async #change(
    owner: string,
    next: (read: Read) => Promise<{ readonly list: OwnerList; readonly until: number } | undefined>,
  ): Promise<void> {
    await untilWritten(this.#settings.clock, "the list of an owner's sessions", async () => {
      const read = await this.#read(owner);
      const wanted = await next(read);
      const isDone = wanted === undefined || (await this.#write(owner, read.version, wanted.list, wanted.until));
      return isDone || undefined;
    });
  }

  async #write(owner: string, version: Version | undefined, list: readonly Listed[], until: number): Promise<boolean> {
    const { values, clock } = this.#settings;
    const key = this.#keys.owner(owner);
    if (list.length === 0 && version !== undefined) return values.deleteIf(key, version);
    const now = clock.now();
    const ttlMs = Math.max(1, Math.ceil(until - now));
    const bytes = this.#format.write(key, list, { writtenAt: now, expiresAt: now + ttlMs, epoch: new Uint32Array(2) });
    const written = await (version === undefined
      ? values.add(key, bytes, ttlMs)
      : values.cas(key, version, bytes, ttlMs));
    return written !== undefined;
  }
}

/** Twice as long as the session, so that most writes of the session need not write the list. */
export function listUntil({ expiresAt, writtenAt }: Pick<Found, 'expiresAt' | 'writtenAt'>): number {
  return writtenAt + 2 * (expiresAt - writtenAt);
}

function isSeen(entry: readonly [string, Sight | undefined]): entry is readonly [string, Sight] {
  return entry[1] !== undefined;
}

function tooMany(most: number): SessionError {
  return new SessionError(
    'SESSION_LIMIT',
    `The owner has ${most} sessions, as many as \`maxPerOwner\` allows. End one first, or choose onLimit: 'evict-oldest'.`,
    409,
  );
}
