/** Reads, writes and ends stored sessions: what the pure files say, carried out over the values of a backend. */

import { randomBytes } from 'node:crypto';
import type { Stored, Version } from '../backend/values.ts';
import { type Halves, hash64 } from '../support/hash64.ts';
import { HotshelfError } from '../support/errors.ts';
import type { SessionEvent } from './events.ts';
import type { SessionKeys } from './keys.ts';
import type { Settings } from './options.ts';
import { Format, type Unusable } from './format.ts';
import { type Found, jsonOf, recordInJson, recordInValue } from './record.ts';
import type { State } from './state.ts';
import type { Takeover } from './takeover.ts';

/** What was found under a key: a session, or nothing that can be used, in whose place one may be written. */
export interface Sight {
  readonly state: State | undefined;
  /** Of the bytes that stand there, whatever they are. */
  readonly version: Version | undefined;
  /** The epoch that a session written now belongs to. */
  readonly epoch: Halves;
  /** A session was ended here that must not come back from another store. */
  readonly isEnded: boolean;
}

export class Records {
  readonly #settings: Settings;
  readonly #format: Format;
  readonly #emit: (event: SessionEvent) => void;

  constructor(settings: Settings, emit: (event: SessionEvent) => void) {
    this.#settings = settings;
    this.#format = new Format(settings.codec, settings.alsoRead);
    this.#emit = emit;
  }

  /** Looks for one session, in one trip, and in the other store if it may be there. Rejects as the backend does. */
  look(keys: SessionKeys): Promise<Sight> {
    const { takeover } = this.#settings;
    const sight = this.#see(keys);
    return takeover === undefined || keys.legacy === undefined ? sight : this.#lookFurther(keys, sight, takeover);
  }

  async #lookFurther(keys: SessionKeys, seen: Promise<Sight>, takeover: Takeover): Promise<Sight> {
    const sight = await seen;
    if (sight.version !== undefined || sight.isEnded) return sight;
    const found = await takeover.find(keys, sight.epoch, this.#settings.clock.now());
    // It may have been taken over just now.
    if (found === undefined) return this.#see(keys);
    if (!('unusable' in found)) return { ...sight, state: { keys, version: undefined, found } };
    this.#emit({ type: 'unusable', id: keys.id, reason: found.unusable });
    return sight;
  }

  /** Looks under the keys of many sessions, in one trip. */
  async lookAtAll(all: readonly SessionKeys[]): Promise<readonly Sight[]> {
    const stored = await this.#settings.values.getMany(all.flatMap((keys) => this.#placesOf(keys)));
    const each = stored.length / all.length;
    return all.map((keys, index) => this.#sight(keys, stored.slice(index * each, (index + 1) * each)));
  }

  #see(keys: SessionKeys): Promise<Sight> {
    return this.#settings.values.getMany(this.#placesOf(keys)).then((stored) => this.#sight(keys, stored));
  }

