/** The options of concurrency at the edge: names, defaults and checks. */

import type { BackendWith } from '../../backend/backend.ts';
import { facet } from '../../backend/facet.ts';
import type { Values } from '../../backend/values.ts';
import type { AdaptiveRules } from '../../limits/adaptive.ts';
import { checkIpv6Bits, ipv6BitsByDefault } from '../../limits/address.ts';
import type { WhenDown } from '../../limits/places.ts';
import type { LimitKey } from '../../limits/verdict.ts';
import { type Clock, systemClock } from '../../support/clock.ts';
import { durationMs, type Duration } from '../../support/duration.ts';
import { describe, HotshelfError } from '../../support/errors.ts';
import { checkOptionNames } from '../../support/options.ts';
import type { ClientRequest } from './rate-limit-client.ts';
import type { Next, ResponseLike } from '../request.ts';

type Soon<Value> = Value | Promise<Value>;

/**
 * Why a request was not served: all places were held (`max`), fewer are given out than usual (`adaptive`), the event loop is
 * late (`shed`), or the store does not answer and without it nothing is served (`down`).
 */
export type BusyReason = 'max' | 'adaptive' | 'shed' | 'down';

export interface ConcurrencyOptions<Request extends ClientRequest = ClientRequest> {
  /** Where it is counted. */
  backend: BackendWith<'values'>;
  /** What is limited, in 1 to 40 characters: part of every key, and the name of the policy that clients see. */
  name: string;
  /** How many requests of one key are served at the same time, in all processes: 1 to 1,000. */
  max: number;
  /**
   * Whose requests are counted together. With `undefined` it is the default key.
   * @default the address of the client, and the pattern of the route where there is one
   */
  key?: (req: Request) => Soon<LimitKey | undefined>;
  /**
   * How long the places of a process count that died. Requests may take longer.
   * @default '30s'
   */
  lease?: Duration;
  /**
   * How many requests of a key wait in this process for a place, and how long.
   * @default none
   */
  queue?: { size: number; wait?: Duration };
  /**
   * Give out fewer places, down to `min` (1), while answers take longer than `latency`, or without it, than one and a half
   * times what they take without load.
   * @default false
   */
  adaptive?: boolean | { min?: number; latency?: Duration };
  /**
   * Refuse everything while the event loop is late by so much on average.
   * @default never
   */
  shed?: Duration;
  /**
   * Who is served without a place.
   * @default nobody
   */
  allow?: (req: Request) => Soon<boolean>;
  /**
   * Who decides while the store does not answer: a count in this process (`local`), or nobody, so that everything passes
   * (`open`) or nothing does (`closed`).
   * @default 'local'
   */
  degrade?: WhenDown;
  /**
   * How many processes there are: with `degrade: 'local'` each of them gives out its part.
   * @default 1
   */
  instances?: number;
  /**
   * How many bits of an IPv6 address count in the default key.
   * @default 56
   */
  ipv6Bits?: number;
  /**
   * Answers a refused request. The fields are set already.
   * @default status 429, or 503 where it is not the client's fault, with problem details
   */
  refuse?: (req: Request, res: ResponseLike, next: Next, reason: BusyReason) => void;
  /**
   * Time, timers and randomness.
   * @default the machine's own
   */
  clock?: Clock;
}

/** Options after every default was applied. */
export interface ConcurrencyRules<Request extends ClientRequest> {
  readonly values: Values;
  readonly name: string;
  readonly max: number;
  readonly key: ConcurrencyOptions<Request>['key'];
  readonly leaseMs: number;
  readonly queueSize: number;
  readonly waitMs: number;
  readonly adaptive: AdaptiveRules | undefined;
  readonly shedMs: number;
  readonly allow: ConcurrencyOptions<Request>['allow'];
  readonly degrade: WhenDown;
  readonly instances: number;
  readonly ipv6Bits: number;
  readonly refuse: ConcurrencyOptions<Request>['refuse'];
  readonly clock: Clock;
}

