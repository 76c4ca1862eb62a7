/** Says who holds a key or a tag, and which of the holders live. */

import type { Stored, Values } from '../../backend/values.ts';
import { open } from '../../codec/envelope.ts';
import { readHold } from '../read/decide.ts';

/** Returns the key that is there while `holder` lives. */
export function lifeKeyOf(prefix: string, holder: string): string {
  return `${prefix}!hold:${holder}`;
}

/** Returns those of `holders` who live. Rejects as the backend does. */
export async function living(values: Values, prefix: string, holders: readonly string[]): Promise<readonly string[]> {
  if (holders.length === 0) return [];
  const alive = await values.getMany(holders.map((holder) => lifeKeyOf(prefix, holder)));
  return holders.filter((_, index) => alive[index] !== undefined);
}

/** Returns the holders in the marker that `stored` is, or `undefined` if it is none. */
export function holdersOf(key: string, stored: Stored | undefined): readonly string[] | undefined {
  if (stored === undefined) return undefined;
  const opened = open(key, stored.bytes);
  return typeof opened === 'object' && opened.kind === 'hold' ? readHold(opened.payload).holders : undefined;
}
