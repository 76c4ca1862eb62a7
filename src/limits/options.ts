/** The options of a limiter: names, defaults and checks. */

import type { BackendWith } from '../backend/backend.ts';
import { facet } from '../backend/facet.ts';
import type { Limits } from '../backend/limits.ts';
import { systemClock, type Clock } from '../support/clock.ts';
import { durationMs, type Duration } from '../support/duration.ts';
import { describe, HotshelfError } from '../support/errors.ts';
import { checkOptionNames } from '../support/options.ts';
import { readPlans, type PlanSet } from './plans.ts';
import type { LimitPlan } from './verdict.ts';

export interface LimiterOptions {
  /** Where it is counted. Limiters with the same name on the same server count together. */
  readonly backend: BackendWith<'limits'>;
  /** What is limited, in 1 to 100 characters: part of every key. */
  readonly name: string;
  /** What is allowed: all of them must have room. */
  readonly plans: readonly LimitPlan[];
  /**
   * Who decides while the store does not answer: a count in this process (`local`), or nobody, so that everything passes
   * (`open`) or nothing does (`closed`, for logins).
   * @default 'local'
   */
  readonly degrade?: 'local' | 'open' | 'closed';
  /**
   * How many processes share the limit: with `degrade: 'local'` each of them lets through its part.
   * @default 1
   */
  readonly instances?: number;
  /**
   * How long the store may take; half of it while it is quick.
   * @default '100ms'
   */
  readonly deadline?: Duration;
  /**
   * Time, timers and randomness.
   * @default the machine's own
   */
  readonly clock?: Clock;
}

export interface LimiterRules {
  readonly backend: BackendWith<'limits'>;
  readonly limits: Limits;
  readonly name: string;
  readonly set: PlanSet;
  readonly degrade: 'local' | 'open' | 'closed';
  readonly instances: number;
  readonly deadlineMs: number;
  readonly clock: Clock;
}

export const limiterDefaults = { degrade: 'local', instances: 1, deadline: '100ms' } as const;

const knownNames: readonly (keyof LimiterOptions)[] = [
  'backend',
  'name',
  'plans',
  'degrade',
  'instances',
  'deadline',
  'clock',
];
const longestName = 100;
const mostInstances = 100_000;

/** @throws {HotshelfError} `OPTION_INVALID` or `FACET_MISSING`. */
export function readOptions(options: LimiterOptions): LimiterRules {
  checkOptionNames(options, knownNames, 'limiter()');
  const { backend, name, plans, clock = systemClock } = options ?? {};
  const { degrade = limiterDefaults.degrade, instances = limiterDefaults.instances } = options ?? {};
  if (typeof backend !== 'object' || backend === null) throw wrong('backend', 'a backend, such as memory()', backend);
  if (typeof name !== 'string' || name === '' || name.length > longestName)
    throw wrong('name', `a text of 1 to ${longestName} characters`, name);
  if (degrade !== 'local' && degrade !== 'open' && degrade !== 'closed')
    throw wrong('degrade', '"local", "open" or "closed"', degrade);
  if (!Number.isInteger(instances) || instances < 1 || instances > mostInstances)
    throw wrong('instances', `a whole number from 1 to ${mostInstances}`, instances);
  if (typeof clock?.monotonic !== 'function' || typeof clock.after !== 'function')
    throw wrong('clock', 'a Clock', clock);
  const deadlineMs = durationMs(options.deadline ?? limiterDefaults.deadline, 'deadline');
  return {
    backend,
    limits: facet(backend, 'limits', 'limiter()'),
    name,
    set: readPlans(plans),
    degrade,
    instances,
    deadlineMs,
    clock,
  };
}

function wrong(name: string, expected: string, got: unknown): HotshelfError {
  return new HotshelfError(
    'OPTION_INVALID',
    `Expected \`${name}\` of limiter() to be ${expected}, got ${describe(got)}.`,
  );
}
