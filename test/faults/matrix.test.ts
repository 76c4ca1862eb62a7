/** P3 for reads: whatever happens to the cache server, every request is answered, soon, and with the truth. */
import { appendFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startProxy, type Proxy } from '../kit/proxy.ts';
import { type RedisServer, type Server, startMemcached, startRedis } from '../kit/servers.ts';
import { watchStalls } from '../kit/stalls.ts';
import { sleep } from '../kit/wait.ts';
import { startWorker, type Worker } from '../kit/workers.ts';
import { judge, type Verdict } from './answers.ts';
import type { SiteHandlers } from './site.worker.ts';

interface Scene<Kind extends Server = Server> {
  readonly server: Kind;
  readonly proxy: Proxy;
  readonly site: Worker<SiteHandlers>;
}

interface Fault<Kind extends Server> {
  readonly name: string;
  /** Breaks something; resolves when it is broken. */
  break(scene: Scene<Kind>): Promise<unknown>;
  /** How long it stays broken, in ms. */
  readonly forMs: number;
  heal(scene: Scene<Kind>): Promise<unknown>;
  /** Whether reads cannot use the backend meanwhile. */
  readonly cutsOff: boolean;
}

/** The bounds are in ms of a machine that others use too: one noisy moment is not yet a broken promise, two are. */
const patience = { timeout: 180_000, retry: 1 };

const site = new URL('./site.worker.ts', import.meta.url);
const now = () => Number(process.hrtime.bigint()) / 1e6;

async function setScene<Kind extends Server>(start: () => Promise<Kind>, scheme: string): Promise<Scene<Kind>> {
  const server = await start();
  onTestFinished(() => server.stop());
  const proxy = await startProxy({ target: server });
  onTestFinished(() => proxy.stop());
  const worker = await startWorker<SiteHandlers>(site);
  onTestFinished(() => worker.stop());
  await worker.call('open', proxy.url(scheme));
  return { server, proxy, site: worker };
}

async function suffer<Kind extends Server>(scene: Scene<Kind>, fault: Fault<Kind>): Promise<Verdict> {
  await scene.site.call('begin');
  await sleep(1500);
  const brokenAt = now();
  await fault.break(scene);
  await sleep(fault.forMs);
  await fault.heal(scene);
  return recover(scene.site, brokenAt);
}

/** Looks on for a while after the heal. */
async function recover(worker: Worker<SiteHandlers>, brokenAt: number): Promise<Verdict> {
  const healedAt = now();
  // The proxy is part of this process.
  const watch = watchStalls(now);
  await sleep(2500);
  watch.stop();
  const report = await worker.call('end');
  return judge({ ...report, stalls: [...report.stalls, ...watch.stalls] }, brokenAt, healedAt);
}

function check(name: string, verdict: Verdict, cutsOff: boolean): void {
  if (process.env.HOTSHELF_FAULT_TABLE !== undefined) {
    const { answers, failed, slowestMs, p99BrokenMs, recoveryMs } = verdict;
    const row = `| ${name} | ${answers} | ${failed} | ${p99BrokenMs} | ${slowestMs} | ${recoveryMs} |\n`;
    appendFileSync(process.env.HOTSHELF_FAULT_TABLE, row);
  }
  expect(verdict).toMatchObject({ failed: 0, wrong: 0, unhandled: 0 });
  // The fault was really there, and the cache was really in use before.
  expect(verdict.hitsBefore).toBeGreaterThan(100);
  if (cutsOff) expect(verdict.bypassesBroken).toBeGreaterThan(10);
  expect(verdict.slowestMs).toBeLessThanOrEqual(400);
  expect(verdict.p99BrokenMs).toBeLessThanOrEqual(50);
  expect(verdict.recoveryMs).toBeLessThanOrEqual(1000);
}

