/** What the core talks to: one object with a few facets, whichever server is behind it. */

import type { Bus } from './bus.ts';
import type { Counters } from './counters.ts';
import type { Limits } from './limits.ts';
import type { Rankings } from './rankings.ts';
import type { Uniques } from './uniques.ts';
import type { Values } from './values.ts';

export interface Facets {
  readonly values: Values;
  readonly counters: Counters;
  readonly limits: Limits;
  readonly rankings: Rankings;
  readonly uniques: Uniques;
  readonly bus: Bus;
}

export type FacetName = keyof Facets;

/** A backend: what it can do, how it is, and its end. */
export interface Backend extends Partial<Facets> {
  /** The adapter's name: `memory`, `redis` or `memcached`. */
  readonly name: string;
  /** Asks the server now. Never rejects. */
  health(): Promise<Health>;
  /** Calls `listener` when the state of the connection changes; the returned function ends that. */
  watch(listener: (event: BackendEvent) => void): () => void;
  /** Ends connections that the backend made; a client that was handed in stays open. Calls after it reject with `CLOSED`. */
  close(): Promise<void>;
}

/** A backend that certainly has the facets `Names`; asking for one that it lacks is a type error. */
export type BackendWith<Names extends FacetName> = Backend & Pick<Facets, Names>;

export interface Health {
  readonly ok: boolean;
  /** How long the answer took, in ms. */
  readonly latencyMs: number;
  /** Why it is not ok; never with credentials. */
  readonly reason?: string;
}

/** `server` is host and port of the one server that it is about, without credentials. */
export type BackendEvent =
  | { readonly type: 'down'; readonly server: string; readonly reason: string }
  | { readonly type: 'up'; readonly server: string }
  | { readonly type: 'warning'; readonly message: string };
