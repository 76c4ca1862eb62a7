/** Keeps one stored state of a session as it was seen, and reads it again for whoever needs what nobody has touched. */

import type { Version } from '../backend/values.ts';
import type { SessionKeys } from './keys.ts';
import type { Found } from './record.ts';

/** What a request that changes the session starts from. */
export class State {
  readonly keys: SessionKeys;
  /** `undefined` if it is in another store, from which it is taken over when it is written. */
  readonly version: Version | undefined;
  readonly #read: () => Found;
  #found: Found | undefined;

  /** @param read decodes the stored bytes anew: what was decoded before is in the hands of a request that may change it */
  constructor(keys: SessionKeys, version: Version | undefined, read: () => Found) {
    this.keys = keys;
    this.version = version;
    this.#read = read;
  }

  get found(): Found {
    this.#found ??= this.#read();
    return this.#found;
  }
}
