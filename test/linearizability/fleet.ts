/** A fleet of processes around one backend and one origin, with delays on every wire. */
import { startProxy, type Proxy } from '../kit/proxy.ts';
import { type Server, startMemcached, startRedis } from '../kit/servers.ts';
import { startWorker, type Worker } from '../kit/workers.ts';
import { type History, merge } from './history.ts';
import { startOrigin, type Origin } from './origin.ts';
import type { PlayerHandlers, PlayInput } from './player.worker.ts';
import type { SubjectName } from './subject.ts';

export type BackendName = 'memory' | 'redis' | 'memcached';

export interface Fleet {
  readonly origin: Origin;
  /** The processes; with the memory backend there is one, with as many caches. */
  readonly players: readonly Worker<PlayerHandlers>[];
  play(input: Omit<PlayInput, 'seed'>): Promise<History>;
  stop(): Promise<void>;
}

const file = new URL('./player.worker.ts', import.meta.url);

export interface FleetOptions {
  readonly backend: BackendName;
  readonly subject: SubjectName;
  readonly processes: number;
  readonly seed: number;
  readonly originDelayMs?: number;
  /** Delays of 0 to 6 ms on the way to the backend. @default true */
  readonly wireDelays?: boolean;
}

export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const { backend, subject, processes, seed, originDelayMs, wireDelays = true } = options;
  const origin = await startOrigin(seed, originDelayMs);
  const server = await startBackend(backend);
  const proxy =
    server === undefined ? undefined : await startProxy({ target: server, ...(wireDelays ? { seed } : {}) });
  const url = proxy === undefined ? 'memory:' : proxy.url(backend);
  const inOne = proxy === undefined;
  const players = await Promise.all(
    Array.from({ length: inOne ? 1 : processes }, () => startWorker<PlayerHandlers>(file)),
  );
  const caches = inOne ? processes : 1;
  await Promise.all(players.map((player) => player.call('open', { subject, url, originPort: origin.port, caches })));
  return {
    origin,
    players,
    play: async (input) => {
      const records = await Promise.all(
        players.map((player, index) => player.call('play', { ...input, seed: seed * 1000 + index })),
      );
      return merge(records.map(parse));
    },
    stop: () => stopAll(players, proxy, server, origin),
  };
}

async function startBackend(backend: BackendName): Promise<Server | undefined> {
  if (backend === 'redis') return startRedis();
  return backend === 'memcached' ? startMemcached() : undefined;
}

async function stopAll(players: readonly Worker<PlayerHandlers>[], proxy?: Proxy, server?: Server, origin?: Origin) {
  await Promise.all(players.map((player) => player.stop()));
  await proxy?.stop();
  await server?.stop();
  await origin?.stop();
}

function parse(text: string): History {
  const revive = (_: string, value: unknown) =>
    typeof value === 'string' && /^\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value;
  return JSON.parse(text, revive) as History;
}
