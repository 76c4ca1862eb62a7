/** Holds what one namespace of a cache has for its own: its place among the keys, its policy and its counts. */

import { describe, HotshelfError } from '../support/errors.ts';
import type { Tier } from '../observe/events.ts';
import { type CacheStats, Counts } from '../observe/stats.ts';
import { type Halves, hash64 } from '../support/hash64.ts';
import type { Resident } from '../backend/values.ts';
import { Batches } from './read/batch.ts';
import { checkName, type Key } from './key.ts';
import { KnownKeys } from './known-keys.ts';
import { Epochs } from './change/epochs.ts';
import type { Found, Lookup } from './lookup.ts';
import type { Kept, Memo, NearValue } from './read/near.ts';
import { under } from './change/news.ts';
import type { EntryOptions, NamespaceOptions } from './options.ts';
import { isSamePolicy, narrow, narrowNamespace, type Policy } from './policy.ts';
import type { Shelf } from './shelf.ts';

/** In a backend that lives in this process `clear` deletes; there are no epochs, and entries of no version have this scope. */
const noScope: Halves = new Uint32Array(2);
const longestPrefix = 120;
const rootName = 'default';

export class Space {
  readonly shelf: Shelf;
  /** What events call it: the namespaces on the way down, or `default`. */
  readonly name: string;
  /** The first part of all its keys. */
  readonly prefix: string;
  readonly policy: Policy;
  readonly counts: Counts;
  readonly batches = new Batches();
  readonly epochs: Epochs | undefined;
  readonly #parent: Space | undefined;
  readonly #children: Map<string, Space>;
  readonly resident: Resident | undefined;
  /** Set once a loader named tags that nobody knew before it ran. */
  loadersNameTags = false;
  readonly #keys: KnownKeys;
  /** The version of what is cached; `undefined` where nobody gave one. */
  readonly version: string | undefined;
  /** The scope of all entries where there are no epochs. */
  readonly #noScope: Halves;

  /** A `twin` is this same namespace as it was made before, with other options: the two count together. */
  constructor(
    shelf: Shelf,
    prefix: string,
    policy: Policy,
    version: string | undefined,
    parent?: { space: Space; name: string; twin?: Space },
  ) {
    this.shelf = shelf;
    this.prefix = prefix;
    this.policy = policy;
    this.resident = shelf.values.resident;
    this.#keys = new KnownKeys(prefix);
    this.version = version;
    this.#noScope = version === undefined ? noScope : hashed(version);
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
    this.name = path === '' ? rootName : path;
    if (shelf.values.resident === undefined)
      this.epochs = new Epochs(shelf.values, shelf.clock, this.#epochKeys(), version ?? '');
  }

  /** Returns the namespace `name` inside this one; the same one again if it was made before. @throws {HotshelfError} `OPTION_INVALID` */
  child(name: string, options?: NamespaceOptions, base = this.policy): Space {
    const prefix = `${this.prefix}/${checkName(name, 'the name of a namespace')}`;
    if (prefix.length > longestPrefix) {
      throw new HotshelfError(
        'OPTION_INVALID',
        `The names of nested namespaces are longer than ${longestPrefix} characters.`,
      );
    }
    // In events, stats and spans the two would be one.
    if (this.#parent === undefined && name === rootName) {
      throw new HotshelfError(
        'OPTION_INVALID',
        `"${rootName}" is what events call the whole cache. Give the namespace another name.`,
      );
    }
    const where = `namespace("${name}")`;
    const { keyOf } = this.shelf.tags;
    const policy = options === undefined ? base : narrowNamespace(base, options, where, keyOf);
    const version = versionOf(options) ?? this.version;
    const twin = this.#children.get(name);
    if (twin !== undefined && twin.version === version && isSamePolicy(twin.policy, policy)) return twin;
    const child = new Space(this.shelf, prefix, policy, version, { space: this, name, ...(twin && { twin }) });
    this.#children.set(name, child);
    return child;
  }

  /** Returns the full key of `key`. @throws {HotshelfError} `KEY_INVALID` */
  fullKey(key: Key): string {
    return this.#keys.find(key) ?? this.#keys.write(key);
  }

  /** Returns the policy of one call. @throws {HotshelfError} `OPTION_INVALID` */
  policyOf(options: EntryOptions<never> | undefined, where: string): Policy {
    return options === undefined ? this.policy : narrow(this.policy, options, where, this.shelf.tags.keyOf);
  }

  /**
   * Returns the decoded value of `key` that is kept in this process, or `undefined`: the whole path of a local hit.
   *
   * @param schema what it must be known to fit
   */
  kept(key: Key, schema: Policy['schema']): Kept | undefined {
    const full = this.#keys.find(key);
    return full === undefined ? undefined : this.keptAt(full, schema);
  }

  /** As `kept`, for a full key. */
  keptAt(full: string, schema: Policy['schema']): Kept | undefined {
    const { resident } = this;
    const kept = resident === undefined ? this.#near(full, schema)?.kept : this.#keptBeside(full, schema, resident);
    if (kept !== undefined) this.noteHit(full, 'local');
    return kept;
  }

  /** As `keptAt`, with its times; of the local tier only, for a memory backend is asked like any other. */
  near(full: string, schema: Policy['schema'], accept?: Policy['accept']): Found | undefined {
    const found = this.#near(full, schema)?.found;
    // What is to be loaded again must be seen in the backend first.
    if (found === undefined || (accept !== undefined && accept(found as Lookup<never>) !== 'serve')) return undefined;
    this.noteHit(full, 'local');
    return found;
  }

  #keptBeside(full: string, schema: Policy['schema'], resident: Resident): Kept | undefined {
    const { shelf, version } = this;
    if (shelf.closed) return undefined;
    const memo = resident.peek(full)?.memo as Memo | undefined;
    if (memo === undefined || memo.version !== version || memo.codec !== this.policy.codec) return undefined;
    if (schema !== undefined && memo.schema !== schema) return undefined;
    if (memo.lookAt !== Infinity && memo.lookAt <= shelf.coarse.now()) return undefined;
    return memo.tags === undefined || stand(memo.tags, resident) ? memo : undefined;
  }

