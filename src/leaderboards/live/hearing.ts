/** Hears that a board has changed, and keeps listening whatever fails. */

import type { Bus, Subscription } from '../../backend/bus.ts';
import type { Clock, Timer } from '../../support/clock.ts';
import { HotshelfError } from '../../support/errors.ts';

export interface HearingParts {
  readonly bus: Bus;
  readonly topic: string;
  readonly clock: Clock;
  /** Something may have changed: it was said, or might have been while nobody could hear it. */
  readonly onChange: () => void;
  /** Nothing is heard from now on, until `onChange` is called the next time. */
  readonly onLost: () => void;
  /** Listening failed with `error`, and will be tried again. */
  readonly onProblem: (error: unknown) => void;
}

const firstRetryMs = 100;
const lastRetryMs = 5000;

export class Hearing {
  readonly #parts: HearingParts;
  #subscription: Subscription | undefined;
  #timer: Timer | undefined;
  #closed = false;
  #live = false;

  constructor(parts: HearingParts) {
    this.#parts = parts;
    void this.#subscribe(firstRetryMs);
  }

  /** True while changes are heard, for all that is known. */
  get live(): boolean {
    return this.#live;
  }

  close(): void {
    this.#closed = true;
    this.#live = false;
    this.#timer?.cancel();
    this.#subscription?.close().catch(() => {});
  }

  async #subscribe(retryMs: number): Promise<void> {
    const { bus, topic } = this.#parts;
    try {
      const subscription = await bus.subscribe(topic, () => this.#changed(), {
        onGap: (state) => this.#gap(state),
      });
      this.#subscription = subscription;
      if (this.#closed) await subscription.close();
      else this.#gap('restored');
    } catch (error) {
      this.#again(error, retryMs);
    }
  }

  #changed(): void {
    if (!this.#closed) this.#parts.onChange();
  }

  #gap(state: 'lost' | 'restored'): void {
    if (this.#closed) return;
    this.#live = state === 'restored';
    if (this.#live) this.#parts.onChange();
    else this.#parts.onLost();
  }

  #again(error: unknown, ms: number): void {
    if (this.#closed || (error instanceof HotshelfError && error.code === 'CLOSED')) return;
    const { clock, onProblem } = this.#parts;
    onProblem(error);
    const jitteredMs = ms * (0.5 + clock.random() / 2);
    this.#timer = clock.after(jitteredMs, () => void this.#subscribe(Math.min(ms * 2, lastRetryMs)), {
      background: true,
    });
  }
}
