/** Makes an entry of a value, and a value of an entry. */

import { seal } from '../codec/envelope.ts';
import type { Halves } from '../codec/hash64.ts';
import { HotshelfError } from '../support/errors.ts';
import { ageMs, remainingMs, type Sight } from './decide.ts';
import type { Found } from './lookup.ts';
import { lifetimeMs, type Policy } from './options.ts';
import type { Space } from './space.ts';

export interface EntryInput {
  readonly key: string;
  readonly scope: Halves;
  readonly value: unknown;
  readonly policy: Policy;
  readonly userVersion?: number | undefined;
}

/**
 * Returns the bytes to store and their lifetime, or the error that says why the value is too large.
 *
 * @throws {HotshelfError} `VALUE_INVALID` when the value has a part that cannot be encoded.
 */
export function encodeEntry(space: Space, input: EntryInput): { bytes: Buffer; ttlMs: number } | HotshelfError {
  const { codec, clock } = space.shelf;
  const { key, scope, value, policy, userVersion } = input;
  const { payload, flags } = codec.encode(value, key);
  const ttlMs = lifetimeMs(value, policy);
  const writtenAt = clock.now();
  const bytes = seal(key, scope, { kind: 'entry', codec: codec.id, flags, writtenAt, ttlMs, userVersion }, payload);
  if (bytes.length <= policy.maxValueBytes) return { bytes, ttlMs };
  return new HotshelfError(
    'VALUE_TOO_LARGE',
    `A value of ${bytes.length} bytes in ${space.name} is larger than maxValueBytes, ${policy.maxValueBytes}. Cache less, or raise the limit here and in the server.`,
  );
}

/** Returns what a hit found, or `undefined` if its payload cannot be read: then it is a miss like any other. */
export function readEntry(space: Space, { entry }: Extract<Sight, { kind: 'hit' }>): Found | undefined {
  const { codec, clock } = space.shelf;
  if (entry.codec !== codec.id) return undefined;
  try {
    const value = codec.decode(entry.payload, entry.flags, entry.key);
    const now = clock.now();
    return { value, status: 'hit', stored: false, ageMs: ageMs(entry, now), ttlMs: remainingMs(entry, now) };
  } catch {
    return undefined;
  }
}
