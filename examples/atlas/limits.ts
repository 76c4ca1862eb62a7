/** How much clients may ask for, and how often they may guess a password. */

import type { Request, RequestHandler } from 'express';
import type { BackendWith } from 'hotshelf';
import { concurrency, rateLimit } from 'hotshelf/express';
import { limiter, nameBucket } from 'hotshelf/limits';

export interface LimitOptions {
  /** From one address; what is expensive counts as several. */
  readonly requestsPerMinute: number;
  /** For one name, in a quarter of an hour; from one address ten times as many. */
  readonly failedLogins: number;
  /** How many instances share the limits: while the backend does not answer, each lets its part through. */
  readonly instances: number;
}

export const limitDefaults: LimitOptions = { requestsPerMinute: 12_000, failedLogins: 20, instances: 1 };

/** At the same time. */
const streamsOfAddress = 20;

export interface Limits {
  /** For all routes. */
  readonly requests: RequestHandler;
  /** For the login, before its body is read… */
  readonly loginsFrom: RequestHandler;
  /** …and after it. */
  readonly loginsAs: RequestHandler;
  /** For answers that stay open. */
  readonly streams: RequestHandler;
  close(): void;
}

export function createLimits(backend: BackendWith<'limits' | 'values'>, options: LimitOptions): Limits {
  const { requestsPerMinute, failedLogins, instances } = options;
  const minute = { name: 'minute', limit: requestsPerMinute, window: '1m' } as const;
  const requests = limiter({ backend, name: 'atlas', plans: [minute], instances });
  // While nobody can count, nobody can guess: 503. Who is logged in stays so.
  const guesses = (name: string, limit: number) =>
    limiter({ backend, name, plans: [{ name, limit, window: '15m' }], degrade: 'closed' });
  const from = guesses('logins-from-address', failedLogins * 10);
  const as = guesses('logins-as-user', failedLogins);
  return {
    requests: rateLimit<Request>(requests, { cost: costOf }),
    // Each takes one before the password is looked at, so that many at once are no way around; a success gives it back.
    loginsFrom: rateLimit<Request>(from, { charge: 'on-failure' }),
    loginsAs: rateLimit<Request>(as, { charge: 'on-failure', key: nameOf }),
    streams: concurrency<Request>({ backend, name: 'atlas-live', max: streamsOfAddress, instances }),
    close: () => [requests, from, as].forEach((one) => one.close()),
  };
}

/** What is near a point is made of many cities. As Express finds the route: in capitals too, and with a slash behind it. */
function costOf({ path }: Request): number {
  return /^\/cities\/near\/?$/i.test(path) ? 5 : 1;
}

/** In capitals, with blanks around it or in wide letters: a name is one name, before anybody looks whether there is such a user. */
function nameOf({ body }: Request): string {
  return nameBucket((body as { readonly name?: unknown } | undefined)?.name);
}
