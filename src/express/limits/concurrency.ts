/** Lets only so many requests be served at the same time: middleware for Express 5, Express 4 and `node:http`. */

import { formatRateLimitPolicy } from '../../http/rate-limit-fields.ts';
import { adapt, type AdaptiveState, limitOf, startAdaptive } from '../../limits/adaptive.ts';
import { idOf } from '../../limits/key.ts';
import { type Held, Places } from '../../limits/places.ts';
import { LoopDelay } from './concurrency-delay.ts';
import {
  type BusyReason,
  checkConcurrencyOptions,
  type ConcurrencyOptions,
  type ConcurrencyRules,
  where,
} from './concurrency-options.ts';
import { PlaceQueue } from './concurrency-queue.ts';
import { addLines, type Refusal, refusal, sendRefusal } from './rate-limit-answer.ts';
import { type ClientRequest, Clients } from './rate-limit-client.ts';
import type { Middleware, Next, ResponseLike } from '../request.ts';

/** Nobody knows when a place will be free. */
const retryMs = 1000;

/**
 * Serves at most `max` requests of a key at the same time, in all processes together, and answers the others with 429. A place
 * is free again when its response is closed, or after `lease` if its process died.
 *
 * With `shed` and `adaptive` it answers 503 while the server itself is too busy.
 *
 * @throws {HotshelfError} `OPTION_INVALID` or `FACET_MISSING`
 * @example
 * app.post('/reports', concurrency({ backend, name: 'reports', max: 2, queue: { size: 10, wait: '5s' } }), report);
 */
export function concurrency<Request extends ClientRequest = ClientRequest>(
  options: ConcurrencyOptions<Request>,
): Middleware<Request> {
  const gate = new Gate(checkConcurrencyOptions(options));
  return async (req, res, next) => {
    let passes: boolean;
    try {
      passes = await gate.admit(req, res, next);
    } catch (error) {
      next(error);
      return;
    }
    if (passes) next();
  };
}

class Gate<Request extends ClientRequest> {
  readonly #rules: ConcurrencyRules<Request>;
  readonly #places: Places;
  readonly #queue: PlaceQueue;
  readonly #clients: Clients;
  readonly #delay: LoopDelay | undefined;
  #adaptive: AdaptiveState | undefined;

  constructor(rules: ConcurrencyRules<Request>) {
    const { values, clock, leaseMs, instances, degrade, queueSize: size, waitMs } = rules;
    this.#rules = rules;
    this.#places = new Places({ values, clock, leaseMs, instances, whenDown: degrade });
    this.#queue = new PlaceQueue({ places: this.#places, clock, size, waitMs, max: () => this.#max });
    this.#clients = new Clients(rules.ipv6Bits, where);
    this.#delay = rules.shedMs === Infinity ? undefined : new LoopDelay(clock);
    this.#adaptive = rules.adaptive && startAdaptive(rules.adaptive);
  }

  get #max(): number {
    return this.#adaptive === undefined ? this.#rules.max : limitOf(this.#adaptive);
  }

  /** Tells whether the request goes on; answers it if not. */
  async admit(req: Request, res: ResponseLike, next: Next): Promise<boolean> {
    const { allow, key, shedMs } = this.#rules;
    if ((await allow?.(req)) === true) return true;
    if (this.#delay !== undefined && this.#delay.meanMs() > shedMs) return this.#refuse(req, res, next, 'shed');
    const whose = (await key?.(req)) ?? this.#clients.keyOf(req);
    const place = `at-once:${encodeURIComponent(this.#rules.name)}:{${idOf(whose)}}`;
    const outcome = await this.#queue.take(place, (leave) => void res.once('close', leave));
    if (typeof outcome === 'object') return this.#serve(res, place, outcome);
    if (outcome === 'down') return this.#refuse(req, res, next, 'down');
    return this.#refuse(req, res, next, this.#max < this.#rules.max ? 'adaptive' : 'max');
  }

  /** False if the client is gone already. */
  #serve(res: ResponseLike, place: string, held: Held): boolean {
    if (res.closed || res.destroyed) {
      held.release();
      return false;
    }
    const { clock, adaptive, instances } = this.#rules;
    const startedAt = clock.monotonic();
    const atWork = this.#places.heldHere(place) * instances;
    res.once('close', () => {
      held.release();
      if (this.#adaptive === undefined || adaptive === undefined || !res.writableEnded) return;
      this.#adaptive = adapt(this.#adaptive, adaptive, clock.monotonic() - startedAt, atWork);
    });
    return true;
  }

  #refuse(req: Request, res: ResponseLike, next: Next, reason: BusyReason): false {
    const { name, max, refuse } = this.#rules;
    if (res.headersSent || res.closed || res.destroyed) return false;
    const policy = formatRateLimitPolicy([{ name, quota: max, unit: 'concurrent-requests' }]);
    if (reason === 'max') addLines(res, [['RateLimit-Policy', policy]]);
    const refused = refusalFor(reason, name);
    if (refuse === undefined) {
      sendRefusal(res, refused);
    } else {
      addLines(
        res,
        refused.lines.filter(([field]) => field !== 'Content-Type'),
      );
      res.statusCode = refused.status;
      refuse(req, res, next, reason);
    }
    return false;
  }
}

function refusalFor(reason: BusyReason, name: string): Refusal {
  if (reason === 'max') {
    return refusal('quota-exceeded', 'Too many requests at the same time. Wait for an answer first.', [name], retryMs);
  }
  return refusal('temporary-reduced-capacity', 'The server is too busy at the moment.', [], retryMs);
}
