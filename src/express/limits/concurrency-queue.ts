/** Lets requests wait in line for a place: who comes first is served first, and nobody waits for ever. */

import type { Denial, Held, Places } from '../../limits/places.ts';
import type { Clock, Timer } from '../../support/clock.ts';

export interface QueueRules {
  readonly places: Places;
  readonly clock: Clock;
  /** How many may wait under a key. */
  readonly size: number;
  readonly waitMs: number;
  /** How many places there are now. */
  readonly max: () => number;
}

/** So often it is asked for a place that another process may have released. */
const pollMs = 25;

/** A place goes so often from one request to the next; then those in other processes may get it. */
const handovers = 16;

interface Waiter {
  readonly end: (outcome: Held | Denial) => void;
}

interface Line {
  readonly waiters: Set<Waiter>;
  asking: boolean;
  timer: Timer | undefined;
}

export class PlaceQueue {
  readonly #rules: QueueRules;
  readonly #lines = new Map<string, Line>();

  constructor(rules: QueueRules) {
    this.#rules = rules;
  }

  /**
   * Returns a place, or why there is none.
   *
   * @param onLeave calls what it gets when the request is gone
   */
  async take(key: string, onLeave: (leave: () => void) => void): Promise<Held | Denial> {
    const { places, size, max } = this.#rules;
    if (!this.#lines.has(key)) {
      const outcome = await places.take(key, max());
      if (typeof outcome === 'object') return this.#passable(key, outcome, 0);
      if (outcome === 'down' || size === 0) return outcome;
    }
    const line = this.#lineOf(key);
    if (line.waiters.size >= size) return 'full';
    return new Promise((resolve) => this.#wait(key, line, resolve, onLeave));
  }

  #wait(key: string, line: Line, resolve: Waiter['end'], onLeave: (leave: () => void) => void): void {
    const timer = this.#rules.clock.after(this.#rules.waitMs, () => waiter.end('full'), { background: true });
    const waiter: Waiter = {
      end: (outcome) => {
        if (!line.waiters.delete(waiter)) return;
        timer.cancel();
        if (line.waiters.size === 0) this.#close(key, line);
        resolve(outcome);
      },
    };
    line.waiters.add(waiter);
    onLeave(() => waiter.end('full'));
    this.#pollLater(key, line);
  }

  /** A place that goes to the next in line when it is released. */
  #passable(key: string, held: Held, passed: number): Held {
    let released = false;
    return {
      release: () => {
        if (released) return;
        released = true;
        this.#pass(key, held, passed);
      },
    };
  }

  #pass(key: string, held: Held, passed: number): void {
    const { places, max } = this.#rules;
    const line = this.#lines.get(key);
    const next = first(line);
    if (next !== undefined && passed < handovers && places.heldHere(key) <= max()) {
      next.end(this.#passable(key, held, passed + 1));
      return;
    }
    held.release();
    if (line !== undefined && passed < handovers) void this.#ask(key, line);
  }

  async #ask(key: string, line: Line): Promise<void> {
    if (line.asking) return;
    line.asking = true;
    try {
      while (line.waiters.size > 0) {
        const outcome = await this.#rules.places.take(key, this.#rules.max());
        if (typeof outcome !== 'object') break;
        const place = this.#passable(key, outcome, 0);
        const next = first(line);
        if (next === undefined) place.release();
        else next.end(place);
      }
    } catch {
      // At the next time again.
    } finally {
      line.asking = false;
    }
    if (line.waiters.size > 0) this.#pollLater(key, line);
  }

  #pollLater(key: string, line: Line): void {
    if (line.timer !== undefined) return;
    const { clock } = this.#rules;
    line.timer = clock.after(
      pollMs * (0.75 + clock.random() / 2),
      () => {
        line.timer = undefined;
        void this.#ask(key, line);
      },
      { background: true },
    );
  }

  #lineOf(key: string): Line {
    let line = this.#lines.get(key);
    if (line === undefined) this.#lines.set(key, (line = { waiters: new Set(), asking: false, timer: undefined }));
    return line;
  }

  #close(key: string, line: Line): void {
    line.timer?.cancel();
    line.timer = undefined;
    if (this.#lines.get(key) === line) this.#lines.delete(key);
  }
}

function first(line: Line | undefined): Waiter | undefined {
  return line?.waiters.values().next().value;
}
