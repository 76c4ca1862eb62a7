/** Keeps listening to a topic, whatever fails: subscribes until it succeeds, and says hello before any probe counts. */

import type { Bus, Subscription } from '../../backend/bus.ts';
import type { Clock, Timer } from '../../support/clock.ts';
import { HotshelfError } from '../../support/errors.ts';

export interface ListeningParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly topic: string;
  /** Published at the beginning and after each gap. */
  readonly hello: string;
  /** Published at the end. */
  readonly bye: string;
  readonly probeEveryMs: number;
  readonly onMessage: (text: string) => void;
  readonly onGap: (state: 'lost' | 'restored') => void;
  readonly onProbe: (sentAgoMs: number) => void;
  /** Something failed with `error`, and will be tried again. */
  readonly onProblem: (error: unknown) => void;
}

const firstRetryMs = 100;
const lastRetryMs = 5000;

export class Listening {
  readonly #parts: ListeningParts;
  #subscription: Subscription | undefined;
  #joined = false;
  /** Changes with each gap: a hello that was on its way then counts no more. */
  #period = 0;
  #timer: Timer | undefined;
  #closed = false;

  constructor(parts: ListeningParts) {
    this.#parts = parts;
    void this.#subscribe(firstRetryMs);
  }

  /** True while messages are heard and all other listeners were told so. */
  get joined(): boolean {
    return this.#joined;
  }

  async close(): Promise<void> {
    const wasJoined = this.#joined;
    this.#closed = true;
    this.#joined = false;
    this.#period += 1;
    this.#timer?.cancel();
    await this.#subscription?.close();
    if (wasJoined) await this.#parts.bus.publish(this.#parts.topic, this.#parts.bye).catch(() => {});
  }

  async #subscribe(retryMs: number): Promise<void> {
    const { bus, topic, onMessage, onProbe, probeEveryMs } = this.#parts;
    const hear = (text: string) => {
      if (!this.#closed) onMessage(text);
    };
    try {
      const subscription = await bus.subscribe(topic, hear, {
        onGap: (state) => this.#gap(state),
        onProbe: (sentAgoMs) => {
          if (this.#joined) onProbe(sentAgoMs);
        },
        probeEveryMs,
      });
      if (this.#closed) await subscription.close();
      this.#subscription = subscription;
    } catch (error) {
      this.#again(error, retryMs, (nextMs) => this.#subscribe(nextMs));
      return;
    }
    await this.#join(this.#period, firstRetryMs);
  }

  async #join(period: number, retryMs: number): Promise<void> {
    if (this.#closed || period !== this.#period) return;
    try {
      await this.#parts.bus.publish(this.#parts.topic, this.#parts.hello);
      if (period === this.#period) this.#joined = true;
    } catch (error) {
      if (period === this.#period) this.#again(error, retryMs, (nextMs) => this.#join(period, nextMs));
    }
  }

  #gap(state: 'lost' | 'restored'): void {
    if (this.#closed) return;
    this.#joined = false;
    this.#period += 1;
    this.#parts.onGap(state);
    if (state === 'restored') void this.#join(this.#period, firstRetryMs);
  }

  #again(error: unknown, ms: number, work: (nextMs: number) => Promise<void>): void {
    if (this.#closed) return;
    const { clock, onProblem } = this.#parts;
    onProblem(error);
    if (error instanceof HotshelfError && error.code === 'CLOSED') return;
    const jitteredMs = ms * (0.5 + clock.random() / 2);
    this.#timer?.cancel();
    this.#timer = clock.after(jitteredMs, () => void work(Math.min(ms * 2, lastRetryMs)), { background: true });
  }
}
