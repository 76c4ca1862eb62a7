/** Gets the boards of groups: once a tick, and decoded once a version. */

import type { Stored, Values, Version } from '../../../src/backend/values.ts';
import { decode, emptyGroup, type Group } from './blob.ts';
import { unreadable } from './errors.ts';

/** What decoded groups may weigh together, by the bytes of their values. */
const keptBytesMost = 16 * 1024 * 1024;

/** What groups need of values. */
export type GroupValues = Pick<Values, 'get' | 'set' | 'add' | 'cas' | 'deleteIf' | 'maxValueBytes'>;

/** One state of a group. */
export interface GroupState {
  /** `undefined` if nothing is stored. */
  readonly version: Version | undefined;
  readonly group: Group;
}

/** A state that is decoded when somebody needs it: what this process wrote may be overwritten before anybody reads it. */
class KeptState implements GroupState {
  readonly version: Version;
  readonly bytes: Uint8Array;
  #group: Group | undefined;

  constructor({ version, bytes }: Stored) {
    this.version = version;
    this.bytes = bytes;
  }

  /** @throws {HotshelfError} `BACKEND_REFUSED` if that is no group. */
  get group(): Group {
    this.#group ??= decode(this.bytes);
    if (this.#group === undefined) throw unreadable();
    return this.#group;
  }
}

export class GroupReader {
  readonly #values: Pick<Values, 'get'>;
  /** Reads that were not sent yet. */
  readonly #waiting = new Map<string, Promise<GroupState>>();
  /** Those that were used last come last. */
  readonly #kept = new Map<string, KeptState>();
  #keptBytes = 0;

  constructor(values: Pick<Values, 'get'>) {
    this.#values = values;
  }

  /** Returns the state of a group now. Callers of one tick share a read; nobody joins a read that is on its way. */
  read(key: string): Promise<GroupState> {
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) return waiting;
    const state = this.#read(key);
    this.#waiting.set(key, state);
    return state;
  }

  /** Returns the state that this process saw last, if it remembers it; others may have changed it since. */
  last(key: string): GroupState | undefined {
    return this.#kept.get(key);
  }

  /** Remembers what this process stored. */
  keep(key: string, stored: Stored): void {
    this.#keep(key, new KeptState(stored));
  }

  forget(key: string): void {
    this.#keptBytes -= this.#kept.get(key)?.bytes.length ?? 0;
    this.#kept.delete(key);
  }

  #keep(key: string, state: KeptState): void {
    this.forget(key);
    this.#kept.set(key, state);
    this.#keptBytes += state.bytes.length;
    for (const [oldest] of this.#kept) {
      if (this.#keptBytes <= keptBytesMost || oldest === key) break;
      this.forget(oldest);
    }
  }

  async #read(key: string): Promise<GroupState> {
    await new Promise<void>((resolve) => process.nextTick(resolve));
    this.#waiting.delete(key);
    const stored = await this.#values.get(key);
    if (stored === undefined) {
      this.forget(key);
      return { version: undefined, group: emptyGroup };
    }
    const kept = this.#kept.get(key);
    const state = kept?.version === stored.version ? kept : new KeptState(stored);
    // Looked at before it is remembered: who puts in order what cannot be read must find it read again.
    const { group } = state;
    this.#keep(key, state);
    return { version: state.version, group };
  }
}
