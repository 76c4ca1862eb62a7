/** Holds the keys that may decrypt, each under the id by which stored payloads name it; the first one encrypts. */

import { createHash, createSecretKey, type KeyObject } from 'node:crypto';
import { types } from 'node:util';
import { HotshelfError } from '../support/errors.ts';

/** 32 random bytes, as they are or as text in hex or base64: `openssl rand -base64 32` makes some. */
export type KeyMaterial = Uint8Array | string;

/** A key; with an id, or under one that is derived from it. */
export type EncryptionKey =
  | KeyMaterial
  | {
      readonly key: KeyMaterial;
      /** 1 to 16 bytes of UTF-8. It is stored in the clear, and must not change while entries are there. */
      readonly id: string;
    };

interface RingKey {
  readonly id: Buffer;
  readonly secret: KeyObject;
}

export interface KeyRing {
  readonly first: RingKey;
  /** The key with this id, given as latin1 text, or `undefined`. */
  find(id: string): KeyObject | undefined;
}

const keyBytes = 32;
const mostIdBytes = 16;

/** @throws {HotshelfError} `OPTION_INVALID`, which never shows any of a key. */
export function keyRing(keys: readonly EncryptionKey[]): KeyRing {
  const given: unknown = keys;
  if (!Array.isArray(given) || given.length === 0) {
    throw new HotshelfError('OPTION_INVALID', 'Expected `keys` of encrypted() to be an array of at least one key.');
  }
  const ring = Array.from(keys, ringKey);
  const [first] = ring;
  const byId = new Map<string, KeyObject>();
  for (const [index, { id, secret }] of ring.entries()) {
    const name = id.toString('latin1');
    if (byId.has(name)) throw invalid(index, 'to have an id of its own, but an earlier key has the same one');
    byId.set(name, secret);
  }
  if (first === undefined) throw invalid(0, 'to be a key');
  return { first, find: (id) => byId.get(id) };
}

function ringKey(given: EncryptionKey, index: number): RingKey {
  const shape: unknown = given;
  if (typeof shape !== 'object' || shape === null || types.isUint8Array(shape)) {
    const bytes = checkMaterial(shape, index);
    return { id: derivedId(bytes), secret: createSecretKey(bytes) };
  }
  const { key, id } = shape as { key?: unknown; id?: unknown };
  const bytes = checkMaterial(key, index);
  return { id: checkId(id, index), secret: createSecretKey(bytes) };
}

function checkMaterial(material: unknown, index: number): Uint8Array {
  if (types.isUint8Array(material)) {
    if (material.length === keyBytes) return material;
    throw invalid(index, `to be ${keyBytes} bytes, got ${material.length} bytes`);
  }
  // Not `describe`: it would show the text.
  if (typeof material !== 'string')
    throw invalid(index, `to be ${keyBytes} bytes or text, got a value of type ${typeof material}`);
  if (/^[\da-f]{64}$/i.test(material)) return Buffer.from(material, 'hex');
  if (/^(?:[\w+/-]{43}=?)$/.test(material)) return Buffer.from(material, 'base64');
  throw invalid(
    index,
    `to be ${keyBytes} bytes as 64 characters of hex or 44 of base64, got text of ${material.length} characters that is neither`,
  );
}

function checkId(id: unknown, index: number): Buffer {
  if (typeof id === 'string') {
    const bytes = Buffer.from(id, 'utf8');
    if (bytes.length >= 1 && bytes.length <= mostIdBytes && bytes.toString('utf8') === id) return bytes;
  }
  throw invalid(index, `to have an \`id\` that is text of 1 to ${mostIdBytes} bytes`);
}

/** Says which key it is, and nothing about it: 64 bits of a digest of 256 unknown ones. */
function derivedId(key: Uint8Array): Buffer {
  return createHash('sha256').update('hotshelf key id').update(key).digest().subarray(0, 8);
}

function invalid(index: number, expected: string): HotshelfError {
  return new HotshelfError(
    'OPTION_INVALID',
    `Expected \`keys[${index}]\` of encrypted() ${expected}. \`openssl rand -base64 32\` makes a key.`,
  );
}
