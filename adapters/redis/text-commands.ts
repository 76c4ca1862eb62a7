/** The few commands on plain strings that session stores of others need, behind the guard, on one server or a Cluster. */

import type { HotshelfError } from '../../src/support/errors.ts';
import { Batch } from './batch.ts';
import type { CommandArgument, Reply } from './client.ts';
import { PromisedErrand } from './lane.ts';
import type { Nodes } from './nodes.ts';
import { scan, textOf } from './scan.ts';

/** So many keys at a time: the answer for all of them must come within the deadline. */
const keysPerTrip = 512;

/** Keys are those of the user; what the client puts before every key is added and taken off here. */
export class TextCommands {
  readonly #nodes: Nodes;
  readonly #batch: Batch;

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
    this.#batch = new Batch(nodes);
  }

  /** Travels in one trip with all other reads of this tick. */
  get(key: string): Promise<string | null> {
    return new Promise((resolve, reject: (error: HotshelfError) => void) => {
      const reader = new PromisedErrand((reply) => resolve(textOf(reply)), reject);
      this.#batch.read(this.#nodes.keyPrefix + key, reader);
    });
  }

  /** @param more what stands after the value: `['EX', 60]` */
  async set(key: string, value: string | Uint8Array, more: readonly CommandArgument[]): Promise<string | null> {
    return textOf(await this.#run('set', key, [value, ...more]));
  }

  async expire(key: string, seconds: number): Promise<number> {
    return Number(await this.#run('expire', key, [seconds]));
  }

  /** Deletes across slots; returns how many there were. On an error some may be gone. */
  async delete(keys: readonly string[]): Promise<number> {
    let deleted = 0;
    for (const some of portions(keys)) {
      const names = some.map((key) => this.#nodes.keyPrefix + key);
      for (const reply of await this.#nodes.runKeys('unlink', names)) deleted += Number(reply);
    }
    return deleted;
  }

  /** Reads across slots, in the order of `keys`. */
  async getMany(keys: readonly string[]): Promise<(string | null)[]> {
    const found: (string | null)[] = [];
    for (const some of portions(keys)) found.push(...(await Promise.all(some.map((key) => this.get(key)))));
    return found;
  }

  /** As `scan`. */
  scan(match: string, count: number): AsyncGenerator<string[], void, undefined> {
    return scan(this.#nodes, match, count);
  }

  #run(name: string, key: string, args: readonly CommandArgument[]): Promise<Reply> {
    const full = this.#nodes.keyPrefix + key;
    return this.#nodes.run(full, name, [full, ...args]);
  }
}

function* portions(keys: readonly string[]): Generator<readonly string[]> {
  for (let from = 0; from < keys.length; from += keysPerTrip) yield keys.slice(from, from + keysPerTrip);
}
