/** The facet that carries almost everything: bytes under a key, each stored state with a version of its own. */

import type { SubscribeOptions, Subscription } from './bus.ts';

declare const versionBrand: unique symbol;

/** Names one stored state of a key. Opaque: only to be handed back to the backend that gave it. */
export type Version = (string | number) & { readonly [versionBrand]: true };

/** One stored state of a key. The bytes belong to the backend: read them, never write to them. */
export interface Stored {
  readonly bytes: Uint8Array;
  readonly version: Version;
}

/**
 * Versioned values.
 *
 * Every verb is atomic. `ttlMs` is a whole number of ms above 0, or `Infinity`; a value is gone at the latest two seconds
 * after its time and never before it. Keys are printable ASCII without blanks, at most 240 characters.
 *
 * Nothing is thrown at once; every verb rejects with a `HotshelfError`: `KEY_INVALID`, `OPTION_INVALID` and `VALUE_TOO_LARGE`
 * before anything is sent, `CLOSED` after `close()`, and otherwise `BACKEND_DOWN` (not sent), `OUTCOME_UNKNOWN` (sent, no answer) or
 * `BACKEND_REFUSED` (the server said no; nothing was stored, but a refused `set` may have cost the old value). Nothing that is
 * not idempotent is ever sent twice.
 */
export interface Values {
  /**
   * Returns what is stored, or `undefined`. All `get` calls of one tick travel in one trip to each server. Where a server holds
   * something of another kind under the key, this is `undefined` or rejects with `BACKEND_REFUSED`.
   */
  get(key: string): Promise<Stored | undefined>;
  /** Returns what is stored under each key, in the order of `keys`; travels in the same trips as `get`. */
  getMany(keys: readonly string[]): Promise<readonly (Stored | undefined)[]>;
  /** Stores unconditionally. */
  set(key: string, bytes: Uint8Array, ttlMs: number): Promise<Version>;
  /** Stores if nothing is stored; `undefined` if something is. Of several callers one wins. */
  add(key: string, bytes: Uint8Array, ttlMs: number): Promise<Version | undefined>;
  /** Replaces exactly the state that `version` names; `undefined` if that state is gone. */
  cas(key: string, version: Version, bytes: Uint8Array, ttlMs: number): Promise<Version | undefined>;
  /** Gives a value a new lifetime; `false` if there is none. On some backends the version changes. */
  touch(key: string, ttlMs: number): Promise<boolean>;
  /** Deletes; returns how many there were. All or nothing is not promised across keys: on an error repeat it whole. */
  delete(keys: readonly string[]): Promise<number>;
  /** Deletes exactly the state that `version` names; `false` if that state is gone. */
  deleteIf(key: string, version: Version): Promise<boolean>;
  /** Gets and deletes in one step; of several callers one wins. */
  take(key: string): Promise<Stored | undefined>;
  /**
   * Lists the keys that begin with `prefix`, which is itself a key, in portions and in no order; each key once. Present where the
   * backend knows its keys. Those of other facets and of other programs may be among them.
   *
   * A key that is there from the beginning to the end is among them; one that comes or goes meanwhile may be. Fails rather than
   * pass over a server that does not answer; a key that is moved from one server to another just then may be missed.
   */
  list?(prefix: string): AsyncIterable<readonly string[]>;
  /** The most bytes that one value may have. */
  readonly maxValueBytes: number;
  /** Present where the state lives in this very process. */
  readonly resident?: Resident;
  /** Present where the server tells of changes by anybody, other programs included. */
  readonly changes?: Changes;
  /** Present where other programs store things that can be read as they are. */
  readonly foreign?: Foreign;
}

/** What other programs stored, under keys of their own: for taking it over. `touch` and `delete` work on it too. */
export interface Foreign {
  /** Returns the bytes as they were stored, and how long they still live; `undefined` if there is nothing. */
  read(key: string): Promise<ForeignValue | undefined>;
  /** Deletes every key that begins with `prefix`, one after the other. On an error some may be gone. */
  clear(prefix: string): Promise<void>;
}

export interface ForeignValue {
  readonly bytes: Uint8Array;
  /** `Infinity` if nothing was said. */
  readonly ttlMs: number;
}

/** What the server tells of changes to its keys: client tracking of Redis. */
export interface Changes {
  /**
   * Resolves once every change of a key that begins with `prefix` will be told; rejects with `BACKEND_DOWN` after a second or
   * with `BACKEND_REFUSED`. `listener` gets the keys that changed, or `undefined` when all may have. Gaps and probes are those
   * of `Bus.subscribe`.
   */
  watch(
    prefix: string,
    listener: (keys: readonly string[] | undefined) => void,
    options?: SubscribeOptions,
  ): Promise<Subscription>;
}

/** The synchronous view of values that live in this very process: what makes a local hit cost next to nothing. */
export interface Resident {
  /** The live state of a key, or `undefined`; counts as a use for eviction. An expired state is gone within 10 ms. */
  peek(key: string): ResidentState | undefined;
  /** Deletes every key that begins with one of `prefixes`. */
  drop(prefixes: readonly string[]): void;
}

/** One stored state, shared by all who peek at it. Every write to the key replaces it by another object. */
export interface ResidentState extends Stored {
  /** What the reader derived from the bytes, kept with them; it goes when they go. */
  readonly memo: unknown;
  /** Keeps `memo`, and counts `weightBytes` more against the limits of the backend. */
  remember(memo: unknown, weightBytes: number): void;
}
