/** Keeps listening to a topic, whatever fails: subscribes until it succeeds, and says hello before a probe counts. */

import type { Bus, Subscription } from '../../backend/bus.ts';
import type { Clock, Timer } from '../../support/clock.ts';
import { HotshelfError } from '../../support/errors.ts';

export interface ListeningParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly topic: string;
  /** Published at the beginning, after each gap, and whenever it is asked for. */
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
  #live = false;
  /** How many hellos are owed since ever; one that was sent later pays for all. */
  #owed = 0;
  #greeting = false;
  /** Monotonic time, in ms, from which on probes count; `Infinity` while a hello is owed. */
  #greetedAt = Infinity;
  #timer: Timer | undefined;
  #closed = false;

  constructor(parts: ListeningParts) {
    this.#parts = parts;
    void this.#subscribe(firstRetryMs);
  }

  /** True while messages are heard, for all that is known. */
  get live(): boolean {
    return this.#live;
  }

  /** Says hello again. A probe that was sent before that is done counts no more. */
  greet(): void {
    this.#owed += 1;
    this.#greetedAt = Infinity;
    if (!this.#greeting) void this.#sayHello(firstRetryMs);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#live = false;
    this.#timer?.cancel();
    if (this.#subscription === undefined) return;
    await this.#subscription.close();
    await this.#parts.bus.publish(this.#parts.topic, this.#parts.bye).catch(() => {});
  }

  async #subscribe(retryMs: number): Promise<void> {
    const { bus, topic, onMessage, probeEveryMs } = this.#parts;
    const hear = (text: string) => {
      if (!this.#closed) onMessage(text);
    };
    try {
      this.#subscription = await bus.subscribe(topic, hear, {
        onGap: (state) => this.#gap(state),
        onProbe: (sentAgoMs) => this.#probed(sentAgoMs),
        probeEveryMs,
      });
    } catch (error) {
      this.#again(error, retryMs, (nextMs) => this.#subscribe(nextMs));
      return;
    }
    if (this.#closed) {
      await this.#subscription.close();
      return;
    }
    this.#live = true;
    this.greet();
  }

  async #sayHello(retryMs: number): Promise<void> {
    if (this.#closed) return;
    this.#greeting = true;
    const owed = this.#owed;
    try {
      await this.#parts.bus.publish(this.#parts.topic, this.#parts.hello);
    } catch (error) {
      this.#again(error, retryMs, (nextMs) => this.#sayHello(nextMs));
      return;
    }
    this.#greeting = false;
    if (owed === this.#owed) this.#greetedAt = this.#parts.clock.monotonic();
    else await this.#sayHello(firstRetryMs);
  }

  #probed(sentAgoMs: number): void {
    const { clock, onProbe } = this.#parts;
    if (this.#live && clock.monotonic() - sentAgoMs >= this.#greetedAt) onProbe(sentAgoMs);
  }

  #gap(state: 'lost' | 'restored'): void {
    if (this.#closed) return;
    this.#live = state === 'restored';
    this.#parts.onGap(state);
    if (this.#live) this.greet();
  }

  #again(error: unknown, ms: number, work: (nextMs: number) => Promise<void>): void {
    if (this.#closed) return;
    const { clock, onProblem } = this.#parts;
    onProblem(error);
    if (error instanceof HotshelfError && error.code === 'CLOSED') return;
    const jitteredMs = ms * (0.5 + clock.random() / 2);
    this.#timer = clock.after(jitteredMs, () => void work(Math.min(ms * 2, lastRetryMs)), { background: true });
  }
}