const common: readonly Fault<Server>[] = [
  {
    name: 'hangs for 5 s (SIGSTOP)',
    break: ({ server }) => server.pause(),
    forMs: 5000,
    heal: async ({ server }) => server.resume(),
    cutsOff: true,
  },
  {
    name: 'is killed and comes back empty 2 s later',
    break: ({ server }) => server.kill(),
    forMs: 2000,
    heal: ({ server }) => server.restart(),
    cutsOff: true,
  },
  {
    name: 'swallows everything on open sockets for 3 s (half-open)',
    break: async ({ proxy }) => proxy.blackhole(),
    forMs: 3000,
    heal: ({ proxy }) => proxy.heal(),
    cutsOff: true,
  },
  {
    name: 'resets all connections and refuses new ones for 2 s',
    break: async ({ proxy }) => {
      proxy.refuse();
      proxy.cut('reset');
    },
    forMs: 2000,
    heal: ({ proxy }) => proxy.heal(),
    cutsOff: true,
  },
  {
    name: 'stops in the middle of an answer',
    break: async ({ proxy }) => proxy.truncateNextReply(7, 'stall'),
    forMs: 1500,
    heal: async () => {},
    cutsOff: false,
  },
  {
    name: 'answers garbage',
    break: async ({ proxy }) => proxy.corruptNextReply((reply) => Buffer.alloc(reply.length, 0x2a)),
    forMs: 1500,
    heal: async () => {},
    cutsOff: false,
  },
  {
    name: 'works while the event loop of the site is blocked for 3 s',
    break: async ({ site: worker }) => worker.call('block', 3000),
    forMs: 500,
    heal: async () => {},
    cutsOff: false,
  },
];

const redisFaults: readonly Fault<RedisServer>[] = [
  ...common,
  {
    name: 'becomes a read-only replica for 3 s',
    break: ({ server }) => server.cli('REPLICAOF', '127.0.0.1', 1),
    forMs: 3000,
    heal: ({ server }) => server.cli('REPLICAOF', 'NO', 'ONE'),
    cutsOff: true,
  },
  {
    name: 'is full (maxmemory, noeviction) for 3 s',
    break: ({ server }) => server.cli('CONFIG', 'SET', 'maxmemory', '1'),
    forMs: 3000,
    heal: ({ server }) => server.cli('CONFIG', 'SET', 'maxmemory', '0'),
    cutsOff: true,
  },
  {
    name: 'loses its scripts',
    break: ({ server }) => server.cli('SCRIPT', 'FLUSH'),
    forMs: 1500,
    heal: async () => {},
    cutsOff: false,
  },
  {
    name: 'holds foreign and corrupt bytes and other types under the keys',
    break: async ({ server }) => {
      const keys = (await server.cli('KEYS', 'hs:*')) as string[];
      for (const [index, key] of keys.entries()) {
        if (index % 3 === 0) await server.cli('SET', key, 'not ours');
        else if (index % 3 === 1) await server.cli('SETRANGE', key, 40, 'corrupt');
        else await server.cli('EVAL', "redis.call('DEL', KEYS[1]); redis.call('RPUSH', KEYS[1], 'a list')", 1, key);
      }
    },
    forMs: 1500,
    heal: async () => {},
    cutsOff: false,
  },
];

describe('a site answers every read while Redis', () => {
  for (const fault of redisFaults) {
    it(fault.name, patience, async () => {
      const scene = await setScene(startRedis, 'redis');
      check(`Redis ${fault.name}`, await suffer(scene, fault), fault.cutsOff);
    });
  }

  it('is down when the site starts', patience, () => downAtBoot(startRedis, 'redis', 'Redis'));
});

describe('a site answers every read while Memcached', () => {
  for (const fault of common) {
    it(fault.name, patience, async () => {
      const scene = await setScene(startMemcached, 'memcached');
      check(`Memcached ${fault.name}`, await suffer(scene, fault), fault.cutsOff);
    });
  }

  it('is down when the site starts', patience, () => downAtBoot(startMemcached, 'memcached', 'Memcached'));
});

it('catches a site that reads through a bare client (control)', patience, async () => {
  const [hang] = common;
  if (hang === undefined) throw new Error('no fault');
  const scene = await setScene(startRedis, 'bare');
  const verdict = await suffer(scene, { ...hang, forMs: 2000 });
  expect(verdict.slowestMs).toBeGreaterThan(1000);
});

async function downAtBoot(start: () => Promise<Server>, scheme: string, label: string): Promise<void> {
  const server = await start();
  onTestFinished(() => server.stop());
  await server.kill();
  const worker = await startWorker<SiteHandlers>(site);
  onTestFinished(() => worker.stop());
  await worker.call('open', `${scheme}://127.0.0.1:${server.port}`);
  const brokenAt = now();
  await worker.call('begin');
  await sleep(2500);
  await server.restart();
  const verdict = await recover(worker, brokenAt);
  check(`${label} is down at the start`, { ...verdict, hitsBefore: Infinity }, true);
}
