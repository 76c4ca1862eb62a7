/** One stored state of a session, as it was seen: what a request that changes the session starts from. */

import type { Version } from '../backend/values.ts';
import type { Fields } from './content.ts';
import type { SessionKeys } from './keys.ts';
import type { Found } from './record.ts';

export interface State {
  readonly keys: SessionKeys;
  /** `undefined` if it is in another store, from which it is taken over when it is written. */
  readonly version: Version | undefined;
  readonly found: Found;
}

/**
 * Returns what was found, with fields that are decoded anew when somebody asks for them: those that were decoded first are in the
 * hands of a request that may change them, and most requests never ask.
 */
export function untouched(found: Found, decode: () => Fields): Found {
  const { cookie, createdAt, owner, listedUntil } = found.record;
  let fields: Fields | undefined;
  const record = {
    cookie,
    createdAt,
    owner,
    listedUntil,
    get fields() {
      fields ??= decode();
      return fields;
    },
  };
  return { ...found, record };
}