  #near(full: string, schema: Policy['schema']): NearValue | undefined {
    const { shelf, version } = this;
    if (shelf.tier === undefined || shelf.closed) return undefined;
    const node = shelf.tier.peek(full);
    if (node === undefined || node.content.version !== version) return undefined;
    if (schema !== undefined && node.content.schema !== schema) return undefined;
    return node.refreshAt !== Infinity && node.refreshAt <= shelf.clock.monotonic() ? undefined : node.content;
  }

  /** Counts a fresh answer, and tells of it. */
  noteHit(key: string, tier: Tier): void {
    if (tier === 'local') this.counts.localHits += 1;
    else this.counts.remoteHits += 1;
    if (this.shelf.events.observed) this.shelf.events.emit({ type: 'hit', cache: this.name, key, tier });
  }

  /** Where an entry is found that is read from the backend. */
  get backendTier(): Tier {
    return this.resident === undefined ? 'remote' : 'local';
  }

  /** The epochs as they are in the backend now. */
  async scope(): Promise<Halves> {
    return this.epochs === undefined ? this.#noScope : this.epochs.ensure();
  }

  /** The scope as far as it is known without asking the backend. */
  get knownScope(): Halves | undefined {
    return this.epochs === undefined ? this.#noScope : this.epochs.trusted;
  }

  /** Makes everything in this namespace and below it a miss. */
  async clear(): Promise<void> {
    const { resident } = this;
    if (resident !== undefined) resident.drop(under(this.prefix));
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
    return this.#total().snapshot(this.shelf.unconfirmed.size, this.shelf.tier?.stats);
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

function hashed(text: string): Halves {
  const halves = new Uint32Array(2);
  hash64(text, halves);
  return halves;
}

/** Returns the version that `options` give, as text. @throws {HotshelfError} `OPTION_INVALID` */
export function versionOf(options: NamespaceOptions | undefined): string | undefined {
  const version: unknown = options?.version;
  if (version === undefined) return undefined;
  if (typeof version === 'string' || typeof version === 'number') return `${typeof version}:${version}`;
  throw new HotshelfError('OPTION_INVALID', `Expected \`version\` to be a text or a number, got ${describe(version)}.`);
}

/** Tells whether the stamps of tags are still those that were seen: each write puts another state in their place. */
function stand(tags: NonNullable<Memo['tags']>, resident: Resident): boolean {
  return tags.every(([tag, state]) => resident.peek(tag) === state);
}
