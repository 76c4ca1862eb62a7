/** One stored state of a session, as it was seen: what a request that changes the session starts from. */

import type { Version } from '../backend/values.ts';
import type { SessionKeys } from './keys.ts';
import type { Found } from './record.ts';

export interface State {
  readonly keys: SessionKeys;
  /** `undefined` if it is in another store, from which it is taken over when it is written. */
  readonly version: Version | undefined;
  readonly found: Found;
}
