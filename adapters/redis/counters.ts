/** The counters facet on Redis: one short script for an addition, so that its lifetime starts with the key. */

import { checkKey } from '../../src/backend/check.ts';
import type { Counters } from '../../src/backend/counters.ts';
import { describe, HotshelfError } from '../../src/support/errors.ts';
import type { Batch } from './batch.ts';
import type { Reply } from './client.ts';
import { lifetime } from './lifetime.ts';
import { PromisedErrand } from './lane.ts';
import type { Nodes } from './nodes.ts';
import { countScript, runScript } from './scripts.ts';

export class RedisCounters implements Counters {
  readonly #nodes: Nodes;
  readonly #batch: Batch;

  constructor(nodes: Nodes, batch: Batch) {
    this.#nodes = nodes;
    this.#batch = batch;
  }

  async add(key: string, by: number, ttlMs: number): Promise<number> {
    checkKey(key);
    if (!Number.isSafeInteger(by)) {
      throw new HotshelfError('OPTION_INVALID', `Expected a whole number to add, got ${describe(by)}.`);
    }
    const name = this.#nodes.keyPrefix + key;
    return toCount(await runScript(this.#nodes, countScript, name, [by, lifetime(ttlMs) ?? '']));
  }

  async read(keys: readonly string[]): Promise<number[]> {
    for (const key of keys) checkKey(key);
    return Promise.all(
      keys.map((key) => {
        return new Promise<number>((resolve, reject) => {
          const reader = new PromisedErrand((data) => resolve(toCount(data)), reject);
          this.#batch.read(this.#nodes.keyPrefix + key, reader);
        });
      }),
    );
  }
}

/** What somebody else wrote under the key, and what is no number, counts as 0. */
function toCount(reply: Reply): number {
  const count = Number(Buffer.isBuffer(reply) ? reply.toString('latin1') : reply);
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}
