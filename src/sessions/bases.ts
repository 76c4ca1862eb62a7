/** Keeps with the object of a request what it started from, where nobody else sees it. */

import type { Compared } from './merge.ts';
import type { State } from './state.ts';

/** What the object of a request started from: changes are what differs from it. */
export interface Base {
  /** Whose sessions it is one of: an object may be handed from one store to another. */
  readonly home: object;
  readonly sid: string;
  /** What the object agreed with when it was loaded or last saved. */
  readonly local: Compared;
  readonly state: State;
}

export function baseIn(object: object): Base | undefined {
  return Noted.baseIn(object);
}

export function keepBase(object: object, base: Base): void {
  Noted.keep(object, base);
}

// oxlint-disable-next-line typescript/no-extraneous-class -- what a constructor returns is what its heirs add to
class Itself {
  constructor(object: object) {
    return object;
  }
}

/**
 * Adds a private field to an object that is there already. A WeakMap keeps whatever was in it alive until the next full
 * collection of garbage, which costs a request more than all the rest.
 */
class Noted extends Itself {
  #base: Base | undefined;

  static baseIn(object: object): Base | undefined {
    return #base in object ? object.#base : undefined;
  }

  static keep(object: object, base: Base): void {
    const noted = #base in object ? object : new Noted(object);
    noted.#base = base;
  }
}
