/** Puts the Redis backend together: clients made or handed in, one server or a cluster, and the facets. */

import type { BackendEvent, BackendWith, Health } from '../../src/backend/backend.ts';
import type { Clock } from '../../src/support/clock.ts';
import { Emitter } from '../../src/support/emitter.ts';
import { describe, HotshelfError } from '../../src/support/errors.ts';
import { afterAwake } from '../../src/support/awake.ts';
import type { GuardLimits } from '../../src/support/guard.ts';
import { Batch } from './batch.ts';
import { RedisBus } from './bus.ts';
import { RedisChanges } from './changes.ts';
import { isCluster, type ClusterClient, type Connection, type IoredisClient } from './client.ts';
import { ClusterNodes } from './cluster.ts';
import { RedisCounters } from './counters.ts';
import { checkClient, warningAbout } from './handed-in.ts';
import type { LaneOptions } from './lane.ts';
import { RedisLimits } from './limits.ts';
import { connectTimeoutMs, makeClient } from './made.ts';
import type { Nodes } from './nodes.ts';
import { checkConnection, readOptions, type ReadOptions, type RedisConnection, type RedisOptions } from './options.ts';
import { RedisRankings } from './rankings.ts';
import { SingleNode } from './single.ts';
import { RedisUniques } from './uniques.ts';
import { parseRedisUrl } from './url.ts';
import { RedisValues } from './values.ts';

export type RedisFacets = 'values' | 'counters' | 'limits' | 'rankings' | 'uniques' | 'bus';

/** The longest that `health()` takes, in ms. */
const healthWithinMs = 300;

/** The deadline shrinks to this share while the server is quick. */
const shortestShare = 0.4;

/** The first connection must be ready so soon after the server accepted it, in ms. */
const readyWithinMs = 1000;

/**
 * Returns a backend on Redis: one server, a Cluster, or a master watched by Sentinels.
 *
 * It connects at once and in the background; until it is connected, calls wait for at most `deadline`. A client that you
 * hand in is yours: it is never closed, and one warning names those of its options that are dangerous.
 *
 * @param target a URL, options, or a client of ioredis 5.11 or 6
 * @throws {HotshelfError} `URL_INVALID`, `OPTION_INVALID` or `CLIENT_MISSING`; never with credentials.
 * @example
 * const backend = redis('redis://:secret@cache.internal:6379/0');
 * const shared = redis(new Redis({ ...redisOptions(), host: 'cache.internal' }));
 * const cluster = redis('rediss+cluster://user:secret@10.0.0.1,10.0.0.2');
 */
export function redis(
  target: string | RedisConnection | IoredisClient,
  options?: RedisOptions,
): BackendWith<RedisFacets> {
  if (typeof target === 'string') {
    const parsed = parseRedisUrl(target);
    return made(parsed.connection, readOptions({ ...parsed.options, ...options }));
  }
  if (typeof target !== 'object' || target === null) {
    throw new HotshelfError(
      'OPTION_INVALID',
      `Expected redis() to get a URL, options, or a client of ioredis, got ${describe(target)}.`,
    );
  }
  const read = readOptions(options);
  return isClient(target) ? handedIn(target, read) : made(target, read);
}

/**
 * Returns the servers behind `target`: for those who need other commands than the facets have, behind the same guard.
 *
 * @param where how the caller wrote the call: `connectRedis()`
 * @throws {HotshelfError} `OPTION_INVALID` when it is neither a backend made by `redis()` nor a client.
 */
export function nodesBehind(target: unknown, where: string): Nodes {
  if (typeof target === 'object' && target !== null) {
    if (RedisBackend.isOurs(target)) return RedisBackend.nodesOf(target);
    if (isClient(target)) return RedisBackend.nodesOf(handedIn(target, readOptions(undefined)));
  }
  throw new HotshelfError(
    'OPTION_INVALID',
    `Expected ${where} to get a backend made by redis() or a client of ioredis, got ${describe(target)}.`,
  );
}

