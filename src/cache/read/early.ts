/** Decides whether a fresh entry is loaded again before its ttl ends. */

import type { Opened } from '../../codec/envelope.ts';
import { ageMs, remainingMs } from './decide.ts';
import type { Policy } from '../policy.ts';

/**
 * Returns the epoch ms from which a reader of `entry` starts an early refresh; `Infinity` for never.
 *
 * With `'xfetch'` each reader draws: the longer the load took and the nearer the end, the likelier, so that one of many readers
 * begins in time. Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede Prevention" (VLDB 2015), with
 * their recommended beta of 1.
 *
 * @param random from 0 (exclusive) to 1
 */
export function refreshAt(entry: Opened, refresh: Policy['refresh'], now: number, random: number): number {
  if (refresh === undefined) return Infinity;
  const end = now + remainingMs(entry, now);
  if (refresh === 'xfetch') return end + entry.loadMs * Math.log(random);
  return now - ageMs(entry, now) + entry.ttlMs * refresh;
}
