/** Makes an entry stale at once and keeps it for its grace. */

import { open, seal } from '../../codec/envelope.ts';
import { ageMs } from '../read/decide.ts';
import type { Shelf } from '../shelf.ts';

/** So often an entry is tried to be changed against others that change it, before it is deleted. */
const mostAttempts = 8;
/** An envelope can say no higher age, in ms. */
const mostAgeMs = 0xffffffff;

/**
 * Returns whether anything stood there. A marker of a load is deleted, for what it loads may be old; what has no grace left is
 * deleted as well. A hold stays. Rejects as the backend does.
 */
export async function soften({ values, clock }: Shelf, key: string): Promise<boolean> {
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    const stored = await values.get(key);
    if (stored === undefined) return false;
    const { version } = stored;
    const opened = open(key, stored.bytes);
    if (typeof opened === 'object' && opened.kind === 'hold') return true;
    const now = clock.now();
    const age = typeof opened === 'object' ? Math.min(mostAgeMs, Math.ceil(ageMs(opened, now))) : Infinity;
    if (typeof opened === 'string' || opened.kind !== 'entry' || age >= opened.ttlMs + opened.graceMs) {
      if (await values.deleteIf(key, version)) return true;
      continue;
    }
    const ttlMs = Math.min(opened.ttlMs, age);
    const lifetimeMs = opened.ttlMs + opened.graceMs;
    const scope = Uint32Array.of(opened.scopeA, opened.scopeB);
    // By its age as it is now it is stale to a reader whose clock is behind, too.
    const times = { writtenAt: now, ageMs: age, ttlMs, graceMs: lifetimeMs - ttlMs };
    const bytes = seal(key, scope, { ...opened, ...times }, opened.payload);
    if ((await values.cas(key, version, bytes, lifetimeMs - age)) !== undefined) return true;
  }
  return (await values.delete([key])) > 0;
}
