/** Makes the versions that stand before every stored value: eight random bytes. */

import { randomFillSync } from 'node:crypto';
import type { Stored, Version } from '../../src/backend/values.ts';

export const versionBytes = 8;

const pool = Buffer.allocUnsafeSlow(8192);
let used = pool.length;

/** Returns what to store for `bytes`, with the version that names it. */
export function stamped(bytes: Uint8Array): { readonly data: Buffer; readonly version: Version } {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const data = Buffer.allocUnsafe(versionBytes + bytes.length);
  pool.copy(data, 0, used, used + versionBytes);
  used += versionBytes;
  data.set(bytes, versionBytes);
  return { data, version: versionOf(data) };
}

/** Reads what is stored. A value that somebody else wrote is named by its first bytes, as long as it has any. */
export function readStored(data: Buffer): Stored {
  return { bytes: data.subarray(versionBytes), version: versionOf(data) };
}

/** The bytes of a version, to be compared on the server. */
export function versionData(version: Version): Buffer {
  return Buffer.from(String(version), 'latin1');
}

function versionOf(data: Buffer): Version {
  if (data.length < versionBytes) return data.toString('latin1') as Version;
  // A third of the time of `toString`.
  return String.fromCharCode(
    data[0] ?? 0,
    data[1] ?? 0,
    data[2] ?? 0,
    data[3] ?? 0,
    data[4] ?? 0,
    data[5] ?? 0,
    data[6] ?? 0,
    data[7] ?? 0,
  ) as Version;
}