function isClient(target: object): target is IoredisClient {
  return typeof Reflect.get(target, 'on') === 'function' || typeof Reflect.get(target, 'sendCommand') === 'function';
}

function handedIn(target: object, options: ReadOptions): RedisBackend {
  const client = checkClient(target);
  return new RedisBackend(client, options, { owned: false, readyWithinMs, warning: warningAbout(client) });
}

function made(connection: RedisConnection, options: ReadOptions): RedisBackend {
  checkConnection(connection);
  const client = makeClient(connection, options.clock);
  const patience = Math.max(readyWithinMs, connectTimeoutMs(connection));
  return new RedisBackend(client, options, { owned: true, readyWithinMs: patience, warning: undefined });
}

interface Circumstances {
  readonly owned: boolean;
  readonly readyWithinMs: number;
  readonly warning: string | undefined;
}

class RedisBackend implements BackendWith<RedisFacets> {
  readonly name = 'redis';
  readonly values: RedisValues;
  readonly counters: RedisCounters;
  readonly limits: RedisLimits;
  readonly rankings: RedisRankings;
  readonly uniques: RedisUniques;
  readonly bus: RedisBus;
  readonly #nodes: Nodes;
  readonly #changes: RedisChanges | undefined;
  readonly #clock: Clock;
  readonly #events = new Emitter<BackendEvent>();
  #closing: Promise<void> | undefined;

  static isOurs(target: object): target is RedisBackend {
    return #nodes in target;
  }

  static nodesOf(backend: RedisBackend): Nodes {
    return backend.#nodes;
  }

  constructor(client: Connection | ClusterClient, options: ReadOptions, circumstances: Circumstances) {
    const { clock, deadlineMs, maxValueBytes, blockLocally } = options;
    this.#clock = clock;
    const limits: Partial<GuardLimits> = { deadlineMaxMs: deadlineMs, deadlineMinMs: deadlineMs * shortestShare };
    const laneOptions: LaneOptions = {
      clock,
      limits,
      readyWithinMs: circumstances.readyWithinMs,
      onEvent: (event) => this.#events.emit(event),
    };
    this.#nodes = isCluster(client)
      ? new ClusterNodes(client, circumstances.owned, laneOptions)
      : new SingleNode(client, circumstances.owned, laneOptions);
    const batch = new Batch(this.#nodes);
    if (this.#nodes.only !== undefined) this.#changes = new RedisChanges(this.#nodes, clock);
    this.values = new RedisValues(this.#nodes, batch, maxValueBytes, this.#changes);
    this.counters = new RedisCounters(this.#nodes, batch);
    this.limits = new RedisLimits(this.#nodes, clock, blockLocally);
    this.rankings = new RedisRankings(this.#nodes);
    this.uniques = new RedisUniques(this.#nodes);
    this.bus = new RedisBus(this.#nodes, clock);
    const { warning } = circumstances;
    // Whoever made the backend has had the time to watch it by then.
    if (warning !== undefined) clock.turn(() => this.#warn(warning));
  }

  async health(): Promise<Health> {
    if (this.#closing !== undefined) return { ok: false, latencyMs: 0, reason: 'the backend was closed' };
    return new Promise((resolve) => {
      const report = (health: Health) => {
        deadline.cancel();
        resolve(health);
      };
      const tooLate = { ok: false, latencyMs: healthWithinMs, reason: 'no connection yet' };
      const deadline = afterAwake(this.#clock, healthWithinMs, () => report(tooLate));
      void this.#nodes.health().then(report);
    });
  }

  watch(listener: (event: BackendEvent) => void): () => void {
    return this.#events.on(listener);
  }

  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.bus.close();
      this.limits.close();
      this.#changes?.close();
      this.#closing = this.#nodes.close();
    }
    return this.#closing;
  }

  /** Shown by `util.inspect` and `console.log`: nothing that could hold a password. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return 'RedisBackend {}';
  }

  #warn(message: string): void {
    if (this.#events.observed) this.#events.emit({ type: 'warning', message });
    else process.emitWarning(message, { code: 'HOTSHELF_REDIS_CLIENT' });
  }
}
