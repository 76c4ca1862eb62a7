/** Writes and reads what stands in a backend: a header that says what the bytes are, and the payload. */

import { crc32 } from 'node:zlib';
import { type Halves, hash64 } from '../support/hash64.ts';
import { type Extras, noExtras, readSections, unitBytes, writeSections } from './sections.ts';

export { tagsFit, tooManyTags } from './sections.ts';

/**
 * Format 1, big endian:
 *
 * | offset | bytes | content |
 * | --- | --- | --- |
 * | 0 | 2 | magic `9B 48` |
 * | 2 | 1 | format, 1 |
 * | 3 | 1 | length of the header in units of 16 bytes: 4 to 255 |
 * | 4 | 4 | CRC32 of everything after it, begun with the two bytes before it |
 * | 8 | 1 | kind: 1 entry, 2 lease, 3 hold, 4 stamp of a tag, 5 clock of the tags |
 * | 9 | 1 | codec |
 * | 10 | 1 | flags of the codec |
 * | 11 | 1 | reserved, 0: a reader treats anything else as unknown |
 * | 12 | 8 | fingerprint of the full key |
 * | 20 | 8 | scope: digest of the epochs of the namespace when the load began |
 * | 28 | 8 | written at, epoch ms (double) |
 * | 36 | 8 | ttl, ms (double) |
 * | 44 | 8 | grace, ms (double) |
 * | 52 | 4 | age when it was written, ms |
 * | 56 | 8 | the user's version (double), NaN for none |
 * | 64 | | sections, up to the header's length: see sections.ts; a reader skips those that it does not know |
 * | | | payload |
 */
const headerBytes = 64;
const magic = 0x9b48;
const formatNow = 1;

export const kinds = { entry: 1, lease: 2, hold: 3, stamp: 4, clock: 5 } as const;
export type KindName = keyof typeof kinds;

/** What a header says. */
export interface Header extends Extras {
  readonly kind: KindName;
  readonly codec: number;
  readonly flags: number;
  readonly writtenAt: number;
  readonly ttlMs: number;
  readonly graceMs: number;
  readonly ageMs: number;
  /** The version that the user gave to `set`, or `undefined`. */
  readonly userVersion: number | undefined;
}

export type HeaderInput = { readonly kind: KindName } & Partial<Header>;

export interface Opened extends Header {
  /** The full key under which it stood. */
  readonly key: string;
  readonly payload: Buffer;
  /** Two 32-bit halves of the scope digest. */
  readonly scopeA: number;
  readonly scopeB: number;
}

/** Why bytes are not used. */
export type Unusable = 'foreign' | 'format' | 'corrupt' | 'other key';

const halves: Halves = new Uint32Array(2);

/**
 * Returns the bytes to store under `key`.
 *
 * @throws {HotshelfError} `OPTION_INVALID` when the tags (see `tagsFit`) or the etag do not fit into a header.
 */
export function seal(key: string, scope: Halves, header: HeaderInput, payload: Uint8Array): Buffer {
  const sections = writeSections(header);
  const start = headerBytes + sections.length;
  const bytes = Buffer.allocUnsafe(start + payload.length);
  bytes.writeUInt16BE(magic, 0);
  bytes[2] = formatNow;
  bytes[3] = start / unitBytes;
  bytes[8] = kinds[header.kind];
  bytes[9] = header.codec ?? 0;
  bytes[10] = header.flags ?? 0;
  bytes[11] = 0;
  hash64(key, halves);
  bytes.writeUInt32BE(halves[0] ?? 0, 12);
  bytes.writeUInt32BE(halves[1] ?? 0, 16);
  bytes.writeUInt32BE(scope[0] ?? 0, 20);
  bytes.writeUInt32BE(scope[1] ?? 0, 24);
  bytes.writeDoubleBE(header.writtenAt ?? 0, 28);
  bytes.writeDoubleBE(header.ttlMs ?? 0, 36);
  bytes.writeDoubleBE(header.graceMs ?? 0, 44);
  bytes.writeUInt32BE(Math.min(header.ageMs ?? 0, 0xffffffff), 52);
  bytes.writeDoubleBE(header.userVersion ?? Number.NaN, 56);
  bytes.set(sections, headerBytes);
  bytes.set(payload, start);
  bytes.writeUInt32BE(checksum(bytes), 4);
  return bytes;
}

/** Returns what stands in `stored`, or why it is not to be used under `key`. Never throws. */
export function open(key: string, stored: Uint8Array): Opened | Unusable {
  const bytes = Buffer.isBuffer(stored) ? stored : Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
  if (bytes.length < 8 || bytes.readUInt16BE(0) !== magic) return 'foreign';
  const start = (bytes[3] ?? 0) * unitBytes;
  if (bytes[2] !== formatNow || start < headerBytes || bytes[11] !== 0) return 'format';
  if (bytes.length < start || checksum(bytes) !== bytes.readUInt32BE(4)) return 'corrupt';
  const kind = kindNames[bytes[8] ?? 0];
  if (kind === undefined) return 'format';
  hash64(key, halves);
  if (halves[0] !== bytes.readUInt32BE(12) || halves[1] !== bytes.readUInt32BE(16)) return 'other key';
  const extras = start === headerBytes ? noExtras : readSections(bytes, headerBytes, start);
  if (extras === undefined) return 'format';
  const userVersion = bytes.readDoubleBE(56);
  return {
    key,
    kind,
    codec: bytes[9] ?? 0,
    flags: bytes[10] ?? 0,
    writtenAt: bytes.readDoubleBE(28),
    ttlMs: bytes.readDoubleBE(36),
    graceMs: bytes.readDoubleBE(44),
    ageMs: bytes.readUInt32BE(52),
    userVersion: Number.isNaN(userVersion) ? undefined : userVersion,
    tags: extras.tags,
    era: extras.era,
    count: extras.count,
    etag: extras.etag,
    loadMs: extras.loadMs,
    payload: bytes.subarray(start),
    scopeA: bytes.readUInt32BE(20),
    scopeB: bytes.readUInt32BE(24),
  };
}

/** A changed length of the header must not pass: it would cut off the payload's beginning. */
function checksum(bytes: Buffer): number {
  return crc32(bytes.subarray(8), bytes.readUInt16BE(2));
}

const kindNames: readonly (KindName | undefined)[] = [undefined, 'entry', 'lease', 'hold', 'stamp', 'clock'];
