/** All servers together: which of them keeps a key, and what they can take. */

import type { HotshelfError } from '../../src/support/errors.ts';
import type { ServerClient } from './client.ts';
import { Ring } from './ring.ts';

/** Memcached's own limit for an item, unless -I says otherwise. */
const usualItemBytes = 1024 * 1024;
/** What an item needs besides its value: its header, its CAS id, the longest key, and a chunk's header. */
const itemOverheadBytes = 512;

export interface Member {
  readonly client: ServerClient;
  readonly weight: number;
}

export class Cluster {
  readonly clients: readonly ServerClient[];
  readonly #only: ServerClient | undefined;
  readonly #ring: Ring;
  readonly #maxValueBytes: number | undefined;

  constructor(members: readonly Member[], maxValueBytes: number | undefined) {
    this.clients = members.map(({ client }) => client);
    this.#only = members.length === 1 ? members[0]?.client : undefined;
    this.#ring = new Ring(members.map(({ client, weight }) => ({ server: client.server, weight })));
    this.#maxValueBytes = maxValueBytes;
  }

  /**
   * The server that keeps `key`, whether it is up or not. There is no failover: a delete that went to another server would
   * leave the old value in place, to be served again when its server is back.
   */
  clientOf(key: string): ServerClient {
    const client = this.#only ?? this.clients[this.#ring.find(key)];
    if (client === undefined) throw new Error('A ring without servers.');
    return client;
  }

  /** The most bytes that every server takes. */
  get maxValueBytes(): number {
    const told = this.clients.map(({ maxItemBytes }) => maxItemBytes).filter((bytes) => bytes !== undefined);
    const fallback = this.#maxValueBytes === undefined ? usualItemBytes : Infinity;
    const itemBytes = Math.min(...(told.length > 0 ? told : [fallback]));
    return Math.min(this.#maxValueBytes ?? Infinity, itemBytes - itemOverheadBytes);
  }

  /** Sends each server what concerns its keys; rejects only when all of them are done. */
  async onEach<Result>(
    keys: readonly string[],
    work: (client: ServerClient, keys: string[]) => Promise<Result>,
  ): Promise<Result[]> {
    const shares = new Map<ServerClient, string[]>();
    for (const key of keys) {
      const client = this.clientOf(key);
      const share = shares.get(client);
      if (share === undefined) shares.set(client, [key]);
      else share.push(key);
    }
    const outcomes = await Promise.allSettled(Array.from(shares, ([client, share]) => work(client, share)));
    const failures = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [outcome.reason as HotshelfError] : [],
    );
    // Of several failures the one that knows least: something may have been applied.
    const worst = failures.find(({ code }) => code === 'OUTCOME_UNKNOWN') ?? failures[0];
    if (worst !== undefined) throw worst;
    return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  }
}
