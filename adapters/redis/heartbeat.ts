/** Asks a connection again and again whether it is still there, and how long ago it certainly was. */

import { afterAwake } from '../../src/support/awake.ts';
import type { Clock, Timer } from '../../src/support/clock.ts';

export interface HeartbeatOptions {
  readonly clock: Clock;
  /** How often to ask, in ms; may change. */
  readonly everyMs: () => number;
  /** Sends the question, on the way that messages take; resolves with the answer. */
  readonly ask: () => Promise<unknown>;
  /** Called once when there is no answer; nothing is asked after that. */
  readonly onSilence: (problem: string) => void;
}

/** An answer may take twice the interval, but no longer and no shorter than this, in ms. */
const mostPatienceMs = 400;
const leastPatienceMs = 100;

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #timer: Timer | undefined;
  #asking = false;
  #again = false;
  #stopped = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** Asks now, or as soon as the question before was answered; from then on as often as wanted. */
  beat(): void {
    if (this.#stopped) return;
    if (this.#asking) {
      this.#again = true;
      return;
    }
    const { clock, everyMs, ask } = this.#options;
    this.#timer?.cancel();
    this.#asking = true;
    this.#again = false;
    const sentAt = clock.monotonic();
    const withinMs = Math.max(leastPatienceMs, Math.min(mostPatienceMs, 2 * everyMs()));
    const silent = () => this.#silent(`no answer within ${withinMs} ms`);
    this.#timer = afterAwake(clock, withinMs, silent);
    ask().then(() => this.#answered(sentAt), silent);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #answered(sentAt: number): void {
    if (this.#stopped) return;
    this.#asking = false;
    this.#timer?.cancel();
    const { clock, everyMs } = this.#options;
    const waitMs = Math.max(0, sentAt + everyMs() - clock.monotonic());
    if (this.#again) this.beat();
    else this.#timer = clock.after(waitMs, () => this.beat(), { background: true });
  }

  #silent(problem: string): void {
    if (this.#stopped) return;
    this.stop();
    this.#options.onSilence(problem);
  }
}
