/** The facet for rate limits: how much may still be taken under a key, decided where the count is kept. */

/**
 * At most `limit` in any span of `windowMs`, wherever it begins.
 *
 * The window is counted in ten parts, and the part that it only reaches into counts in full: what was taken is given back
 * after `windowMs` at the earliest and a tenth of it later at the latest.
 */
export interface SlidingWindowPlan {
  readonly algorithm: 'sliding-window';
  readonly limit: number;
  readonly windowMs: number;
}

/**
 * A bucket of `burst` tokens into which `limit` tokens fall every `windowMs`, evenly (GCRA).
 *
 * In a span of `windowMs` it admits up to `limit + burst`.
 */
export interface TokenBucketPlan {
  readonly algorithm: 'token-bucket';
  readonly limit: number;
  readonly windowMs: number;
  /** How many tokens the bucket holds when it is full. */
  readonly burst: number;
}

/**
 * At most `limit` in each window; windows follow each other from the epoch on, so that those of a day are days in UTC.
 *
 * Around the end of a window, up to twice `limit` pass within a moment.
 */
export interface FixedWindowPlan {
  readonly algorithm: 'fixed-window';
  readonly limit: number;
  readonly windowMs: number;
}

/**
 * How much of something is allowed in which time.
 *
 * `limit` and `burst` are whole numbers from 1 to 2^53 - 1, `windowMs` is a whole number from 10 to 366 days, and no bucket
 * takes longer than 366 days to fill.
 */
export type Plan = SlidingWindowPlan | TokenBucketPlan | FixedWindowPlan;

/** How one plan stands under its key. */
export interface Standing {
  /** How much may be taken now: a whole number. */
  readonly remaining: number;
  /** After how many ms everything may be taken again, if nothing is taken meanwhile; 0 if nothing is taken now. */
  readonly resetMs: number;
  /** After how many ms this plan has room for what it refused; 0 if it did not refuse, `Infinity` if it never has. */
  readonly retryAfterMs: number;
}

/** How a take went. */
export interface Taken {
  /** True if every plan had room and the gate was not shut; everything was charged then, and nothing otherwise. */
  readonly allowed: boolean;
  /** For how many ms the gate is still shut; 0 if it is not. */
  readonly shutMs: number;
  /** Of each plan, in the order of the plans, after the take. */
  readonly standings: readonly Standing[];
}

/**
 * Rate limits. The first key goes with the first plan, and so on; a key belongs to one algorithm and one window, and starts
 * anew when it is used with others. Its limit may differ from call to call.
 *
 * Keys are those of `Values`, and limits, values and counters must not share them. Several keys of one call must be kept by
 * the same server: they must have the same text in their first braces, as `api:{user:7}:minute` and `api:{user:7}:day`.
 * `cost` is a whole number from 0 to 2^53 - 1. Every key has a lifetime: it goes when nothing is taken any more.
 *
 * Everything is decided in one atomic step and by the store's clock. What adapters cannot keep of that they say: Memcached
 * knows neither steps over several keys nor the time, see its adapter.
 *
 * Rejects as `Values` does, with `OPTION_INVALID` and `KEY_INVALID` before anything is charged. After `OUTCOME_UNKNOWN` a take
 * was charged once or not at all, never twice.
 */
export interface Limits {
  /**
   * Takes `cost` from every plan if all of them have room, and nothing otherwise.
   *
   * @param gate a key like the others; nothing passes while it is shut
   */
  take(keys: readonly string[], plans: readonly Plan[], cost: number, gate?: string): Promise<Taken>;
  /**
   * Returns what `take` would say where it is known here that it would refuse: what was just refused has no room yet. Where
   * nothing is known, or where the adapter remembers nothing, it is `undefined`. Never throws.
   */
  refused?(keys: readonly string[], plans: readonly Plan[], cost: number): Taken | undefined;
  /** Answers as `take` would, and charges nothing. */
  look(keys: readonly string[], plans: readonly Plan[], cost: number, gate?: string): Promise<Taken>;
  /** Takes `cost` from every plan, and from a plan that has less whatever it has. Is always allowed. */
  charge(keys: readonly string[], plans: readonly Plan[], cost: number): Promise<Taken>;
  /** Gives back `cost` to every plan, at most what was taken; never creates a key. */
  give(keys: readonly string[], plans: readonly Plan[], cost: number): Promise<void>;
  /** Shuts a gate for `ms`, a whole number from 1 to 366 days, whether or not it is shut already; `0` opens it. */
  shut(gate: string, ms: number): Promise<void>;
  /** Gives everything back. */
  reset(keys: readonly string[], plans: readonly Plan[]): Promise<void>;
}
