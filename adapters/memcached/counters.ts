/** The counters facet on Memcached: its own increment and decrement, which create the key in the same step. */

import { checkKey } from '../../src/backend/check.ts';
import type { Counters } from '../../src/backend/counters.ts';
import type { Clock } from '../../src/support/clock.ts';
import { describe, HotshelfError } from '../../src/support/errors.ts';
import type { Cluster } from './cluster.ts';
import { statusError } from './errors.ts';
import { countExtras, expiration, neverCreate, opcodes, statuses } from './protocol.ts';

/** Two increments that create one key at the same moment collide, and the server says that one of them did nothing. */
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
    const invalid = countError(by);
    if (invalid !== undefined) throw invalid;
    const client = this.#cluster.clientOf(key);
    const up = by >= 0;
    const expires = up ? expiration(ttlMs, this.#clock.now()) : neverCreate;
    const command = {
      opcode: up ? opcodes.increment : opcodes.decrement,
      key,
      extras: countExtras(Math.abs(by), up ? by : 0, expires),
      answers: [statuses.notFound, statuses.notStored],
    };
    for (let attempt = 0; attempt < collisionsMost; attempt += 1) {
      const { header, val } = await client.send(command);
      if (header.status === statuses.ok) return readCount(val);
      // Nothing is there, and less than nothing is 0.
      if (header.status === statuses.notFound) return 0;
      // Not stored: the server said that it did nothing, so that asking again counts once.
    }
    throw statusError(client.server, statuses.notStored);
  }

  async read(keys: readonly string[]): Promise<number[]> {
    for (const key of keys) {
      checkKey(key);
    }
    return Promise.all(
      keys.map(async (key) => {
        const client = this.#cluster.clientOf(key);
        const found = await client.read(key);
        const count = found === undefined ? 0 : parseCount(found.bytes);
        if (count === undefined) throw statusError(client.server, statuses.noNumber);
        return count;
      }),
    );
  }
}

/** A reply to an increment holds 64 bits. */
function readCount(bytes: Buffer): number {
  return Math.min(Number(bytes.readBigUInt64BE(0)), Number.MAX_SAFE_INTEGER);
}

/** A stored count is decimal digits; one that became shorter is filled up with blanks. */
function parseCount(bytes: Uint8Array): number | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 24)).toString('latin1').trimEnd();
  if (bytes.length > 24 || !/^\d{1,20}$/.test(text)) return undefined;
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
}

function countError(by: number): HotshelfError | undefined {
  if (Number.isSafeInteger(by)) return undefined;
  return new HotshelfError('OPTION_INVALID', `Expected \`by\` to be a whole number, got ${describe(by)}.`);
}
