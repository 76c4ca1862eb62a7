/** The values facet on Memcached: a version is the CAS id that the server gives to each stored state. */

import { checkKey } from '../../src/backend/check.ts';
import type { Stored, Values, Version } from '../../src/backend/values.ts';
import type { Clock } from '../../src/support/clock.ts';
import type { Cluster } from './cluster.ts';
import type { Command, ServerClient } from './client.ts';
import { statusError, tooLarge } from './errors.ts';
import { opcodes, statuses, storeExtras, touchExtras, type Reply } from './protocol.ts';

const { notFound, exists } = statuses;

export class MemcachedValues implements Values {
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  readonly #checkKey: (key: string) => void;

  /** @param check refuses keys */
  constructor(cluster: Cluster, clock: Clock, check: (key: string) => void = checkKey) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#checkKey = check;
  }

  get maxValueBytes(): number {
    return this.#cluster.maxValueBytes;
  }

  get(key: string): Promise<Stored | undefined> {
    try {
      this.#checkKey(key);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#cluster.clientOf(key).read(key);
  }

  async getMany(keys: readonly string[]): Promise<readonly (Stored | undefined)[]> {
    for (const key of keys) this.#check(key);
    return Promise.all(keys.map((key) => this.#cluster.clientOf(key).read(key)));
  }

  async set(key: string, bytes: Uint8Array, ttlMs: number): Promise<Version> {
    const client = this.#check(key);
    const reply = await client.send(this.#store(opcodes.set, key, bytes, ttlMs));
    return versionOf(client, reply);
  }

  async add(key: string, bytes: Uint8Array, ttlMs: number): Promise<Version | undefined> {
    const client = this.#check(key);
    const reply = await client.send({ ...this.#store(opcodes.add, key, bytes, ttlMs), answers: [exists] });
    return reply.header.status === exists ? undefined : versionOf(client, reply);
  }

  async cas(key: string, version: Version, bytes: Uint8Array, ttlMs: number): Promise<Version | undefined> {
    const client = this.#check(key);
    // A replace, not a set: a set that the server has no memory for deletes the value that it did not replace.
    const command = { ...this.#store(opcodes.replace, key, bytes, ttlMs), answers: [exists, notFound] };
    const reply = await client.sendIf(version, command);
    return reply?.header.status === statuses.ok ? versionOf(client, reply) : undefined;
  }

  async touch(key: string, ttlMs: number): Promise<boolean> {
    const extras = touchExtras(ttlMs, this.#clock.now());
    const reply = await this.#check(key).send({ opcode: opcodes.touch, key, extras, answers: [notFound] });
    return reply.header.status === statuses.ok;
  }

  async delete(keys: readonly string[]): Promise<number> {
    for (const key of keys) this.#check(key);
    const replies = await this.#cluster.onEach(keys, (client, share) =>
      client.sendAll(share.map((key) => ({ opcode: opcodes.delete, key, answers: [notFound] }))),
    );
    return replies.flat().filter(({ header }) => header.status === statuses.ok).length;
  }

  async deleteIf(key: string, version: Version): Promise<boolean> {
    const command = { opcode: opcodes.delete, key, answers: [exists, notFound] };
    const reply = await this.#check(key).sendIf(version, command);
    return reply?.header.status === statuses.ok;
  }

  /** Memcached cannot get and delete at once; deleting exactly the state that was read has one winner as well. */
  async take(key: string): Promise<Stored | undefined> {
    for (;;) {
      const found = await this.get(key);
      if (found === undefined || (await this.deleteIf(key, found.version))) return found;
      // Somebody else changed or took it in between, and did get on: look again.
    }
  }

  #check(key: string): ServerClient {
    this.#checkKey(key);
    return this.#cluster.clientOf(key);
  }

  #store(opcode: number, key: string, value: Uint8Array, ttlMs: number): Command {
    // Before anything is sent: a set that is refused as too large deletes the value that it did not replace.
    const { maxValueBytes } = this.#cluster;
    if (value.length > maxValueBytes) throw tooLarge(value.length, maxValueBytes);
    return { opcode, key, value, extras: storeExtras(ttlMs, this.#clock.now()) };
  }
}

/** A server without CAS answers 0, and a compare-and-set with 0 would overwrite whatever is there. */
function versionOf(client: ServerClient, reply: Reply): Version {
  if (reply.header.cas.every((byte) => byte === 0)) throw statusError(client.server, statuses.unknownCommand);
  return client.versionOf(reply);
}
