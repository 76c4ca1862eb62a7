/** Tells other processes that a board has changed, not more often than they want to know. */

import type { Bus } from '../../backend/bus.ts';
import type { Clock, Timer } from '../../support/clock.ts';
import { HotshelfError } from '../../support/errors.ts';

export interface PulseParts {
  readonly bus: Bus;
  readonly topic: string;
  readonly everyMs: number;
  readonly clock: Clock;
}

/** What is said has no content: who hears it looks for himself. */
const changed = '1';

export class Pulse {
  readonly #parts: PulseParts;
  #timer: Timer | undefined;
  #owed = false;
  #closed = false;

  constructor(parts: PulseParts) {
    this.#parts = parts;
  }

  /** Something has changed: says so at once, or when `everyMs` have passed since it was said last. */
  beat(): void {
    this.#owed = true;
    if (this.#timer === undefined && !this.#closed) this.#tell();
  }

  /** Says what is owed, and nothing after that. */
  close(): void {
    this.#timer?.cancel();
    if (this.#owed && !this.#closed) void this.#publish();
    this.#closed = true;
  }

  #tell(): void {
    const { clock, everyMs } = this.#parts;
    void this.#publish();
    const next = () => {
      this.#timer = undefined;
      if (this.#owed) this.beat();
    };
    this.#timer = clock.after(everyMs, next, { background: true });
  }

  /** What could not be said is owed still. */
  async #publish(): Promise<void> {
    const { bus, topic } = this.#parts;
    this.#owed = false;
    try {
      await bus.publish(topic, changed);
    } catch (error) {
      const isOver = this.#closed || (error instanceof HotshelfError && error.code === 'CLOSED');
      if (!isOver) this.beat();
    }
  }
}
