/** Holds what one namespace of a cache has for its own: its place among the keys, its policy and its counts. */

import { HotshelfError } from '../support/errors.ts';
import { type CacheStats, Counts } from '../observe/stats.ts';
import type { Halves } from '../codec/hash64.ts';
import type { Resident } from '../backend/values.ts';
import { checkName, type Key } from './key.ts';
import { KnownKeys } from './known-keys.ts';
import { Epochs } from './epochs.ts';
import { isSamePolicy, narrowNamespace, type NamespaceOptions, type Policy } from './options.ts';
import type { Shelf } from './shelf.ts';

/** In a backend that lives in this process `clear` deletes; there are no epochs, and every entry has this scope. */
const noScope: Halves = new Uint32Array(2);
const longestPrefix = 120;

/** A value that is kept decoded beside its bytes, with the promise that every hit gets. */
export interface Kept {
  readonly value: unknown;
  readonly promise: Promise<unknown>;
}

export class Space {
  readonly shelf: Shelf;
  /** What events call it: the namespaces on the way down, or `default`. */
  readonly name: string;
  /** The first part of all its keys. */
  readonly prefix: string;
  readonly policy: Policy;
  readonly counts: Counts;
  readonly epochs: Epochs | undefined;
  readonly #parent: Space | undefined;
  readonly #children: Map<string, Space>;
  readonly resident: Resident | undefined;
  readonly #keys: KnownKeys;

  /** A `twin` is this same namespace as it was made before, with other options: the two count together. */
  constructor(shelf: Shelf, prefix: string, policy: Policy, parent?: { space: Space; name: string; twin?: Space }) {
    this.shelf = shelf;
    this.prefix = prefix;
    this.policy = policy;
    this.resident = shelf.values.resident;
    this.#keys = new KnownKeys(prefix);
    this.#parent = parent?.space;
    const twin = parent?.twin;
    this.counts = twin === undefined ? new Counts() : twin.counts;
    this.#children = twin === undefined ? new Map<string, Space>() : twin.#children;
    const path =
      parent === undefined
        ? ''
        : parent.space.#parent === undefined
          ? parent.name
          : `${parent.space.name}/${parent.name}`;
    this.name = path === '' ? 'default' : path;
    if (shelf.values.resident === undefined) this.epochs = new Epochs(shelf.values, shelf.clock, this.#epochKeys());
  }

  /** Returns the namespace `name` inside this one; the same one again if it was made before. @throws {HotshelfError} `OPTION_INVALID` */
  child(name: string, options?: NamespaceOptions): Space {
    const where = `the name of a namespace`;
    const prefix = `${this.prefix}/${checkName(name, where)}`;
    if (prefix.length > longestPrefix) {
      throw new HotshelfError(
        'OPTION_INVALID',
        `The names of nested namespaces are longer than ${longestPrefix} characters.`,
      );
    }
    const policy = narrowNamespace(this.policy, options, `namespace("${name}")`);
    const twin = this.#children.get(name);
    if (twin !== undefined && isSamePolicy(twin.policy, policy)) return twin;
    const child = new Space(this.shelf, prefix, policy, { space: this, name, ...(twin && { twin }) });
    this.#children.set(name, child);
    return child;
  }

  /** Returns the full key of `key`. @throws {HotshelfError} `KEY_INVALID` */
  fullKey(key: Key): string {
    return this.#keys.find(key) ?? this.#keys.write(key);
  }

  /** Returns the decoded value of `key` that is kept in this process, or `undefined`: the whole path of a local hit. */
  kept(key: Key): Kept | undefined {
    const { resident } = this;
    if (resident === undefined || this.shelf.closed) return undefined;
    const full = this.#keys.find(key);
    if (full === undefined) return undefined;
    const kept = resident.peek(full)?.memo;
    if (kept === undefined) return undefined;
    this.counts.hits += 1;
    if (this.shelf.events.observed) this.shelf.events.emit({ type: 'hit', cache: this.name, key: full });
    return kept as Kept;
  }

  /** The epochs as they are in the backend now. */
  async scope(): Promise<Halves> {
    return this.epochs === undefined ? noScope : this.epochs.ensure();
  }

  /** The scope as far as it is known without asking the backend. */
  get knownScope(): Halves | undefined {
    return this.epochs === undefined ? noScope : this.epochs.trusted;
  }

  /** Makes everything in this namespace and below it a miss. */
  async clear(): Promise<void> {
    const { resident } = this.shelf.values;
    // These four marks can follow the prefix of a namespace: see the grammar of keys.
    if (resident !== undefined) resident.drop(['=', ':', '$', '/'].map((mark) => this.prefix + mark));
    else await this.epochs?.advance();
  }

  /** The cache that all namespaces lie in. */
  get root(): Space {
    return this.#parent?.root ?? this;
  }

  /** Tells whether this namespace lies in `other` or is it. */
  isWithin(other: Space): boolean {
    return `${this.prefix}/`.startsWith(`${other.prefix}/`);
  }

  stats(): CacheStats {
    return this.#total().snapshot(this.shelf.unconfirmed.size);
  }

  #total(): Counts {
    const total = new Counts();
    total.add(this.counts);
    for (const child of this.#children.values()) total.add(child.#total());
    return total;
  }

  #epochKeys(): string[] {
    const above = this.#parent === undefined ? [] : this.#parent.#epochKeys();
    // "!" stands in no prefix, so that no entry can have this key.
    return [...above, `${this.prefix}!epoch`];
  }
}
