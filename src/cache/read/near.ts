/** Holds what is served without asking a server: decoded values, in the local tier or beside the bytes of a memory backend. */

import type { ResidentState } from '../../backend/values.ts';
import type { Codec } from '../../codec/codec.ts';
import type { Opened } from '../../codec/envelope.ts';
import type { StandardSchema } from '../../codec/standard-schema.ts';
import { ageMs, type EntrySight, remainingMs } from './decide.ts';
import { refreshAt } from './early.ts';
import type { Ticket } from '../local/tier.ts';
import type { Found } from '../lookup.ts';
import type { Policy } from '../policy.ts';
import type { Space } from '../space.ts';
import type { TagSights } from '../tags/stamp.ts';

/** A decoded value with the promise that every hit gets. */
export interface Kept {
  readonly value: unknown;
  readonly promise: Promise<unknown>;
}

/** What stands beside the bytes of a memory backend. */
export interface Memo extends Kept {
  /** Of which version of the namespace it is, and who decoded it: others must not get it. */
  readonly version: string | undefined;
  readonly codec: Codec;
  /** What it is known to fit; a reader with another schema must look closer. */
  readonly schema: StandardSchema | undefined;
  /** Epoch ms from which a reader must look closer: an early refresh may be due, or the ttl is over. */
  readonly lookAt: number;
  /** The stamps under which it is good; `undefined` for none. */
  readonly tags: readonly (readonly [tag: string, state: ResidentState])[] | undefined;
}

/** What the local tier holds: one frozen value for all readers, or the bytes from which each gets its own. */
export class NearValue {
  readonly #space: Space;
  /** As for a memo. */
  readonly version: string | undefined;
  readonly schema: StandardSchema | undefined;
  readonly #entry: Opened;
  #kept: Kept | undefined;

  /** @param entry must not share its payload's memory with anything else */
  constructor(space: Space, entry: Opened, schema: StandardSchema | undefined, kept: Kept | undefined) {
    this.#space = space;
    this.version = space.version;
    this.schema = schema;
    this.#entry = entry;
    this.#kept = kept;
  }

  /** Rejects nothing, decodes as `Codec.decode`. */
  get kept(): Kept {
    return this.#kept ?? this.#decode();
  }

  get found(): Found {
    const now = this.#space.shelf.clock.now();
    const [age, ttl] = [ageMs(this.#entry, now), remainingMs(this.#entry, now)];
    return { value: this.kept.value, status: 'hit', stored: false, ageMs: age, ttlMs: Math.max(0, ttl) };
  }

  #decode(): Kept {
    const { shelf, policy } = this.#space;
    const { codec } = policy;
    const { payload, flags, key } = this.#entry;
    const kept = keptOf(codec.decode(payload, flags, key));
    if (shelf.local?.clone === false && codec.isPlain(flags)) {
      freeze(kept.value);
      this.#kept = kept;
    }
    return kept;
  }
}

/** Keeps a hit in this process, where the backend is in this process or there is a local tier. */
export function keepHit(
  space: Space,
  sight: EntrySight,
  found: Found,
  tags: TagSights,
  policy: Policy,
  ticket: Ticket | undefined,
): void {
  const { resident } = space;
  const isShared = space.policy.codec.isPlain(sight.entry.flags);
  if (resident !== undefined) {
    if (isShared) keepBeside(space, sight, found, tags, policy);
  } else if (ticket !== undefined) {
    const sharing = isShared && space.shelf.local?.clone === false;
    if (sharing) freeze(found.value);
    keepNear(space, sight.entry, policy, ticket, sharing ? keptOf(found.value) : undefined);
  }
}

/** Puts an entry into the local tier, if there is one. */
export function keepNear(space: Space, entry: Opened, policy: Policy, ticket: Ticket, kept?: Kept): void {
  const { tier, clock } = space.shelf;
  if (tier === undefined) return;
  const now = clock.now();
  const own = kept === undefined ? { ...entry, payload: Buffer.from(entry.payload) } : { ...entry, payload: noBytes };
  const options = {
    expiresInMs: remainingMs(entry, now),
    refreshInMs: refreshAt(entry, policy.refresh, now, 1 - clock.random()) - now,
    tags: entry.tags,
    weightBytes: entry.payload.length * 2,
  };
  tier.put(entry.key, new NearValue(space, own, policy.schema, kept), options, ticket);
}

const noBytes = Buffer.alloc(0);

/** In a backend of this process the decoded value stays with the bytes; later hits share it, so it is frozen. */
function keepBeside(
  space: Space,
  { entry, version }: EntrySight,
  { value }: Found,
  seen: TagSights,
  policy: Policy,
): void {
  const { resident, shelf } = space;
  const state = resident?.peek(entry.key);
  // Another state may have been written since: the value must not stay with bytes that it did not come from.
  if (resident === undefined || state?.version !== version) return;
  const tags: (readonly [string, ResidentState])[] = [];
  for (const tag of entry.tags) {
    const stamp = resident.peek(tag);
    const sight = seen.get(tag);
    if (stamp === undefined || typeof sight !== 'object' || stamp.version !== sight.version) return;
    tags.push([tag, stamp]);
  }
  freeze(value);
  const now = shelf.clock.now();
  // The backend keeps the bytes for their grace too; without one they go with the ttl.
  const staleAt = entry.graceMs === 0 ? Infinity : now + remainingMs(entry, now);
  const memo: Memo = {
    ...keptOf(value),
    version: space.version,
    codec: space.policy.codec,
    schema: policy.schema,
    tags: tags.length === 0 ? undefined : tags,
    lookAt: Math.min(staleAt, refreshAt(entry, policy.refresh, now, 1 - shelf.clock.random())),
  };
  state.remember(memo, state.bytes.length * 2);
}

function keptOf(value: unknown): Kept {
  return { value, promise: Promise.resolve(value) };
}

function freeze(value: unknown): void {
  // Bytes cannot be frozen.
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  for (const part of Object.values(value)) freeze(part);
  Object.freeze(value);
}
