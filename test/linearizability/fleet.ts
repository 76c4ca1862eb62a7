/** A fleet of processes around one backend and one origin, with delays on every wire. */
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { startProxy, type Proxy } from '../kit/proxy.ts';
import { randomDelay, seededRandom } from '../kit/random.ts';
import { type RedisServer, type Server, startMemcached, startRedis } from '../kit/servers.ts';
import { startWorker, type Worker } from '../kit/workers.ts';
import type { History } from './history.ts';
import { startOrigin, type Origin } from './origin.ts';
import type { PlayerHandlers, PlayInput } from './player.worker.ts';
import type { Account } from './subject.ts';
import type { SubjectName } from './subjects.ts';

export type BackendName = 'memory' | 'redis' | 'memcached';

export interface Fleet {
  readonly origin: Origin;
  /** The processes; with the memory backend there is one, with as many caches. */
  readonly players: Crew;
  /** The way that the commands of all processes take to the backend; none in memory. */
  readonly wire: Proxy | undefined;
  /** The ways on which each process hears messages, if they are apart. */
  readonly ears: readonly Proxy[];
  readonly redis: RedisServer | undefined;
  /** What each process recorded. */
  play(input: Omit<PlayInput, 'seed'>): Promise<readonly History[]>;
  /** What became of every cache. */
  accounts(): Promise<readonly Account[]>;
}

const file = new URL('./player.worker.ts', import.meta.url);

export interface FleetOptions {
  readonly backend: BackendName;
  readonly subject: SubjectName;
  readonly seed: number;
  readonly originDelayMs?: number;
  readonly replicaLagMs?: number;
  /** Delays of 0 to 6 ms on the way to the backend. @default true */
  readonly wireDelays?: boolean;
  /** Gives each process a way of its own for messages, slower or faster than that for commands. @default false */
  readonly earsApart?: boolean;
  /** By how much the wall clock of each process is off. @default 0 */
  readonly skewsMs?: readonly number[];
}

/** The processes that the tests of one file use one after the other: to start them takes longer than most tests. */
export type Crew = readonly Worker<PlayerHandlers>[];

/** Starts `count` processes before the tests of a file, and stops them after; returns where to find them. */
export function hireCrew(count = 3): () => Crew {
  let crew: Crew = [];
  beforeAll(async () => {
    crew = await Promise.all(range(count, () => startWorker<PlayerHandlers>(file)));
  });
  afterAll(() => Promise.all(crew.map((player) => player.stop())));
  return () => crew;
}

/** Starts what a fleet needs besides its crew; it ends with the test. */
export async function startFleet(crew: Crew, options: FleetOptions): Promise<Fleet> {
  const { backend, subject, seed, originDelayMs, replicaLagMs, wireDelays = true, skewsMs } = options;
  const origin = await startOrigin({ seed, longestDelayMs: originDelayMs, replicaLagMs });
  onTestFinished(() => origin.stop());
  const redis = backend === 'redis' ? await startRedis() : undefined;
  const server = redis ?? (backend === 'memcached' ? await startMemcached() : undefined);
  if (server !== undefined) onTestFinished(() => server.stop());
  const apart = server !== undefined && options.earsApart === true;
  const proxy =
    server && (await startWire(server, wireDelays ? (apart ? hiccups(seed) : randomDelay(seed)) : undefined));
  // One process hears earlier than it is answered, the others hear long after the writer was answered.
  const earDelay = (at: number) => (at === 0 ? undefined : randomDelay(seed + at, 10, 50));
  const ears = apart ? await Promise.all(crew.map((_, at) => startWire(server, earDelay(at)))) : [];
  const players = proxy === undefined ? crew.slice(0, 1) : crew;
  const skews = crew.map((_, at) => skewsMs?.[at] ?? 0);
  await Promise.all(
    players.map((player, at) =>
      player.call('open', {
        subject,
        originPort: origin.port,
        url: proxy?.url(backend) ?? 'memory:',
        busUrl: ears[at]?.url(backend),
        skewsMs: proxy === undefined ? skews : skews.slice(at, at + 1),
      }),
    ),
  );
  onTestFinished(() => Promise.all(players.map((player) => player.call('close'))).then(() => {}));
  return {
    origin,
    players,
    wire: proxy,
    ears,
    redis,
    play: (input) =>
      Promise.all(players.map((player, at) => player.call('play', { ...input, seed: seed * 1000 + at }))),
    async accounts() {
      const all = await Promise.all(players.map((player) => player.call('account')));
      return all.flat().filter((account) => account !== undefined);
    },
  };
}

async function startWire(target: Server, delay: (() => number) | undefined): Promise<Proxy> {
  const proxy = await startProxy({ target, ...(delay && { delay }) });
  onTestFinished(() => proxy.stop());
  return proxy;
}

/** Delays of 0 to 6 ms, and of 40 ms now and then: an answer that is overtaken by what happens meanwhile. */
function hiccups(seed: number): () => number {
  const usual = randomDelay(seed);
  const chance = seededRandom(seed);
  return () => (chance() < 0.05 ? 40 : usual());
}

function range<One>(length: number, one: (index: number) => One): One[] {
  return Array.from({ length }, (_, index) => one(index));
}
