/** The servers as one: a standalone server, or whichever the Sentinels call the master. */

import type { Health } from '../../src/backend/backend.ts';
import { end, keyPrefixOf, serverName, type Connection, type Reply } from './client.ts';
import { outliveFailovers } from './failover.ts';
import { Lane, type LaneOptions } from './lane.ts';
import type { Nodes, Part } from './nodes.ts';
import type { Arguments } from './written.ts';

export class SingleNode implements Nodes {
  readonly keyPrefix: string;
  readonly only: Lane;
  readonly starting = undefined;
  readonly #client: Connection;
  readonly #owned: boolean;
  readonly #letGo: () => void;

  /** @param owned whether the client is ours to close */
  constructor(client: Connection, owned: boolean, options: LaneOptions) {
    this.#client = client;
    this.#owned = owned;
    this.keyPrefix = keyPrefixOf(client.options);
    this.#letGo = outliveFailovers(client, options.clock);
    this.only = new Lane(serverName(client.options), client, options);
  }

  split(keys: readonly string[]): Part[] {
    return [{ lane: this.only, keys: [...keys], places: keys.map((_, place) => place) }];
  }

  run(_key: string, name: string, args: Arguments): Promise<Reply> {
    return this.only.run(name, args);
  }

  async runKeys(name: string, keys: readonly string[]): Promise<Reply[]> {
    return keys.length === 0 ? [] : [await this.only.run(name, keys)];
  }

  masters(): Promise<readonly Lane[]> {
    return Promise.resolve([this.only]);
  }

  publish(topic: string, message: string): Promise<Reply> {
    return this.only.run('publish', [topic, message]);
  }

  connection(_attempt: number, overrides: Readonly<Record<string, unknown>>): Connection {
    return this.#client.duplicate(overrides);
  }

  isMeetingPoint(): Promise<boolean> {
    return Promise.resolve(true);
  }

  health(): Promise<Health> {
    return this.only.health();
  }

  async close(): Promise<void> {
    this.only.close();
    this.#letGo();
    if (!this.#owned) return;
    // What still fails afterwards has nobody to tell.
    this.#client.on('error', () => {});
    end(this.#client);
  }
}
