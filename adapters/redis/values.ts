/** The values facet on Redis: the stored bytes begin with a random version of eight bytes. */

import { checkKey } from '../../src/backend/check.ts';
import type { Changes, Foreign, Stored, Values, Version } from '../../src/backend/values.ts';
import { HotshelfError } from '../../src/support/errors.ts';
import type { Batch } from './batch.ts';
import type { CommandArgument, Reply } from './client.ts';
import { replyCode } from './errors.ts';
import { lifetime } from './lifetime.ts';
import { RedisForeign } from './foreign.ts';
import { Errand } from './lane.ts';
import type { Nodes } from './nodes.ts';
import { keysFrom } from './scan.ts';
import { casScript, deleteIfScript, persistScript, runInOrder, runScript, takeScript } from './scripts.ts';
import { readStored, stamped, versionData } from './versions.ts';

export class RedisValues implements Values {
  readonly maxValueBytes: number;
  readonly changes?: Changes;
  readonly foreign: Foreign;
  readonly #nodes: Nodes;
  readonly #batch: Batch;
  readonly #prefix: string;
  /** Redis knows GETDEL from 6.2 on. */
  #hasGetdel = true;

  constructor(nodes: Nodes, batch: Batch, maxValueBytes: number, changes?: Changes) {
    this.#nodes = nodes;
    this.#batch = batch;
    this.#prefix = nodes.keyPrefix;
    this.maxValueBytes = maxValueBytes;
    this.foreign = new RedisForeign(nodes);
    if (changes !== undefined) this.changes = changes;
  }

  get(key: string): Promise<Stored | undefined> {
    return new Promise((resolve, reject) => {
      this.#batch.read(this.#keyOf(key), new GetReader(resolve, reject));
    });
  }

  getMany(keys: readonly string[]): Promise<readonly (Stored | undefined)[]> {
    if (keys.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      const prefixed = keys.map((key) => this.#keyOf(key));
      const found: (Stored | undefined)[] = Array.from({ length: keys.length });
      let left = keys.length;
      for (const [index, key] of prefixed.entries()) {
        const filled = (stored: Stored | undefined) => {
          found[index] = stored;
          left -= 1;
          if (left === 0) resolve(found);
        };
        this.#batch.read(key, new GetReader(filled, reject));
      }
    });
  }

  async set(key: string, bytes: Uint8Array, ttlMs: number): Promise<Version> {
    const name = this.#keyOf(key);
    const px = expiry(ttlMs);
    const { data, version } = this.#stamp(bytes);
    await this.#nodes.run(name, 'set', [name, data, ...px]);
    return version;
  }

  async add(key: string, bytes: Uint8Array, ttlMs: number): Promise<Version | undefined> {
    const name = this.#keyOf(key);
    const px = expiry(ttlMs);
    const { data, version } = this.#stamp(bytes);
    const reply = await this.#nodes.run(name, 'set', [name, data, ...px, 'NX']);
    return reply === null ? undefined : version;
  }

  async cas(key: string, version: Version, bytes: Uint8Array, ttlMs: number): Promise<Version | undefined> {
    const name = this.#keyOf(key);
    const ms = lifetime(ttlMs) ?? '';
    const next = this.#stamp(bytes);
    const reply = await runInOrder(this.#nodes, casScript, name, [versionData(version), next.data, ms]);
    return Number(reply) === 1 ? next.version : undefined;
  }

  async touch(key: string, ttlMs: number): Promise<boolean> {
    const name = this.#keyOf(key);
    const ms = lifetime(ttlMs);
    const reply =
      ms === undefined
        ? await runInOrder(this.#nodes, persistScript, name, [])
        : await this.#nodes.run(name, 'pexpire', [name, ms]);
    return Number(reply) === 1;
  }

  async delete(keys: readonly string[]): Promise<number> {
    const names = keys.map((key) => this.#keyOf(key));
    const replies = await this.#nodes.runKeys('unlink', names);
    return replies.reduce<number>((sum, reply) => sum + Number(reply), 0);
  }

  async deleteIf(key: string, version: Version): Promise<boolean> {
    const name = this.#keyOf(key);
    return Number(await runInOrder(this.#nodes, deleteIfScript, name, [versionData(version)])) === 1;
  }

  async take(key: string): Promise<Stored | undefined> {
    const name = this.#keyOf(key);
    return storedIn(await this.#getdel(name));
  }

  async *list(prefix: string): AsyncGenerator<readonly string[], void, undefined> {
    checkKey(prefix);
    yield* keysFrom(this.#nodes, prefix);
  }

  async #getdel(name: string): Promise<Reply> {
    if (this.#hasGetdel) {
      try {
        return await this.#nodes.run(name, 'getdel', [name]);
      } catch (error) {
        // An unknown command was not carried out: what it would have done may be done by other means.
        if (replyCode(error) !== 'ERR') throw error;
      }
    }
    const reply = await runScript(this.#nodes, takeScript, name, []);
    this.#hasGetdel = false;
    return reply;
  }

  #keyOf(key: string): string {
    checkKey(key);
    return this.#prefix === '' ? key : this.#prefix + key;
  }

  #stamp(bytes: Uint8Array): { readonly data: Buffer; readonly version: Version } {
    if (bytes.length <= this.maxValueBytes) return stamped(bytes);
    throw new HotshelfError(
      'VALUE_TOO_LARGE',
      `A value of ${bytes.length} bytes is larger than the ${this.maxValueBytes} bytes that the redis adapter accepts. Raise \`maxValueBytes\` or store less.`,
    );
  }
}

class GetReader extends Errand {
  readonly #resolve: (stored: Stored | undefined) => void;
  readonly fail: (error: HotshelfError) => void;

  constructor(resolve: (stored: Stored | undefined) => void, reject: (error: HotshelfError) => void) {
    super();
    this.#resolve = resolve;
    this.fail = reject;
  }

  answer(data: Reply): void {
    this.#resolve(storedIn(data));
  }
}

function storedIn(reply: Reply): Stored | undefined {
  return Buffer.isBuffer(reply) ? readStored(reply) : undefined;
}

function expiry(ttlMs: number): readonly CommandArgument[] {
  const ms = lifetime(ttlMs);
  return ms === undefined ? [] : ['PX', ms];
}
