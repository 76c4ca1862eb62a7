/** Makes an entry of a value, and a value of an entry. */

import { types } from 'node:util';
import type { Codec, Encoded as Encoding } from '../../codec/codec.ts';
import { seal } from '../../codec/envelope.ts';
import type { Halves } from '../../support/hash64.ts';
import { fits } from '../../codec/standard-schema.ts';
import { describe, HotshelfError } from '../../support/errors.ts';
import { ageMs, remainingMs, type EntrySight } from './decide.ts';
import type { Found } from '../lookup.ts';
import { lifetimeMs, type Policy } from '../policy.ts';
import type { Space } from '../space.ts';
import type { Tick } from '../tags/stamp.ts';

export interface EntryInput {
  readonly key: string;
  readonly scope: Halves;
  readonly value: unknown;
  readonly policy: Policy;
  readonly userVersion?: number | undefined;
  /** All its tags, and the instant before its load; without one it must have no tags. */
  readonly tags?: readonly string[];
  readonly at?: Tick | undefined;
  readonly etag?: string | undefined;
  readonly loadMs?: number;
  /** What the loader said, in place of the policy; in ms. */
  readonly ttlMs?: number | undefined;
  readonly graceMs?: number | undefined;
  /** The value as it was encoded before: in the earlier entry, if the origin says that it is still true. */
  readonly renewed?: Encoding | undefined;
}

/** What the codec made of a value, and the bytes of its entry. */
export interface Encoded extends Encoding {
  readonly bytes: Buffer;
  readonly ttlMs: number;
  /** How long the backend keeps it: ttl and grace. */
  readonly lifetimeMs: number;
}

/**
 * Returns the bytes to store and their lifetime, or the error that says why the value is not to be stored.
 *
 * @throws {HotshelfError} `VALUE_INVALID` when the value has a part that cannot be encoded, `OPTION_INVALID` when there are
 *   too many tags.
 */
export function encodeEntry(space: Space, input: EntryInput): Encoded | HotshelfError {
  const { clock } = space.shelf;
  const { codec } = space.policy;
  const { key, scope, value, policy, renewed, tags = [] } = input;
  if (policy.schema !== undefined && !fits(policy.schema, value)) {
    return new HotshelfError(
      'VALUE_INVALID',
      `A value in ${space.name} does not fit its \`schema\`; it was not stored.`,
    );
  }
  const { payload, flags } = renewed ?? encode(codec, value, key);
  const ttlMs = input.ttlMs ?? lifetimeMs(value, policy, clock.random());
  const graceMs = input.graceMs ?? policy.graceMs;
  const header = { kind: 'entry', codec: codec.id, flags, writtenAt: clock.now(), ttlMs, graceMs } as const;
  const { userVersion, etag, at } = input;
  // Only this way of refreshing asks for it, and a header without it is shorter.
  const loadMs = policy.refresh === 'xfetch' ? input.loadMs : undefined;
  const tagged = at !== undefined && tags.length > 0 ? { tags, era: at.era, count: at.count } : {};
  const bytes = seal(key, scope, { ...header, ...tagged, userVersion, etag, loadMs }, payload);
  if (bytes.length <= policy.maxValueBytes) return { bytes, payload, flags, ttlMs, lifetimeMs: ttlMs + graceMs };
  return new HotshelfError(
    'VALUE_TOO_LARGE',
    `A value of ${bytes.length} bytes in ${space.name} is larger than maxValueBytes, ${policy.maxValueBytes}. Cache less, or raise the limit here and in the server.`,
  );
}

/** @throws {HotshelfError} `VALUE_INVALID`, also when a codec of the user's own returns what an entry cannot hold. */
function encode(codec: Codec, value: unknown, key: string): Encoding {
  const encoded: Partial<Encoding> | undefined = codec.encode(value, key);
  const { payload, flags = -1 } = encoded ?? {};
  if (types.isUint8Array(payload) && Number.isInteger(flags) && flags >= 0 && flags <= 255) return { payload, flags };
  const wrong = types.isUint8Array(payload) ? `flags ${describe(encoded?.flags)}` : 'a payload that is no Uint8Array';
  throw new HotshelfError(
    'VALUE_INVALID',
    `Expected encode() of codec ${codec.id} to return bytes as \`payload\` and \`flags\` from 0 to 255, got ${wrong}.`,
  );
}

/** Returns what an entry holds, or `undefined` if its payload cannot be read or does not fit: then it is a miss like any other. */
export function readEntry(space: Space, { kind, entry }: EntrySight, policy: Policy): Found | undefined {
  const { clock } = space.shelf;
  const { codec } = space.policy;
  if (entry.codec !== codec.id) return undefined;
  let value: unknown;
  try {
    value = codec.decode(entry.payload, entry.flags, entry.key);
    // A check of the user's own may throw on a shape that it was not written for.
    if (policy.schema !== undefined && !fits(policy.schema, value)) return undefined;
  } catch {
    return undefined;
  }
  const now = clock.now();
  const leftMs = remainingMs(entry, now);
  // A tag that was invalidated softly makes stale what has time left.
  const ttlMs = kind === 'stale' ? Math.min(0, leftMs) : leftMs;
  return { value, status: kind, stored: false, ageMs: ageMs(entry, now), ttlMs };
}
