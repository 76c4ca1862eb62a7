/** Envelopes to test with, and what opens and changes them. */

import { crc32 } from 'node:zlib';
import { open, type Opened } from '../../src/codec/envelope.ts';

export const key = 'hs:city:#7';
export const scope = new Uint32Array([0x01020304, 0xf5060708]);
export const header = {
  kind: 'entry',
  codec: 1,
  flags: 1,
  writtenAt: 1_700_000_000_000.5,
  ttlMs: 60_000,
  graceMs: 1000,
  ageMs: 250,
  userVersion: 3,
} as const;
export const noExtras = { tags: [], era: 0, count: 0, etag: undefined, loadMs: 0 };
export const tagged = { ...header, tags: ['hs=tag:city', 'hs=tag:france'], era: 1_700_000_000_000, count: 12 } as const;
export const payload = Buffer.from('{"id":7,"name":"Nice"}');

/** Opens what must be usable. */
export function opened(bytes: Uint8Array, under = key): Opened {
  const result = open(under, bytes);
  if (typeof result === 'string') throw new Error(`unusable: ${result}`);
  return result;
}

/** Puts the checksum right again, as a writer of another version would. */
export function resealed(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32(bytes.subarray(8), bytes.readUInt16BE(2)), 4);
  return bytes;
}
