/** Knows the loads that this process is doing, and who may join one. */

import { type Sight, tokenOf } from '../read/decide.ts';
import type { Found } from '../lookup.ts';
import type { Tick } from '../tags/stamp.ts';

/** One load, or one wait for somebody else's load, that several callers share. */
export interface Flight {
  /** The place of this flight in the order in which reads and flights of this process began. */
  readonly order: number;
  /** The `timeout.hard` of who began it, in ms. */
  readonly limitMs: number;
  /** What the backend shows under the key while this flight is on. */
  token: string | undefined;
  /** The tags of what was loaded, and the instant before; set when the outcome is there. */
  tags: readonly string[];
  at: Tick | undefined;
  outcome: Promise<Found>;
}

/** A flight that a caller may share; with `byToken` only if the tags of its value still hold when it is there. */
export interface Joinable {
  readonly flight: Flight;
  readonly byToken: boolean;
}

export class Flights {
  readonly #flights = new Map<string, Flight>();
  #order = 0;

  /** The place of a read that begins now: every flight that begins later has a larger one. */
  get now(): number {
    return this.#order;
  }

  /**
   * Returns a flight whose value a caller may take: one whose value is certainly from after every invalidation that was
   * confirmed before the caller began.
   *
   * That is so if the flight itself began after the caller; or if the caller saw, in a read of its own, the very lease, hold
   * or stale entry under which the flight loads: it would be gone if there had been an invalidation since the load began. That
   * does not go for tags, which leave things where they are.
   */
  joinable(key: string, startedAt: number, sight: Sight): Joinable | undefined {
    const flight = this.#flights.get(key);
    if (flight === undefined) return undefined;
    if (flight.order > startedAt) return { flight, byToken: false };
    const token = tokenOf(sight);
    return token !== undefined && token === flight.token ? { flight, byToken: true } : undefined;
  }

  /** Registers a flight; `fly` runs at once, and the flight can be joined until `fly` called its second argument. */
  begin(key: string, limitMs: number, fly: (flight: Flight, landed: () => void) => Promise<Found>): Flight {
    this.#order += 1;
    const flight: Flight = { order: this.#order, limitMs, token: undefined, tags: [], at: undefined, outcome: unset };
    this.#flights.set(key, flight);
    flight.outcome = fly(flight, () => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    });
    return flight;
  }
}

const unset = new Promise<Found>(() => {});
