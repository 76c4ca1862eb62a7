/** A process that takes from limits as fast as it can, for the tests of accuracy and of faults. */

import { limiter, type LimiterOptions, type LimitPlan, type WatchedLimiter } from 'hotshelf/limits';
import { redis } from 'hotshelf/redis';
import { type Duration, durationMs } from '../../src/support/duration.ts';
import { serve } from '../kit/serve.ts';
import { sleep } from '../kit/wait.ts';

export interface OpenInput {
  readonly urls: readonly string[];
  readonly plans: readonly LimitPlan[];
  readonly degrade?: LimiterOptions['degrade'];
  readonly deadline?: Duration;
}

/** One take, in epoch ms. */
export interface Shot {
  readonly before: number;
  readonly after: number;
  readonly allowed: boolean;
  readonly degraded: string | false;
  /** By how much a timer was late that was set at the same moment, in ms: what the machine adds to everything. */
  readonly lag: number;
}

const now = () => performance.timeOrigin + performance.now();
let limiters: readonly WatchedLimiter[] = [];
let closers: readonly (() => Promise<void>)[] = [];

async function shoot(one: WatchedLimiter, key: string): Promise<Shot> {
  const before = now();
  const late = sleep(1).then(() => Math.max(0, now() - before - 1));
  const { allowed, degraded } = await one.take(key);
  const after = now();
  return { before, after, allowed, degraded, lag: await late };
}

const handlers = serve({
  async open({ urls, plans, degrade = 'local', deadline = '100ms' }: OpenInput) {
    const backends = urls.map((url) =>
      redis(url, { deadline: durationMs(deadline, 'deadline') > 250 ? deadline : '250ms' }),
    );
    limiters = backends.map((backend) => limiter({ backend, name: 'hammer', plans, degrade, deadline }));
    closers = backends.map((backend) => () => backend.close());
    // The deadline follows what the store has shown of itself.
    for (let take = 0; take < 400; take += 1) await Promise.all(limiters.map((one) => one.check('warm')));
  },
  /** All clients take one after the other until `until`; returns what was admitted. */
  async hammer({ key, until }: { readonly key: string; readonly until: number }) {
    const shots: Shot[] = [];
    await Promise.all(
      limiters.map(async (one) => {
        while (now() < until) {
          const shot = await shoot(one, key);
          if (shot.allowed) shots.push(shot);
        }
      }),
    );
    return shots;
  },
  /** Takes `perSecond` times a second, whether or not earlier ones are answered; returns all. */
  async pace({ key, until, perSecond }: { readonly key: string; readonly until: number; readonly perSecond: number }) {
    const shots: Promise<Shot>[] = [];
    const start = now();
    for (let at = start; at < until; at += 1000 / perSecond) {
      if (at > now()) await sleep(at - now());
      const one = limiters[shots.length % limiters.length];
      if (one !== undefined) shots.push(shoot(one, key));
    }
    return Promise.all(shots);
  },
  async close() {
    for (const one of limiters) one.close();
    for (const close of closers) await close();
  },
});

export type HammerHandlers = typeof handlers;
