/** Gives the package express-rate-limit a store: its users get the backend, its guard and exact windows as they are. */

import type { BackendWith } from '../backend/backend.ts';
import { shortestWindowMs } from '../backend/limits/check.ts';
import { type Clock, systemClock } from '../support/clock.ts';
import { HotshelfError } from '../support/errors.ts';
import { checkOptionNames } from '../support/options.ts';
import { limiter } from './limiter.ts';
import type { LimiterOptions } from './options.ts';
import { checkSpan } from './plans.ts';
import type { Limiter, LimitPlan } from './verdict.ts';

export interface ExpressRateLimitStoreOptions {
  /**
   * Stores with one prefix on one server count together, if their windows are the same.
   * @default 'express-rate-limit'
   */
  prefix?: string;
  /**
   * `fixed-window` is what express-rate-limit itself does: around the end of a window twice the limit may pass.
   * @default 'sliding-window', and 'fixed-window' where `limit` is a function
   */
  algorithm?: 'sliding-window' | 'fixed-window';
  /**
   * Who decides while the store does not answer: a count in this process, or nobody.
   * @default 'local'
   */
  degrade?: LimiterOptions['degrade'];
  /**
   * How many processes there are: with `degrade: 'local'` each of them lets through its part.
   * @default 1
   */
  instances?: number;
  /**
   * Time, timers and randomness.
   * @default the machine's own
   */
  clock?: Clock;
}

/** The part of the options of express-rate-limit that the store has to know. */
export interface ExpressRateLimitRules {
  readonly windowMs: number;
  readonly limit: unknown;
}

export interface ExpressRateLimitInfo {
  totalHits: number;
  resetTime: Date | undefined;
}

export const defaults = {
  prefix: 'express-rate-limit',
  algorithm: 'sliding-window',
  degrade: 'local',
  instances: 1,
} as const;

const where = 'forExpressRateLimit()';

/** More than anybody allows: where the limit is not known here, everything is counted. */
const plenty = 1_000_000_000;

/**
 * Returns a `store` for `rateLimit()` of express-rate-limit 7 and 8.
 *
 * Where `limit` is a number, a refused request is not counted: who comes too often is served as often as the limit allows, and
 * not, as with other stores, kept out until he stops. No call rejects because the backend is down. It has no `resetAll`.
 *
 * @throws {HotshelfError} `OPTION_INVALID` or `FACET_MISSING`
 * @example
 * app.use(rateLimit({ windowMs: 60_000, limit: 100, store: forExpressRateLimit(backend) }));
 */
export function forExpressRateLimit(
  backend: BackendWith<'limits'>,
  options: ExpressRateLimitStoreOptions = {},
): ExpressRateLimitStore {
  checkOptionNames(options, [...Object.keys(defaults), 'clock'], where);
  return new ExpressRateLimitStore(backend, options);
}

/** What `forExpressRateLimit` returns: a `Store`, as express-rate-limit calls it. */
export class ExpressRateLimitStore {
  readonly prefix: string;
  /** Stores of other processes count together with it. */
  readonly localKeys = false;
  readonly #backend: BackendWith<'limits'>;
  readonly #options: ExpressRateLimitStoreOptions;
  readonly #clock: Clock;
  #limiter: Limiter | undefined;
  /** `undefined`: a function of express-rate-limit decides. */
  #limit: number | undefined;

  constructor(backend: BackendWith<'limits'>, options: ExpressRateLimitStoreOptions) {
    const { prefix = defaults.prefix, clock = systemClock } = options;
    this.prefix = prefix;
    this.#backend = backend;
    this.#options = options;
    this.#clock = clock;
    // Mistakes come to light here, and not in express-rate-limit, which swallows them.
    this.#limiterWith({ name: 'window', limit: 1, window: '1m', algorithm: options.algorithm ?? defaults.algorithm });
  }

  init({ windowMs, limit }: ExpressRateLimitRules): void {
    this.#limiter = undefined;
    checkSpan(windowMs, 'windowMs', windowMs, shortestWindowMs);
    // With a limit of 0 express-rate-limit refuses everything by itself.
    this.#limit = typeof limit === 'number' ? Math.min(plenty, Math.max(1, Math.floor(limit))) : undefined;
    const ownAlgorithm = this.#limit === undefined ? 'fixed-window' : defaults.algorithm;
    this.#limiter = this.#limiterWith({
      name: 'window',
      limit: this.#limit ?? plenty,
      window: windowMs,
      algorithm: this.#options.algorithm ?? ownAlgorithm,
    });
  }

  async increment(key: string): Promise<ExpressRateLimitInfo> {
    const limits = this.#started();
    const verdict = this.#limit === undefined ? await limits.penalize(key) : await limits.take(key);
    const { allowed, limit, remaining, resetMs, retryAfterMs } = verdict;
    // express-rate-limit takes offence at 0, which it is where nobody counts.
    if (allowed) return this.#info(Math.max(1, limit - remaining), resetMs);
    return this.#info((this.#limit ?? limit) + 1, retryAfterMs);
  }

  async get(key: string): Promise<ExpressRateLimitInfo | undefined> {
    const { limit, remaining, resetMs } = await this.#started().check(key, { cost: 0 });
    return remaining === limit ? undefined : this.#info(limit - remaining, resetMs);
  }

  async decrement(key: string): Promise<void> {
    await this.#started().refund(key);
  }

  async resetKey(key: string): Promise<void> {
    await this.#started().reset(key);
  }

  #info(totalHits: number, afterMs: number): ExpressRateLimitInfo {
    // express-rate-limit compares it with the machine's time.
    return { totalHits, resetTime: new Date(systemClock.now() + afterMs) };
  }

  #limiterWith(plan: LimitPlan): Limiter {
    const { degrade = defaults.degrade, instances = defaults.instances } = this.#options;
    return limiter({
      backend: this.#backend,
      name: this.prefix,
      plans: [plan],
      degrade,
      instances,
      clock: this.#clock,
    });
  }

  #started(): Limiter {
    if (this.#limiter !== undefined) return this.#limiter;
    throw new HotshelfError(
      'OPTION_INVALID',
      `The store of ${where} was told no \`windowMs\` that it can use. Give it to rateLimit() of express-rate-limit, with 10 ms to 366 days.`,
    );
  }
}
