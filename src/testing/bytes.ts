/** Makes and compares bytes for the values suite. */

import assert from 'node:assert/strict';
import type { Stored } from '../backend/values.ts';

/** Bytes of a text. */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Fails unless `stored` has exactly the bytes of `expected`. */
export function expectBytes(stored: Stored | undefined, expected: Uint8Array | string): void {
  assert.ok(stored !== undefined, 'nothing is stored');
  const wanted = Buffer.from(typeof expected === 'string' ? bytesOf(expected) : expected);
  assert.ok(stored.bytes instanceof Uint8Array, 'bytes are a Uint8Array');
  if (wanted.equals(stored.bytes)) return;
  const found = Buffer.from(stored.bytes);
  assert.fail(
    `expected ${wanted.length} bytes ${wanted.toString('hex', 0, 20)}, got ${found.length}: ${found.toString('hex', 0, 20)}`,
  );
}
