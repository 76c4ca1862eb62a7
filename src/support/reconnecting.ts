/** Says how long an attempt to connect may take, and how long to wait before the next one. */

import { afterAwake } from './awake.ts';
import type { Clock, Timer } from './clock.ts';

/** An attempt may go so many times as long without getting ahead as the last connection took, and never less than that, in ms. */
const patienceFactor = 3;
const leastPatienceMs = 250;
/** Every n-th attempt in vain is given twice the time. */
const morePatienceEvery = 3;
/** So often an attempt is looked at, in ms. */
const lookEveryMs = 50;

const firstBackoffMs = 25;
const mostBackoffMs = 200;

/** An attempt to connect. */
export interface Attempt {
  /** Changes whenever the other side was heard of. */
  readonly progress: () => unknown;
  /** Ends the attempt; `ms` is for how long nothing came of it. */
  readonly giveUp: (ms: number) => void;
}

/**
 * How long to wait for a connection.
 *
 * Nobody knows how long the first one takes: it is given `mostMs`. After that, an attempt that was begun while the network
 * swallowed everything must not be waited for when the network has healed: a new one would be through at once. So an attempt
 * that does not get ahead is given up early. Now and then one is given twice the time, so that a server that has become slow
 * is not taken for one that is gone.
 */
export class Patience {
  readonly #clock: Clock;
  readonly #mostMs: number;
  #lastTookMs: number | undefined;
  #inVain = 0;

  constructor(clock: Clock, mostMs: number) {
    this.#clock = clock;
    this.#mostMs = mostMs;
  }

  /** True once it is known how long a connection takes. */
  get isInformed(): boolean {
    return this.#lastTookMs !== undefined;
  }

  /** Watches an attempt until it is given up or the timer is cancelled. */
  watch({ progress, giveUp }: Attempt): Timer {
    const silenceMs = this.#silenceMs();
    let heard = progress();
    let heardAt = this.#clock.monotonic();
    let endsAt = heardAt + this.#mostMs;
    let timer: Timer | undefined;
    const look = (heldUpMs: number) => {
      const now = this.#clock.monotonic();
      const before = heard;
      heard = progress();
      heardAt = heard === before ? heardAt + heldUpMs : now;
      endsAt += heldUpMs;
      const leftMs = Math.min(heardAt + silenceMs, endsAt) - now;
      if (leftMs > 0) {
        timer = afterAwake(this.#clock, Math.min(lookEveryMs, leftMs), look);
        return;
      }
      this.#inVain += 1;
      giveUp(Math.round(now - heardAt));
    };
    look(0);
    return { cancel: () => timer?.cancel() };
  }

  /** To be called when a connection is ready, with what that took from its very beginning. */
  succeeded(tookMs: number): void {
    this.#lastTookMs = tookMs;
    this.#inVain = 0;
  }

  #silenceMs(): number {
    if (this.#lastTookMs === undefined) return this.#mostMs;
    const ms = Math.max(leastPatienceMs, Math.ceil(patienceFactor * this.#lastTookMs));
    const isLong = this.#inVain % morePatienceEvery === morePatienceEvery - 1;
    return Math.min(this.#mostMs, isLong ? 2 * ms : ms);
  }
}

/** How long to wait before the n-th attempt: 25 ms, then twice as long each time up to 200 ms, less up to a half at random. */
export function backoffMs(attempt: number, clock: Clock): number {
  return Math.min(mostBackoffMs, firstBackoffMs * 2 ** Math.min(attempt - 1, 10)) * (1 - clock.random() / 2);
}
