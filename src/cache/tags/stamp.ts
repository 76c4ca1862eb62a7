/** Decides what the tags of an entry say of it, by stamps of a logical clock that only grows. */

import type { Stored, Version } from '../../backend/values.ts';
import { open, seal } from '../../codec/envelope.ts';
import type { Halves } from '../../support/hash64.ts';

/**
 * One instant of the logical clock. `era` names one life of the clock, by a random number: when the backend loses the clock, a
 * new era begins, and nothing can be compared across eras.
 */
export interface Tick {
  readonly era: number;
  readonly count: number;
}

/** What stands under a tag: the instants of its last invalidations. They only grow. */
export interface Stamp {
  readonly era: number;
  /** Entries from before this are never to be used. */
  readonly hard: number;
  /** Entries from before this are stale. */
  readonly soft: number;
  /** Epoch ms until which the backend keeps the stamp, by the clock of who wrote it. */
  readonly keptUntil: number;
}

/** A stamp; or `held` while a `mutate` changes the truth behind the tag; `undefined` if nothing usable is there. */
export type TagSight = (Stamp & { readonly version: Version }) | 'held' | undefined;
export type TagSights = ReadonlyMap<string, TagSight>;

/** Tags are of no namespace. */
export const noScope: Halves = new Uint32Array(2);

/** Says what an entry that was loaded at `at` is worth by its tags. A tag that is not there, or of another era, ends it. */
export function judge(tags: readonly string[], at: Tick, seen: TagSights): 'valid' | 'soft' | 'invalid' {
  let verdict: 'valid' | 'soft' = 'valid';
  for (const tag of tags) {
    const stamp = seen.get(tag);
    if (stamp === undefined || stamp === 'held' || stamp.era !== at.era || stamp.hard > at.count) return 'invalid';
    if (stamp.soft > at.count) verdict = 'soft';
  }
  return verdict;
}

export function sealStamp(tag: string, { era, hard, soft, keptUntil }: Stamp): Buffer {
  return seal(tag, noScope, { kind: 'stamp' }, numbers(era, hard, soft, keptUntil));
}

export function readStamp(tag: string, stored: Stored | undefined): TagSight {
  if (stored === undefined) return undefined;
  const opened = open(tag, stored.bytes);
  if (typeof opened === 'string') return undefined;
  if (opened.kind === 'hold') return 'held';
  const { payload, kind } = opened;
  if (kind !== 'stamp' || payload.length < 32) return undefined;
  return {
    era: payload.readDoubleBE(0),
    hard: payload.readDoubleBE(8),
    soft: payload.readDoubleBE(16),
    keptUntil: payload.readDoubleBE(24),
    version: stored.version,
  };
}

export function sealTick(key: string, { era, count }: Tick): Buffer {
  return seal(key, noScope, { kind: 'clock' }, numbers(era, count));
}

/** Returns the instant in `stored`, or `undefined` if the clock is lost or cannot be read. */
export function readTick(key: string, stored: Stored | undefined): Tick | undefined {
  if (stored === undefined) return undefined;
  const opened = open(key, stored.bytes);
  if (typeof opened === 'string' || opened.kind !== 'clock' || opened.payload.length < 16) return undefined;
  return { era: opened.payload.readDoubleBE(0), count: opened.payload.readDoubleBE(8) };
}

function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(values.length * 8);
  values.forEach((value, index) => bytes.writeDoubleBE(value, index * 8));
  return bytes;
}
