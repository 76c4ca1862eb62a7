/** Decides what one stored state of a key is worth right now: a hit, stale, somebody's lease or hold, or something to replace. */

import type { Version } from '../../backend/values.ts';
import type { Opened, Unusable } from '../../codec/envelope.ts';
import type { Halves } from '../../support/hash64.ts';

/** What a reader saw under a key. */
export type Sight =
  | EntrySight
  /** Nothing. */
  | { readonly kind: 'absent' }
  /** Something that must not be used: past its time, invalidated by a `clear` or a tag, or bytes that are no entry of this key. */
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

/** An entry: fresh, or stale and within its grace. */
export interface EntrySight {
  readonly kind: 'hit' | 'stale';
  readonly entry: Opened;
  readonly version: Version;
}

/**
 * @param scope the digest of the namespace's epochs; `undefined` if one of them is not there,
 *   which makes every entry a miss
 * @param byTags what its tags say of it
 */
export function decide(
  opened: Opened | Unusable,
  version: Version,
  scope: Halves | undefined,
  byTags: 'valid' | 'soft' | 'invalid',
  now: number,
): Sight {
  if (typeof opened === 'string') return { kind: 'outdated', version, reason: opened };
  if (opened.kind === 'hold') return held(version, opened.payload, scope);
  if (opened.kind === 'stamp' || opened.kind === 'clock') return { kind: 'outdated', version, reason: 'foreign' };
  if (scope === undefined || scope[0] !== opened.scopeA || scope[1] !== opened.scopeB) {
    return { kind: 'outdated', version, reason: cleared };
  }
  if (byTags === 'invalid') return { kind: 'outdated', version, reason: cleared };
  if (opened.kind === 'lease') return { kind: 'leased', version, token: opened.payload.toString('latin1') };
  const age = ageMs(opened, now);
  if (age < opened.ttlMs && byTags === 'valid') return { kind: 'hit', entry: opened, version };
  if (age < opened.ttlMs + opened.graceMs) return { kind: 'stale', entry: opened, version };
  return { kind: 'outdated', version, reason: expired };
}

export const cleared = 'cleared';
export const expired = 'expired';

/** Returns how old an entry is, in ms; a clock that runs behind the writer's makes nothing younger than new. */
export function ageMs(entry: Opened, now: number): number {
  return Math.max(0, now - entry.writtenAt) + entry.ageMs;
}

/** Returns how long an entry stays fresh, in ms; below 0 for one whose ttl is over. */
export function remainingMs(entry: Opened, now: number): number {
  return entry.ttlMs - ageMs(entry, now);
}

/** Names what a caller saw that may wait for somebody else's load: two who saw the same have no invalidation between them. */
export function tokenOf(sight: Sight): string | undefined {
  if (sight.kind === 'leased' || sight.kind === 'held') return sight.token;
  return sight.kind === 'stale' ? staleToken(sight.version) : undefined;
}

export function staleToken(version: Version): string {
  return `over ${version}`;
}

function held(version: Version, payload: Buffer, scope: Halves | undefined): Sight {
  const { token, holders } = readHold(payload);
  return { kind: 'held', version, token: scope && `${token} ${scope.join(' ')}`, holders };
}

/** Returns the payload of a hold: the token of this state, then who holds. */
export function holdPayload(token: string, holders: readonly string[]): Buffer {
  return Buffer.from([token, ...holders].join(' '), 'latin1');
}

/** Reads what `holdPayload` wrote. */
export function readHold(payload: Buffer): { readonly token: string; readonly holders: readonly string[] } {
  const [token = '', ...holders] = payload.toString('latin1').split(' ');
  return { token, holders };
}
