/** Says what a limiter answers, and what it can be asked. */

import type { Duration } from '../support/duration.ts';

/** What a limiter says to a request: whether it may pass, and what is left. A refusal is a verdict too, never an error. */
export interface Verdict {
  readonly allowed: boolean;
  /** The name of the plan that decides: the first that refused, and otherwise the one that has the smallest share left. */
  readonly policy: string;
  /** How much that plan allows. */
  readonly limit: number;
  /** How much of that plan may still be taken. */
  readonly remaining: number;
  /** After how many ms that plan is whole again, if nothing is taken meanwhile. */
  readonly resetMs: number;
  /** After how many ms every plan has room for what was refused; 0 if it was allowed, `Infinity` if that will never be. */
  readonly retryAfterMs: number;
  /**
   * Who decided, where the store did not: a count in this process (`local`), or nobody: everything passes (`open`) or nothing
   * does (`closed`).
   */
  readonly degraded: Degraded;
  /** How every plan stands, in the order of the plans. */
  readonly plans: readonly PlanVerdict[];
}

export type Degraded = false | 'local' | 'open' | 'closed';

/** How one plan stands under its key. */
export interface PlanVerdict {
  readonly name: string;
  readonly limit: number;
  readonly windowMs: number;
  readonly remaining: number;
  readonly resetMs: number;
  /** After how many ms this plan has room for what it refused; 0 if it did not refuse. */
  readonly retryAfterMs: number;
}

/** How much of something is allowed in which time, under a name that clients see. */
export interface LimitPlan {
  /** Printable ASCII: it stands in header fields. Different for each plan of a limiter. */
  readonly name: string;
  readonly limit: number;
  /** From 10 ms to 366 days. */
  readonly window: Duration;
  /** @default 'sliding-window' */
  readonly algorithm?: 'sliding-window' | 'token-bucket' | 'fixed-window';
  /**
   * How many tokens the bucket holds: for `token-bucket`.
   * @default the limit
   */
  readonly burst?: number;
}

/** Whose limit it is: a text, or several that are told apart: `['a', 'b']` is neither `['a:b']` nor `'a:b'`. */
export type LimitKey = string | readonly string[];

export interface TakeOptions {
  /**
   * How much is taken: a whole number of at least 0.
   * @default 1
   */
  readonly cost?: number;
  /**
   * Other plans than those of the limiter, such as those of a customer who pays for more.
   * @default the plans of the limiter
   */
  readonly plans?: readonly LimitPlan[];
}

export interface WaitOptions extends TakeOptions {
  /** The longest time to wait; what would take longer is refused at once. */
  readonly within?: Duration;
  readonly signal?: AbortSignal;
}

/** How a function is limited. */
export interface WrapRule<Args extends readonly unknown[]> {
  /** Whose limit a call counts against. */
  readonly key: LimitKey | ((...args: Args) => LimitKey);
  /** @default 1 */
  readonly cost?: number | ((...args: Args) => number);
  /**
   * Wait until there is room, at most so long, instead of throwing at once.
   * @default no waiting
   */
  readonly within?: Duration;
}

export interface Limiter {
  readonly name: string;
  /** Takes `cost` from every plan if all of them have room, and nothing otherwise. */
  take(key: LimitKey, options?: TakeOptions): Promise<Verdict>;
  /** Says what `take` would, and takes nothing. */
  check(key: LimitKey, options?: TakeOptions): Promise<Verdict>;
  /** Gives back what was taken, and never more than that. */
  refund(key: LimitKey, options?: TakeOptions): Promise<void>;
  /** Takes `cost` from every plan whether or not there is room, down to nothing. Is always allowed. */
  penalize(key: LimitKey, options?: TakeOptions): Promise<Verdict>;
  /** Refuses everything under `key` for so long. */
  block(key: LimitKey, duration: Duration): Promise<void>;
  /** Gives everything back, and ends a block. */
  reset(key: LimitKey, options?: Pick<TakeOptions, 'plans'>): Promise<void>;
  /** Takes as soon as there is room, in the order of the calls: for what is sent to others. */
  wait(key: LimitKey, options?: WaitOptions): Promise<Verdict>;
  /** Returns a function that takes first, and rejects with a `LimitExceededError` instead of running where it is refused. */
  wrap<Self, Args extends readonly unknown[], Result>(
    fn: (this: Self, ...args: Args) => Promise<Result>,
    rule: WrapRule<Args>,
  ): (this: Self, ...args: Args) => Promise<Result>;
}
