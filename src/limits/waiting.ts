/** Lets callers of one key wait for room in the order in which they came. */

import type { Clock } from '../support/clock.ts';
import type { Verdict } from './verdict.ts';

/** What a timer takes; whoever waits longer looks again. */
const longestSleepMs = 60_000;

export interface Wait {
  readonly id: string;
  /** The longest time to wait, in ms. */
  readonly withinMs: number;
  readonly signal: AbortSignal | undefined;
  take(): Promise<Verdict>;
  check(): Promise<Verdict>;
}

export class Waiting {
  readonly #clock: Clock;
  /** The last in the queue of each id. */
  readonly #last = new Map<string, Promise<void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves with a refusal where it would take longer. Rejects with the reason of the signal. */
  async run(wait: Wait): Promise<Verdict> {
    wait.signal?.throwIfAborted();
    const until = this.#clock.monotonic() + wait.withinMs;
    const before = this.#last.get(wait.id);
    let leave = () => {};
    const mine = new Promise<void>((resolve) => (leave = resolve));
    const turn = before === undefined ? mine : before.then(() => mine);
    this.#last.set(wait.id, turn);
    void turn.then(() => {
      if (this.#last.get(wait.id) === turn) this.#last.delete(wait.id);
    });
    try {
      if (before !== undefined && !(await this.#isTurn(before, until, wait.signal)))
        return { ...(await wait.check()), allowed: false };
      return await this.#takeWhenThereIsRoom(wait, until);
    } finally {
      leave();
    }
  }

  async #takeWhenThereIsRoom(wait: Wait, until: number): Promise<Verdict> {
    for (;;) {
      const verdict = await wait.take();
      const { allowed, retryAfterMs } = verdict;
      if (allowed || !Number.isFinite(retryAfterMs) || this.#clock.monotonic() + retryAfterMs > until) return verdict;
      await this.#sleep(Math.min(retryAfterMs, longestSleepMs), wait.signal);
    }
  }

  /** Resolves with false if the time is over before those who came earlier are done. */
  async #isTurn(before: Promise<void>, until: number, signal: AbortSignal | undefined): Promise<boolean> {
    const own = new AbortController();
    const either = signal === undefined ? own.signal : AbortSignal.any([signal, own.signal]);
    const over = async (): Promise<boolean> => {
      for (let leftMs = 1; leftMs > 0; leftMs = until - this.#clock.monotonic())
        await this.#sleep(Math.min(Math.max(0, until - this.#clock.monotonic()), longestSleepMs), either);
      return false;
    };
    const late = over();
    // Called off when it is the turn.
    late.catch(() => {});
    try {
      return await Promise.race([before.then(() => true), late]);
    } finally {
      own.abort();
    }
  }

  #sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        timer.cancel();
        reject(signal?.reason);
      };
      const timer = this.#clock.after(ms, () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      });
      if (signal?.aborted === true) abort();
      else signal?.addEventListener('abort', abort, { once: true });
    });
  }
}
