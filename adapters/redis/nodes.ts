/** Says what the facets need of the servers, be it one or a cluster. */

import type { Health } from '../../src/backend/backend.ts';
import type { HotshelfError } from '../../src/support/errors.ts';
import type { Connection, Reply } from './client.ts';
import type { Lane } from './lane.ts';
import type { Arguments } from './written.ts';

/** Keys that one command can name, and the server that they live on. */
export interface Part {
  readonly lane: Lane;
  readonly keys: string[];
  /** Where the keys stood in the list that was split. */
  readonly places: number[];
}

export interface Nodes {
  /** What the client puts before every key. */
  readonly keyPrefix: string;
  /** The only server, where there is but one. */
  readonly only: Lane | undefined;
  /** A promise while it is not known yet which server holds which keys. */
  readonly starting: Promise<void> | undefined;
  /** Groups keys by what one command can name. `lost` hears of each key whose server is not known. */
  split(keys: readonly string[], lost: (place: number, error: HotshelfError) => void): Part[];
  /** Sends a command to the server of `key`, in one packet with all others of this tick; follows the slot if it moved. */
  run(key: string, name: string, args: Arguments): Promise<Reply>;
  /** Sends `name` with all keys, which names as few servers as possible; returns the replies. */
  runKeys(name: string, keys: readonly string[]): Promise<Reply[]>;
  /** Every server that holds keys. Rejects with `BACKEND_DOWN` while that of some slot is not known. */
  masters(): Promise<readonly Lane[]>;
  /** Publishes a message on the server through which all messages go; returns how many connections it was given to. */
  publish(topic: string, message: string): Promise<Reply>;
  /** Makes one more connection to that server, not yet connected. `attempt` is above 0 when one was lost or failed before. */
  connection(attempt: number, overrides: Readonly<Record<string, unknown>>): Connection | undefined;
  /** False if messages go through another server than that of a connection that was made here. Asks the server itself. */
  isMeetingPoint(connection: Connection): Promise<boolean>;
  health(): Promise<Health>;
  close(): Promise<void>;
}
