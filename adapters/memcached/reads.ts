/** Writes the reads of one tick as one request, and reads their replies. */

import type { Stored, Version } from '../../src/backend/values.ts';
import type { HotshelfError } from '../../src/support/errors.ts';
import type { Request } from './connection.ts';
import { statusError } from './errors.ts';
import { at, headerBytes, opcodes, sizeOf, statuses, writeRequest } from './protocol.ts';

/** Where a read is sent: what its answer depends on. */
export interface ReadPlace {
  readonly server: string;
  /** What versions of this server's present life begin with. */
  readonly epoch: string;
  nextOpaque(): number;
}

/** One `get` that waits for its tick to end, then for its reply. */
export class Read implements Request {
  readonly key: string;
  readonly #resolve: (found: Stored | undefined) => void;
  readonly #reject: (error: HotshelfError) => void;
  #place: ReadPlace | undefined;
  opcode: number = opcodes.getQuietly;
  opaque = 0;
  /** Set on the last of a batch. */
  onOver: ((error?: HotshelfError) => void) | undefined;

  constructor(key: string, resolve: (found: Stored | undefined) => void, reject: (error: HotshelfError) => void) {
    this.key = key;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  get quiet(): boolean {
    return this.opcode === opcodes.getQuietly;
  }

  sendTo(place: ReadPlace, opcode: number): void {
    this.#place = place;
    this.opcode = opcode;
    this.opaque = place.nextOpaque();
  }

  settle(reply: Buffer | undefined): boolean {
    const status = reply === undefined ? statuses.notFound : reply.readUInt16BE(at.status);
    if (reply === undefined || status === statuses.notFound) {
      this.#resolve(undefined);
    } else if (status === statuses.ok) {
      const before = reply.readUInt16BE(at.keyLength) + (reply[at.extrasLength] ?? 0);
      this.#resolve({
        bytes: reply.subarray(headerBytes + before),
        version: ((this.#place?.epoch ?? '') + reply.toString('hex', at.cas, headerBytes)) as Version,
      });
    } else {
      this.#reject(statusError(this.#place?.server ?? '', status));
    }
    this.onOver?.();
    return true;
  }

  fail(error: HotshelfError): void {
    this.#reject(error);
    this.onOver?.(error);
  }
}

/**
 * Returns the bytes that ask for all of `reads`.
 *
 * All but the last are quiet gets, which the server does not answer where it has nothing; the answer to the last one tells
 * that those are misses.
 */
export function encodeReads(reads: readonly Read[], place: ReadPlace): Buffer {
  let size = 0;
  for (const read of reads) size += sizeOf(read);
  const bytes = Buffer.allocUnsafe(size);
  const last = reads.at(-1);
  let start = 0;
  for (const read of reads) {
    read.sendTo(place, read === last ? opcodes.get : opcodes.getQuietly);
    start = writeRequest(bytes, start, read, read.opaque);
  }
  return bytes;
}
