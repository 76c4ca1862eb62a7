/** The counters facet on Memcached: its own increment and decrement, which create the key in the same step. */

import { checkKey } from '../../src/backend/check.ts';
import type { Counters } from '../../src/backend/counters.ts';
import type { Clock } from '../../src/support/clock.ts';
import { describe, HotshelfError } from '../../src/support/errors.ts';
import type { Cluster } from './cluster.ts';
import { collided, increment, readCount } from './increment.ts';

/** So often an addition is tried again that collided with another one. */
const collisionsMost = 100;

export class MemcachedCounters implements Counters {
  readonly #cluster: Cluster;
  readonly #clock: Clock;

  constructor(cluster: Cluster, clock: Clock) {
    this.#cluster = cluster;
    this.#clock = clock;
  }

  async add(key: string, by: number, ttlMs: number): Promise<number> {
    checkKey(key);
    if (!Number.isSafeInteger(by)) {
      throw new HotshelfError('OPTION_INVALID', `Expected \`by\` to be a whole number, got ${describe(by)}.`);
    }
    const client = this.#cluster.clientOf(key);
    for (let attempt = 0; attempt < collisionsMost; attempt += 1) {
      const sum = await increment(client, key, by, ttlMs, this.#clock.now());
      if (sum !== undefined) return Math.min(sum, Number.MAX_SAFE_INTEGER);
    }
    throw collided(client);
  }

  async read(keys: readonly string[]): Promise<number[]> {
    for (const key of keys) checkKey(key);
    return Promise.all(keys.map((key) => readCount(this.#cluster.clientOf(key), key)));
  }
}
