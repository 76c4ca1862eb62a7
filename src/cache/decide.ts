/** Decides what one stored state of a key is worth right now: a hit, somebody's lease or hold, or something to replace. */

import type { Stored, Version } from '../backend/values.ts';
import { open, type Opened } from '../codec/envelope.ts';
import type { Halves } from '../codec/hash64.ts';

/** What a reader saw under a key. */
export type Sight =
  /** A fresh entry. */
  | { readonly kind: 'hit'; readonly entry: Opened; readonly version: Version }
  /** Nothing. */
  | { readonly kind: 'absent' }
  /** Something that must not be used: past its ttl, from before a `clear`, or bytes that are no entry of this key. */
  | { readonly kind: 'outdated'; readonly version: Version; readonly reason: string }
  /** Somebody is loading; `token` names that one load. */
  | { readonly kind: 'leased'; readonly version: Version; readonly token: string }
  /**
   * Somebody is changing the truth: loads are not stored. `token` names this state of the hold and the epochs that were seen
   * with it, for a `clear` leaves the hold where it is; `undefined` if an epoch is missing.
   */
  | {
      readonly kind: 'held';
      readonly version: Version;
      readonly token: string | undefined;
      readonly holders: readonly string[];
    };

/**
 * @param scope the digest of the namespace's epochs; `undefined` if one of them is not there,
 *   which makes every entry a miss
 */
export function decide(key: string, stored: Stored | undefined, scope: Halves | undefined, now: number): Sight {
  if (stored === undefined) return { kind: 'absent' };
  const { version } = stored;
  const opened = open(key, stored.bytes);
  if (typeof opened === 'string') return { kind: 'outdated', version, reason: opened };
  if (opened.kind === 'hold') return held(version, opened.payload.toString('latin1'), scope);
  if (scope === undefined || scope[0] !== opened.scopeA || scope[1] !== opened.scopeB) {
    return { kind: 'outdated', version, reason: cleared };
  }
  if (opened.kind === 'lease') return { kind: 'leased', version, token: opened.payload.toString('latin1') };
  if (ageMs(opened, now) < opened.ttlMs) return { kind: 'hit', entry: opened, version };
  return { kind: 'outdated', version, reason: expired };
}

export const cleared = 'cleared';
export const expired = 'expired';

/** Returns how old an entry is, in ms; a clock that runs behind the writer's makes nothing younger than new. */
export function ageMs(entry: Opened, now: number): number {
  return Math.max(0, now - entry.writtenAt) + entry.ageMs;
}

/** Returns how long an entry stays fresh, in ms. */
export function remainingMs(entry: Opened, now: number): number {
  return Math.max(0, entry.ttlMs - ageMs(entry, now));
}

function held(version: Version, payload: string, scope: Halves | undefined): Sight {
  const [token = '', ...holders] = payload.split(' ');
  return { kind: 'held', version, token: scope && `${token} ${scope.join(' ')}`, holders };
}

/** Returns the payload of a hold: the token of this state, then who holds. */
export function holdPayload(token: string, holders: readonly string[]): Buffer {
  return Buffer.from([token, ...holders].join(' '), 'latin1');
}