  #placesOf({ session, epoch, ended }: SessionKeys): readonly string[] {
    return this.#settings.takeover === undefined ? [session, epoch] : [session, epoch, ended];
  }

  /** Puts `found` where `seen` is, unless something else stands there by now: then `undefined`. */
  async put(keys: SessionKeys, seen: Version | undefined, found: Found): Promise<State | undefined> {
    const { values } = this.#settings;
    const bytes = this.#sealed(keys, found);
    const ttlMs = Math.max(1, Math.ceil(found.expiresAt - found.writtenAt));
    const version = await (seen === undefined
      ? values.add(keys.session, bytes, ttlMs)
      : values.cas(keys.session, seen, bytes, ttlMs));
    return version === undefined ? undefined : { keys, version, found };
  }

  /** Puts `found` in the place of `state`, unless that is gone or was changed: then `undefined`. */
  replace({ keys, version }: State, found: Found): Promise<State | undefined> {
    const { takeover } = this.#settings;
    const written = this.put(keys, version, found);
    return takeover === undefined || version !== undefined ? written : this.#settled(takeover, written);
  }

  /** Ends in the other store what was written here. */
  async #settled(takeover: Takeover, writing: Promise<State | undefined>): Promise<State | undefined> {
    const written = await writing;
    if (written === undefined || (await takeover.settle(written.keys))) return written;
    // Whatever others made of it meanwhile.
    await this.#settings.values.delete([written.keys.session]);
    return undefined;
  }

  /** Lets a session live as long as `renewed` says, where it is. */
  async renew(state: State, renewed: Found): Promise<State | undefined> {
    const { takeover } = this.#settings;
    if (takeover === undefined || state.version !== undefined) return this.replace(state, renewed);
    const lives = await takeover.renew(state.keys, renewed.expiresAt - renewed.writtenAt);
    return lives ? { keys: state.keys, version: undefined, found: renewed } : undefined;
  }

  /** Ends a session; with `owned` it says what it was, if it was one. */
  async remove(keys: SessionKeys, owned: boolean): Promise<Found | undefined> {
    await this.#settings.takeover?.end([keys]);
    if (!owned) {
      await this.#settings.values.delete([keys.session]);
      return undefined;
    }
    const taken = await this.#settings.values.take(keys.session);
    const found = taken && this.#read(keys, taken.bytes);
    return found === undefined || 'unusable' in found ? undefined : found;
  }

  async removeAll(all: readonly SessionKeys[]): Promise<void> {
    if (all.length === 0) return;
    await this.#settings.takeover?.end(all);
    await this.#settings.values.delete(all.map(({ session }) => session));
  }

  /** Begins a new epoch of every group: sessions of the one before are none any more. */
  async endAll(epochs: readonly string[]): Promise<void> {
    await this.#settings.takeover?.clear();
    await Promise.all(epochs.map((key) => this.#settings.values.set(key, randomBytes(8), Infinity)));
  }

  #sight(keys: SessionKeys, [stored, epochStored, ended]: readonly (Stored | undefined)[]): Sight {
    const isEnded = ended !== undefined;
    const epoch = epochOf(epochStored);
    const nothing = { state: undefined, version: stored?.version, epoch, isEnded };
    if (stored === undefined || isEnded) return nothing;
    const found = this.#read(keys, stored.bytes);
    if ('unusable' in found) {
      this.#emit({ type: 'unusable', id: keys.id, reason: found.unusable });
      return nothing;
    }
    const isCleared = found.epoch[0] !== epoch[0] || found.epoch[1] !== epoch[1];
    if (isCleared || found.expiresAt <= this.#settings.clock.now()) return nothing;
    const { version } = stored;
    return { state: { keys, version, found }, version, epoch, isEnded };
  }

  #read(keys: SessionKeys, bytes: Uint8Array): Found | Unusable {
    const read = this.#format.read(keys.session, bytes, ({ json, decode }) =>
      json === undefined ? recordInValue(decode(), decode) : recordInJson(json),
    );
    return 'unusable' in read ? read : { ...read.stamp, record: read.value };
  }

  #sealed(keys: SessionKeys, found: Found): Uint8Array {
    const bytes = this.#format.writeJson(keys.session, jsonOf(found.record), found);
    const { maxBytes } = this.#settings;
    if (bytes.length <= maxBytes) return bytes;
    throw new HotshelfError(
      'VALUE_TOO_LARGE',
      `The session would have ${bytes.length} bytes; at most ${maxBytes} are allowed (\`maxBytes\`). It stays as it was: keep less in it.`,
    );
  }
}

/** The digest of an epoch; one that was never begun is 0. */
function epochOf(stored: Stored | undefined): Halves {
  if (stored === undefined) return never;
  const halves: Halves = new Uint32Array(2);
  const { buffer, byteOffset, byteLength } = stored.bytes;
  hash64(Buffer.from(buffer, byteOffset, byteLength).toString('latin1'), halves);
  return halves;
}

const never: Halves = new Uint32Array(2);
