/** Shows on a real Redis that nobody serves an old value after an acknowledged announcement, also behind a network that went silent. */

import { afterEach, describe, expect, it } from 'vitest';
import { fenceMs } from '../../../src/cache/local/announcements.ts';
import { systemClock } from '../../../src/support/clock.ts';
import {
  backendOn,
  bytes,
  cleanUp,
  later,
  proxyOf,
  type RedisBackend,
  server,
  text,
} from '../../adapters/redis/support.ts';
import type { Proxy } from '../../kit/proxy.ts';
import type { RedisServer } from '../../kit/redis.ts';
import { sleep, until } from '../../kit/wait.ts';
import { member, type Member } from './network.ts';

afterEach(cleanUp);

const maxLagMs = 400;
const fence = fenceMs(maxLagMs);

interface Process extends Member {
  readonly backend: RedisBackend;
  /** What a tier would serve that drops what it hears, and does not ask whether it hears everything. */
  readonly careless: Map<string, string>;
  /** As a cache does: from the tier, or from the server. */
  readonly read: (key: string) => Promise<string | undefined>;
}

function start(backend: RedisBackend): Process {
  const own = later((one) => one.announcements.close(), member(backend.bus, systemClock, maxLagMs));
  const careless = new Map<string, string>();
  const drop = own.tier.drop.bind(own.tier);
  own.tier.drop = (what) => {
    for (const key of what.keys ?? []) careless.delete(key);
    drop(what);
  };
  const read = async (key: string) => {
    const node = own.tier.peek(key);
    if (node !== undefined) return node.content;
    const ticket = own.tier.ticket();
    const value = text(await backend.values.get(key));
    if (value !== undefined) {
      own.tier.put(key, value, { expiresInMs: 60_000, tags: [], weightBytes: value.length }, ticket);
      careless.set(key, value);
    }
    return value;
  };
  return { ...own, backend, careless, read };
}

interface Pair {
  readonly real: RedisServer;
  readonly proxy: Proxy;
  readonly near: Process;
  /** Its connections lead through `proxy`. */
  readonly far: Process;
  /** Changes the value of `k`, and returns how long the announcement took, in ms. */
  readonly change: (value: string) => Promise<number>;
}

async function pair(): Promise<Pair> {
  const real = await server();
  const proxy = await proxyOf(real);
  const near = start(await backendOn(real.url));
  const far = start(await backendOn(proxy.url('redis')));
  await until(() => near.tier.trusted && far.tier.trusted, { what: 'both tiers to be trusted' });
  const change = async (value: string) => {
    await near.backend.values.set('k', bytes(value), 60_000);
    const startedAt = performance.now();
    await near.announcements.announce({ keys: ['k'] }, { ack: true });
    return performance.now() - startedAt;
  };
  await change('first');
  return { real, proxy, near, far, change };
}

/** Reads until both tiers serve `value` by themselves. */
async function served(value: string, ...processes: readonly Process[]): Promise<void> {
  for (const each of processes) {
    await until(async () => (await each.read('k')) === value && each.serves('k') === value, {
      what: `a tier to serve ${value}`,
    });
  }
}

describe('on a real Redis', () => {
  it('an acknowledged announcement resolves long before the fence when all answer, and then nobody serves the old value', async () => {
    const { near, far, change } = await pair();
    const times: number[] = [];
    for (let round = 0; round < 50; round += 1) {
      await served(`${round === 0 ? 'first' : round - 1}`, near, far);
      times.push(await change(`${round}`));
      expect([near.serves('k'), far.serves('k')]).toEqual([undefined, undefined]);
    }
    expect(times.toSorted((a, b) => a - b)[25]).toBeLessThan(fence / 4);
  });

  it('a tier behind a half-open connection serves no old value once the announcement has resolved', async () => {
    const { proxy, near, far, change } = await pair();
    await served('first', near, far);
    proxy.blackhole();
    // Control: it still serves, so there is something to wait for.
    expect(far.serves('k')).toBe('first');
    expect(await change('second')).toBeGreaterThanOrEqual(fence - 5);
    const end = performance.now() + 1000;
    while (performance.now() < end) {
      expect(far.serves('k')).toBeUndefined();
      await sleep(2);
    }
    // Control: without the question whether it is trusted it would serve the old value.
    expect(far.careless.get('k')).toBe('first');
    await proxy.heal();
    await served('second', far);
    await until(async () => (await change('third')) < fence / 2, { what: 'all to answer again' });
  });

  it('a tier whose connection the server closed without its knowledge is waited for, though publish does not count it', async () => {
    const { real, proxy, near, far, change } = await pair();
    await served('first', near, far);
    proxy.blackhole();
    const list = String(await real.cli('CLIENT', 'LIST', 'TYPE', 'pubsub'));
    const ids = Array.from(list.matchAll(/^id=(\d+).* sub=(\d+)/gm), ([, id]) => id ?? '');
    // The last one that came is that of the far process.
    await real.cli('CLIENT', 'KILL', 'ID', ids.at(-1) ?? '');
    expect(await real.cli('PUBLISH', 'hs!drop', '{"v":1,"k":["other"]}')).toBe(1);
    expect(far.serves('k')).toBe('first');
    await change('second');
    expect(far.serves('k')).toBeUndefined();
    expect(far.careless.get('k')).toBe('first');
  });

  it('no read that begins after an acknowledged change returns what was before it, while the network breaks again and again', async () => {
    const { proxy, near, far, change } = await pair();
    await change('0');
    let confirmed = 0;
    let reads = 0;
    let hits = 0;
    const state = { running: true };
    const reading = (async () => {
      while (state.running) {
        for (const each of [near, far]) {
          const least = confirmed;
          if (each.serves('k') !== undefined) hits += 1;
          const value = await each.read('k').catch(() => undefined);
          reads += 1;
          if (value !== undefined) expect(Number(value)).toBeGreaterThanOrEqual(least);
        }
        await sleep(1);
      }
    })();
    const breaks = [() => proxy.blackhole(), () => proxy.cut(), () => proxy.cut('reset'), () => {}, () => {}];
    for (let round = 1; round <= 15; round += 1) {
      await sleep(100);
      breaks[round % breaks.length]?.();
      await change(`${round}`);
      confirmed = round;
      await proxy.heal();
    }
    state.running = false;
    await reading;
    expect(reads).toBeGreaterThan(200);
    expect(hits).toBeGreaterThan(100);
  });
});
