/** A process that takes from limits at a steady pace, whatever becomes of their store, for the tests of faults. */

import { limiter, type LimitPlan, type WatchedLimiter } from 'hotshelf/limits';
import { redis } from 'hotshelf/redis';
import { serve } from '../kit/serve.ts';
import { type StallWatch, watchStalls } from '../kit/stalls.ts';
import { sleep } from '../kit/wait.ts';

/** One take, by the monotonic clock of the machine, in ms. */
export interface Shot {
  readonly before: number;
  readonly after: number;
  readonly allowed: boolean;
  readonly degraded: string | false;
}

/** The same in all processes. */
const now = () => Number(process.hrtime.bigint()) / 1e6;
let limits: WatchedLimiter | undefined;
let close: (() => Promise<void>) | undefined;
let watch: StallWatch | undefined;

function opened(): WatchedLimiter {
  if (limits === undefined) throw new Error('call open() first');
  return limits;
}

async function shoot(key: string): Promise<Shot> {
  const before = now();
  const { allowed, degraded } = await opened().take(key);
  return { before, after: now(), allowed, degraded };
}

const handlers = serve({
  async open({ url, plans }: { readonly url: string; readonly plans: readonly LimitPlan[] }) {
    const backend = redis(url);
    limits = limiter({ backend, name: 'hammer', plans });
    close = () => backend.close();
    watch = watchStalls(now);
    // The deadline follows what the store has shown of itself.
    for (let take = 0; take < 400; take += 1) await limits.check('warm');
  },
  /** Takes `perSecond` times a second, whether or not earlier ones are answered; returns all. */
  async pace({ key, forMs, perSecond }: { readonly key: string; readonly forMs: number; readonly perSecond: number }) {
    const shots: Promise<Shot>[] = [];
    const start = now();
    for (let at = start; at < start + forMs; at += 1000 / perSecond) {
      if (at > now()) await sleep(at - now());
      shots.push(shoot(key));
    }
    return Promise.all(shots);
  },
  /** Asks again and again; returns when the store decides again. */
  async back() {
    while ((await opened().check('asked')).degraded !== false) await sleep(5);
    return now();
  },
  /** Ends everything; returns when this process did not run. */
  async close() {
    watch?.stop();
    limits?.close();
    await close?.();
    return watch?.stalls ?? [];
  },
});

export type HammerHandlers = typeof handlers;
