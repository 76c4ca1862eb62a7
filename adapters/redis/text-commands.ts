/** The few commands on plain strings that session stores of others need, behind the guard, on one server or a Cluster. */

import type { HotshelfError } from '../../src/support/errors.ts';
import { Batch } from './batch.ts';
import type { CommandArgument, Reply } from './client.ts';
import { PromisedErrand, type Lane } from './lane.ts';
import type { Nodes } from './nodes.ts';

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

  /**
   * Goes through the keys of all masters; a key may come twice, as it may with `SCAN`. Fails rather than pass over a server
   * that does not answer. A key whose slot is being handed to another master just then may be missed.
   */
  async *scan(match: string, count: number): AsyncGenerator<string[], void, undefined> {
    const { keyPrefix } = this.#nodes;
    const pattern = escaped(keyPrefix) + match;
    const done = new Set<Lane>();
    // Asked anew each time: a slot may have moved to a master that was not there at the start.
    const next = async () => (await this.#nodes.masters()).find((lane) => !done.has(lane));
    for (let lane = await next(); lane !== undefined; lane = await next()) {
      done.add(lane);
      let cursor = '0';
      do {
        const reply = await lane.run('scan', [cursor, 'MATCH', pattern, 'COUNT', count]);
        const [position, keys] = Array.isArray(reply) ? reply : [];
        cursor = textOf(position) ?? '0';
        if (Array.isArray(keys)) yield keys.map((key) => (textOf(key) ?? '').slice(keyPrefix.length));
      } while (cursor !== '0');
    }
  }

  #run(name: string, key: string, args: readonly CommandArgument[]): Promise<Reply> {
    const full = this.#nodes.keyPrefix + key;
    return this.#nodes.run(full, name, [full, ...args]);
  }
}

function textOf(reply: Reply | undefined): string | null {
  if (reply === undefined || reply === null) return null;
  return Buffer.isBuffer(reply) ? reply.toString() : String(reply);
}

/** A text as a pattern that matches it alone. */
export function escaped(text: string): string {
  return text.replaceAll(/[*?[\]\\^-]/g, String.raw`\$&`);
}

function* portions(keys: readonly string[]): Generator<readonly string[]> {
  for (let from = 0; from < keys.length; from += keysPerTrip) yield keys.slice(from, from + keysPerTrip);
}
