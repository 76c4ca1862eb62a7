/** The numbers of Memcached's binary protocol, and how its requests look. */

import { checkLifetime } from '../../src/backend/check.ts';

export const opcodes = {
  get: 0x00,
  set: 0x01,
  add: 0x02,
  replace: 0x03,
  delete: 0x04,
  increment: 0x05,
  decrement: 0x06,
  getQuietly: 0x09,
  noop: 0x0a,
  stat: 0x10,
  touch: 0x1c,
  login: 0x21,
} as const;

export const statuses = {
  ok: 0x00,
  notFound: 0x01,
  exists: 0x02,
  tooLarge: 0x03,
  notStored: 0x05,
  noNumber: 0x06,
  loginRefused: 0x20,
  unknownCommand: 0x81,
} as const;

export const headerBytes = 24;
const requestMagic = 0x80;
export const replyMagic = 0x81;

/** A reply as memjs parses it. */
export interface Reply {
  readonly header: { readonly opcode: number; readonly status: number; readonly cas: Buffer };
  readonly key: Buffer;
  readonly extras: Buffer;
  readonly val: Buffer;
}

/** Where a header holds what. */
export const at = { opcode: 1, keyLength: 2, extrasLength: 4, status: 6, bodyLength: 8, opaque: 12, cas: 16 } as const;

const longestRelativeSeconds = 30 * 86_400;

/**
 * Returns the number that makes Memcached keep something for `ttlMs` at least, and two seconds more at most.
 *
 * Memcached counts whole seconds: what is stored for n lives between n - 1 and n. It reads a number above 30 days as a
 * unix time, so that a longer lifetime is as exact as the clocks of the two machines agree.
 */
export function expiration(ttlMs: number, now: number): number {
  checkLifetime(ttlMs);
  if (ttlMs === Infinity) return 0;
  const seconds = Math.ceil(ttlMs / 1000) + 1;
  return seconds > longestRelativeSeconds ? Math.floor(now / 1000) + seconds : seconds;
}

/** What a request is made of. */
export interface RequestParts {
  readonly opcode: number;
  readonly key: string;
  readonly extras?: Uint8Array | undefined;
  readonly value?: Uint8Array | undefined;
  /** The CAS id that the request depends on, in hexadecimal. */
  readonly cas?: string | undefined;
}

/** How many bytes a request takes. */
export function sizeOf({ key, extras, value }: RequestParts): number {
  return headerBytes + (extras?.length ?? 0) + key.length + (value?.length ?? 0);
}

/**
 * Writes a request into `bytes` and returns where it ends. Its key is ASCII.
 *
 * memjs has a function for this as well, which makes five buffers a request, two of them outside the pool: that alone cost
 * more than everything else about a set.
 */
export function writeRequest(bytes: Buffer, start: number, parts: RequestParts, opaque: number): number {
  const { opcode, key, extras, value, cas } = parts;
  const extrasLength = extras?.length ?? 0;
  const end = start + sizeOf(parts);
  bytes[start] = requestMagic;
  bytes[start + at.opcode] = opcode;
  bytes.writeUInt16BE(key.length, start + at.keyLength);
  bytes[start + at.extrasLength] = extrasLength;
  bytes.fill(0, start + at.extrasLength + 1, start + at.bodyLength);
  bytes.writeUInt32BE(end - start - headerBytes, start + at.bodyLength);
  bytes.writeUInt32BE(opaque, start + at.opaque);
  if (cas === undefined) bytes.fill(0, start + at.cas, start + headerBytes);
  else bytes.write(cas, start + at.cas, 'hex');
  if (extras !== undefined) bytes.set(extras, start + headerBytes);
  bytes.write(key, start + headerBytes + extrasLength, 'latin1');
  if (value !== undefined) bytes.set(value, end - value.length);
  return end;
}

/** Returns one request by itself. */
export function encodeRequest(parts: RequestParts, opaque: number): Buffer {
  const bytes = Buffer.allocUnsafe(sizeOf(parts));
  writeRequest(bytes, 0, parts, opaque);
  return bytes;
}

/** The extras of set, add and replace: no flags, and the lifetime. */
export function storeExtras(ttlMs: number, now: number): Buffer {
  const extras = Buffer.allocUnsafe(8).fill(0, 0, 4);
  extras.writeUInt32BE(expiration(ttlMs, now), 4);
  return extras;
}

/** The extras of touch. */
export function touchExtras(ttlMs: number, now: number): Buffer {
  const extras = Buffer.allocUnsafe(4);
  extras.writeUInt32BE(expiration(ttlMs, now), 0);
  return extras;
}

/** With this in place of a lifetime, increment and decrement create nothing. */
export const neverCreate = 0xffff_ffff;

/** The extras of increment and decrement: 64-bit numbers, which memjs writes with 32 bits. */
export function countExtras(delta: number, initial: number, expires: number): Buffer {
  const extras = Buffer.allocUnsafe(20);
  extras.writeBigUInt64BE(BigInt(delta), 0);
  extras.writeBigUInt64BE(BigInt(initial), 8);
  extras.writeUInt32BE(expires, 16);
  return extras;
}
