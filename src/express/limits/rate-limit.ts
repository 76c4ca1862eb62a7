/** Lets requests pass as long as their limit allows: middleware for Express 5, Express 4 and `node:http`. */

import type { LimiterOptions } from '../../limits/options.ts';
import type { LimitKey, TakeOptions, Verdict } from '../../limits/verdict.ts';
import { systemClock } from '../../support/clock.ts';
import { Emitter } from '../../support/emitter.ts';
import { addLines, distinctNames, limitLines, namesIn, refusal, refusalOf, sendRefusal } from './rate-limit-answer.ts';
import { type ClientRequest, Clients } from './rate-limit-client.ts';
import {
  checkRateLimitOptions,
  limiterOf,
  type RateLimitOptions,
  type RateLimitRules,
  type TakingLimiter,
  where,
} from './rate-limit-options.ts';
import type { Middleware, Next, ResponseLike } from '../request.ts';

/**
 * Takes from a limit for every request, and refuses those for which nothing is left: with 429, `Retry-After` and problem details.
 *
 * Without a `key` the limit is that of the client's address, whichever way it is written, and of the route's pattern. Express
 * must know its proxies: with `trust proxy` set to `true` every request fails, for then clients choose their addresses.
 *
 * @param limiter what `limiter()` returned, or its options
 * @throws {HotshelfError} `OPTION_INVALID`
 * @example
 * app.use('/api', rateLimit({ backend, name: 'api', plans: [{ name: 'minute', limit: 100, window: '1m' }] }));
 * app.post('/login', rateLimit(logins, { charge: 'on-failure' }), login);
 */
export function rateLimit<Request extends ClientRequest = ClientRequest>(
  limiter: TakingLimiter | LimiterOptions,
  options?: RateLimitOptions<Request>,
): Middleware<Request> {
  const gate = new Gate(limiterOf(limiter), checkRateLimitOptions(options));
  return async (req, res, next) => {
    let passes: boolean;
    try {
      passes = await gate.admit(req, res, next);
    } catch (error) {
      next(gate.forgive(error));
      return;
    }
    if (passes) next();
  };
}

class Gate<Request extends ClientRequest> {
  readonly #limiter: TakingLimiter;
  readonly #rules: RateLimitRules<Request>;
  readonly #clients: Clients;
  readonly #verdicts = new Emitter<{ readonly verdict: Verdict; readonly req: Request }>();
  #warned = false;

  constructor(limiter: TakingLimiter, rules: RateLimitRules<Request>) {
    this.#limiter = limiter;
    this.#rules = rules;
    this.#clients = new Clients(rules.ipv6Bits, where);
    const { onVerdict } = rules;
    if (onVerdict !== undefined) this.#verdicts.on(({ verdict, req }) => onVerdict(verdict, req));
  }

  /** Tells whether the request goes on; answers it if not. */
  async admit(req: Request, res: ResponseLike, next: Next): Promise<boolean> {
    const { allow, deny, key, dryRun } = this.#rules;
    if ((await allow?.(req)) === true) return true;
    if ((await deny?.(req)) === true) {
      if (!dryRun) sendRefusal(res, refusal('forbidden', 'This client is not served.', []));
      return dryRun;
    }
    const whose = (await key?.(req)) ?? this.#clients.keyOf(req);
    const what = await this.#takeOptions(req);
    const verdict = await this.#limiter.take(whose, what);
    this.#verdicts.emit({ verdict, req });
    if (verdict.allowed) this.#settleLater(req, res, verdict, whose, what);
    return dryRun || this.#answer(req, res, next, verdict);
  }

  /** What to go on with after an error: who only watches must not break anything. */
  forgive(error: unknown): unknown {
    if (!this.#rules.dryRun) return error;
    this.#warn(error);
    return undefined;
  }

  async #takeOptions(req: Request): Promise<TakeOptions> {
    const { cost, plans } = this.#rules;
    const own = await plans?.(req);
    const much = typeof cost === 'function' ? await cost(req) : cost;
    return own === undefined ? { cost: much } : { cost: much, plans: own };
  }

  #answer(req: Request, res: ResponseLike, next: Next, verdict: Verdict): boolean {
    if (res.headersSent) return verdict.allowed;
    const names = distinctNames(this.#limiter.name, namesIn(res));
    const refused = verdict.allowed ? undefined : refusalOf(verdict, names);
    addLines(res, limitLines(verdict, this.#rules.headers, names, systemClock.now()));
    if (refused === undefined) return true;
    const { refuse } = this.#rules;
    if (refuse === undefined) {
      sendRefusal(res, refused);
    } else {
      addLines(
        res,
        refused.lines.filter(([name]) => name !== 'Content-Type'),
      );
      res.statusCode = refused.status;
      refuse(req, res, next, verdict);
    }
    return false;
  }

  /** Gives back what was taken for an answer that does not count; one that never came may have been a wrong password. */
  #settleLater(req: Request, res: ResponseLike, verdict: Verdict, whose: LimitKey, what: TakeOptions): void {
    const { charge } = this.#rules;
    if (charge === 'always' || verdict.degraded === 'open' || what.cost === 0) return;
    res.once('finish', () => {
      // If the store does not answer, it counts until its window ends.
      if (!this.#counts(req, res)) this.#limiter.refund(whose, what).catch(() => undefined);
    });
  }

  #counts(req: Request, res: ResponseLike): boolean {
    const { charge } = this.#rules;
    if (typeof charge !== 'function') return res.statusCode >= 400 === (charge === 'on-failure');
    try {
      return charge(req, res);
    } catch (error) {
      this.#warn(error);
      return true;
    }
  }

  #warn(error: unknown): void {
    if (!this.#warned) process.emitWarning(`${where}: ${String(error)}`, { code: 'HOTSHELF_RATE_LIMIT' });
    this.#warned = true;
  }
}
