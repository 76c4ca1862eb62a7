/** The options of rate limits at the edge: names, defaults and checks. */

import { checkIpv6Bits, ipv6BitsByDefault } from '../../limits/address.ts';
import { limiter } from '../../limits/limiter.ts';
import type { LimiterOptions } from '../../limits/options.ts';
import type { Limiter, LimitKey, LimitPlan, Verdict } from '../../limits/verdict.ts';
import { describe, HotshelfError } from '../../support/errors.ts';
import { checkOptionNames } from '../../support/options.ts';
import { type LimitHeaders, limitHeaders } from './rate-limit-answer.ts';
import type { ClientRequest } from './rate-limit-client.ts';
import type { Next, ResponseLike } from '../request.ts';

type Soon<Value> = Value | Promise<Value>;

/** What the edge needs of a limiter. */
export type TakingLimiter = Pick<Limiter, 'name' | 'take' | 'refund'>;

export interface RateLimitOptions<Request extends ClientRequest = ClientRequest> {
  /**
   * Whose limit a request counts against, such as the id of the user. With `undefined` it is the default key.
   * @default the address of the client, and the pattern of the route where there is one
   */
  key?: (req: Request) => Soon<LimitKey | undefined>;
  /**
   * How much a request takes.
   * @default 1
   */
  cost?: number | ((req: Request) => Soon<number>);
  /**
   * The plans for a request, such as those of a customer who pays for more. With `undefined` they are those of the limiter.
   * @default the plans of the limiter
   */
  plans?: (req: Request) => Soon<readonly LimitPlan[] | undefined>;
  /**
   * Whom no limit holds: such a request passes, and is not counted.
   * @default nobody
   */
  allow?: (req: Request) => Soon<boolean>;
  /**
   * Who is refused whatever the limit says, with 403. Whom `allow` lets pass is not asked.
   * @default nobody
   */
  deny?: (req: Request) => Soon<boolean>;
  /**
   * The fields that tell clients what is left.
   * @default 'standard'
   */
  headers?: LimitHeaders;
  /**
   * `dry-run` counts, tells `onVerdict`, and refuses nobody; clients see nothing of it.
   * @default 'enforce'
   */
  mode?: 'enforce' | 'dry-run';
  /**
   * Which answers count in the end. Every request takes when it comes, and those that do not count get it back when they were
   * answered. `on-failure`: status 400 and above; `on-success`: below 400. Requests whose client left count.
   * @default 'always'
   */
  charge?: 'always' | 'on-failure' | 'on-success' | ((req: Request, res: ResponseLike) => boolean);
  /**
   * How many bits of an IPv6 address count in the default key.
   * @default 56
   */
  ipv6Bits?: number;
  /**
   * Answers a refused request. The fields are set already, `Retry-After` among them.
   * @default status 429, or 503 where the store does not answer and the limit is closed, with problem details
   */
  refuse?: (req: Request, res: ResponseLike, next: Next, verdict: Verdict) => void;
  /** Is told every verdict. */
  onVerdict?: (verdict: Verdict, req: Request) => void;
}

/** Options after every default was applied. */
export interface RateLimitRules<Request extends ClientRequest> extends RateLimitOptions<Request> {
  readonly cost: number | ((req: Request) => Soon<number>);
  readonly headers: LimitHeaders;
  readonly dryRun: boolean;
  readonly charge: NonNullable<RateLimitOptions<Request>['charge']>;
  readonly ipv6Bits: number;
}

export const defaults = {
  cost: 1,
  headers: 'standard',
  mode: 'enforce',
  charge: 'always',
  ipv6Bits: ipv6BitsByDefault,
} as const;

const functions = ['key', 'plans', 'allow', 'deny', 'refuse', 'onVerdict'] as const;

export const where = 'rateLimit()';

/** @throws {HotshelfError} `OPTION_INVALID` */
export function checkRateLimitOptions<Request extends ClientRequest>(
  options: RateLimitOptions<Request> = {},
): RateLimitRules<Request> {
  checkOptionNames(options, [...Object.keys(defaults), ...functions], where);
  for (const name of functions) {
    if (options[name] !== undefined && typeof options[name] !== 'function')
      throw wrong(name, 'a function', options[name]);
  }
  const { cost = defaults.cost, headers = defaults.headers, mode = defaults.mode, charge = defaults.charge } = options;
  if (typeof cost !== 'function' && !(Number.isSafeInteger(cost) && cost >= 0))
    throw wrong('cost', 'a whole number of at least 0, or a function of the request', cost);
  if (!limitHeaders.includes(headers)) throw wrong('headers', '"standard", "legacy", "both" or "none"', headers);
  if (mode !== 'enforce' && mode !== 'dry-run') throw wrong('mode', '"enforce" or "dry-run"', mode);
  if (typeof charge !== 'function' && !charges.includes(charge))
    throw wrong('charge', '"always", "on-failure", "on-success" or a function of the request and the response', charge);
  const ipv6Bits = checkIpv6Bits(options.ipv6Bits ?? defaults.ipv6Bits);
  return { ...options, cost, headers, dryRun: mode === 'dry-run', charge, ipv6Bits };
}

const charges: readonly unknown[] = ['always', 'on-failure', 'on-success'];

function wrong(name: string, expected: string, value: unknown): HotshelfError {
  return new HotshelfError(
    'OPTION_INVALID',
    `Expected \`${name}\` of ${where} to be ${expected}, got ${describe(value)}.`,
  );
}

/** @throws {HotshelfError} `OPTION_INVALID` or `FACET_MISSING` */
export function limiterOf(given: TakingLimiter | LimiterOptions): TakingLimiter {
  if (typeof given === 'object' && given !== null) return 'take' in given ? given : limiter(given);
  throw new HotshelfError(
    'OPTION_INVALID',
    `Expected ${where} to get a limiter, as limiter() returns it, or the options of one, got ${describe(given)}.`,
  );
}
