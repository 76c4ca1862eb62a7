/** Knows the loads that this process is doing, and who may join one. */

import type { Sight } from './decide.ts';
import type { Found } from './lookup.ts';

/** One load, or one wait for somebody else's load, that several callers share. */
export interface Flight {
  /** The place of this flight in the order in which reads and flights of this process began. */
  readonly order: number;
  /** What the backend shows under the key while this flight is on. */
  token: string | undefined;
  outcome: Promise<Found>;
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
   * That is so if the flight itself began after the caller; or if the caller saw, in a read of its own, the very lease or
   * hold under which the flight loads: it would be gone if there had been an invalidation since the load began.
   */
  joinable(key: string, startedAt: number, sight: Sight): Flight | undefined {
    const flight = this.#flights.get(key);
    if (flight === undefined) return undefined;
    if (flight.order > startedAt) return flight;
    if (sight.kind !== 'leased' && sight.kind !== 'held') return undefined;
    return sight.token !== undefined && sight.token === flight.token ? flight : undefined;
  }

  /** Registers a flight; `fly` runs at once, and the flight can be joined until `fly` called its second argument. */
  begin(key: string, fly: (flight: Flight, landed: () => void) => Promise<Found>): Flight {
    this.#order += 1;
    const flight: Flight = { order: this.#order, token: undefined, outcome: unset };
    this.#flights.set(key, flight);
    flight.outcome = fly(flight, () => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    });
    return flight;
  }
}

const unset = new Promise<Found>(() => {});
