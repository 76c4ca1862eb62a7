/** Adds to a counter of Memcached, which creates it in the same step, and reads counters. */

import type { HotshelfError } from '../../src/support/errors.ts';
import type { ServerClient } from './client.ts';
import { statusError } from './errors.ts';
import { countExtras, expiration, neverCreate, opcodes, statuses } from './protocol.ts';

/**
 * Returns the sum, exact up to 2^53, or `undefined` where two increments that create one key at the same moment collided: the server says that
 * this one did nothing, so that sending it again counts once.
 *
 * The lifetime starts when the key is created. Taking off creates nothing, and less than nothing is 0.
 */
export async function increment(
  client: ServerClient,
  key: string,
  by: number,
  ttlMs: number,
  now: number,
): Promise<number | undefined> {
  const up = by >= 0;
  const { header, val } = await client.send({
    opcode: up ? opcodes.increment : opcodes.decrement,
    key,
    extras: countExtras(Math.abs(by), up ? by : 0, up ? expiration(ttlMs, now) : neverCreate),
    answers: [statuses.notFound, statuses.notStored],
  });
  if (header.status === statuses.notStored) return undefined;
  // A reply to an increment holds 64 bits.
  return header.status === statuses.ok ? Number(val.readBigUInt64BE(0)) : 0;
}

/** @throws {HotshelfError} `BACKEND_REFUSED` where there is something that is no number. */
export async function readCount(client: ServerClient, key: string): Promise<number> {
  const found = await client.read(key);
  const count = found === undefined ? 0 : parseCount(found.bytes);
  if (count === undefined) throw statusError(client.server, statuses.noNumber);
  return count;
}

/** The error for increments of one key that collide again and again. */
export function collided(client: ServerClient): HotshelfError {
  return statusError(client.server, statuses.notStored);
}

/** A stored count is decimal digits; one that became shorter is filled up with blanks. */
function parseCount(bytes: Uint8Array): number | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 24)).toString('latin1').trimEnd();
  if (bytes.length > 24 || !/^\d{1,20}$/.test(text)) return undefined;
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
}