export const defaults = {
  lease: '30s',
  adaptive: false,
  degrade: 'local',
  instances: 1,
  ipv6Bits: ipv6BitsByDefault,
} as const;

/** How long a request waits where only the size of the queue is said. */
const waitByDefault = '1s';
const shortestLeaseMs = 1000;
/** Whoever finds no place at once looks at all of them. */
const mostPlaces = 1000;
const mostWaiting = 100_000;
const mostInstances = 100_000;

export const where = 'concurrency()';

const functions = ['key', 'allow', 'refuse'] as const;
const names = [...Object.keys(defaults), ...functions, 'backend', 'name', 'max', 'queue', 'shed', 'clock'];

/** @throws {HotshelfError} `OPTION_INVALID` or `FACET_MISSING` */
export function checkConcurrencyOptions<Request extends ClientRequest>(
  options: ConcurrencyOptions<Request>,
): ConcurrencyRules<Request> {
  checkOptionNames(options ?? null, names, where);
  const { backend, name, queue, shed, key, allow, refuse, clock = systemClock } = options;
  const { degrade = defaults.degrade, adaptive = defaults.adaptive } = options;
  if (typeof backend !== 'object' || backend === null) throw wrong('backend', 'a backend, such as memory()', backend);
  if (typeof name !== 'string' || !/^[\x20-\x7e]{1,40}$/.test(name))
    throw wrong('name', '1 to 40 printable ASCII characters', name);
  for (const option of functions) {
    if (options[option] !== undefined && typeof options[option] !== 'function')
      throw wrong(option, 'a function', options[option]);
  }
  if (degrade !== 'local' && degrade !== 'open' && degrade !== 'closed')
    throw wrong('degrade', '"local", "open" or "closed"', degrade);
  const max = whole('max', options.max, 1, mostPlaces);
  const leaseMs = Math.ceil(durationMs(options.lease ?? defaults.lease, 'lease'));
  if (leaseMs < shortestLeaseMs) throw wrong('lease', 'at least a second', options.lease);
  checkOptionNames(queue, ['size', 'wait'], '`queue`');
  return {
    values: facet(backend, 'values', where),
    name,
    max,
    key,
    leaseMs,
    queueSize: queue === undefined ? 0 : whole('queue.size', queue.size, 1, mostWaiting),
    waitMs: queue === undefined ? 0 : durationMs(queue.wait ?? waitByDefault, 'queue.wait'),
    adaptive: checkAdaptive(adaptive, max),
    shedMs: shed === undefined ? Infinity : durationMs(shed, 'shed'),
    allow,
    degrade,
    instances: whole('instances', options.instances ?? defaults.instances, 1, mostInstances),
    ipv6Bits: checkIpv6Bits(options.ipv6Bits ?? defaults.ipv6Bits),
    refuse,
    clock,
  };
}

function checkAdaptive(adaptive: ConcurrencyOptions['adaptive'], max: number): AdaptiveRules | undefined {
  if (adaptive === false || adaptive === undefined) return undefined;
  if (adaptive === true) return { min: 1, max, targetMs: undefined };
  if (typeof adaptive !== 'object') throw wrong('adaptive', 'true, false or { min, latency }', adaptive);
  checkOptionNames(adaptive, ['min', 'latency'], '`adaptive`');
  const { min = 1, latency } = adaptive;
  const targetMs = latency === undefined ? undefined : durationMs(latency, 'adaptive.latency');
  return { min: whole('adaptive.min', min, 1, max), max, targetMs };
}

function whole(name: string, value: unknown, least: number, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw wrong(name, `a whole number from ${least} to ${most}`, value);
}

function wrong(name: string, expected: string, value: unknown): HotshelfError {
  return new HotshelfError(
    'OPTION_INVALID',
    `Expected \`${name}\` of ${where} to be ${expected}, got ${describe(value)}.`,
  );
}
