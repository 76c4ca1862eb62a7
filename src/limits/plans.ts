/** Reads the plans of a limiter: names, spans and numbers, and what the store calls them. */

import { checkPlan, longestWindowMs, shortestWindowMs } from '../backend/limits/check.ts';
import type { Plan } from '../backend/limits.ts';
import { durationMs } from '../support/duration.ts';
import { describe, HotshelfError } from '../support/errors.ts';
import { checkOptionNames } from '../support/options.ts';
import type { LimitPlan } from './verdict.ts';

/** Plans that were checked, side by side with their names. */
export interface PlanSet {
  readonly names: readonly string[];
  readonly plans: readonly Plan[];
  /** What tells the keys of the plans apart: another algorithm or window counts under another key. */
  readonly suffixes: readonly string[];
}

const knownNames: readonly (keyof LimitPlan)[] = ['name', 'limit', 'window', 'algorithm', 'burst'];

/** Header fields grow with every plan, and each of them is a key that the store has to look at. */
const mostPlans = 8;
const longestName = 64;
/** What a String of RFC 9651 section 3.3.3 can carry. */
const notAllowed = /[^\x20-\x7e]/;
const marks = { 'sliding-window': 's', 'token-bucket': 't', 'fixed-window': 'f' } as const;

/** @throws {HotshelfError} `OPTION_INVALID` naming the plan, what is allowed and what was given. */
export function readPlans(plans: readonly LimitPlan[]): PlanSet {
  if (!Array.isArray(plans) || plans.length === 0 || plans.length > mostPlans) {
    const given = Array.isArray(plans) ? `${plans.length}` : describe(plans);
    throw new HotshelfError(
      'OPTION_INVALID',
      `Expected \`plans\` to be a list of 1 to ${mostPlans} plans, got ${given}.`,
    );
  }
  const names = plans.map(nameOf);
  const twice = names.find((name, place) => names.indexOf(name) !== place);
  if (twice !== undefined) {
    throw new HotshelfError(
      'OPTION_INVALID',
      `Two plans have the name "${twice}". Clients tell plans apart by their names.`,
    );
  }
  const read = plans.map(readNamed);
  return {
    names,
    plans: read,
    suffixes: read.map(({ algorithm, windowMs }, place) => {
      return `${encodeURIComponent(names[place] ?? '')}:${marks[algorithm]}${windowMs}`;
    }),
  };
}

function nameOf(plan: LimitPlan): string {
  checkOptionNames(plan, knownNames, 'A plan of limiter()');
  const name: unknown = plan?.name;
  if (typeof name === 'string' && name.length > 0 && name.length <= longestName && !notAllowed.test(name)) return name;
  throw new HotshelfError(
    'OPTION_INVALID',
    `Expected the \`name\` of a plan to be 1 to ${longestName} characters of printable ASCII, which header fields can carry, got ${describe(name)}.`,
  );
}

/** Says which of several plans is wrong. */
function readNamed(plan: LimitPlan): Plan {
  try {
    return readPlan(plan);
  } catch (error) {
    if (!(error instanceof HotshelfError)) throw error;
    throw new HotshelfError(error.code, `In the plan "${plan.name}": ${error.message}`);
  }
}

/**
 * @param name how the caller wrote the option
 * @throws {HotshelfError} `OPTION_INVALID` unless a store can keep something for `ms`.
 */
export function checkSpan(ms: number, name: string, given: unknown, leastMs = 1): void {
  if (Number.isInteger(ms) && ms >= leastMs && ms <= longestWindowMs) return;
  throw new HotshelfError(
    'OPTION_INVALID',
    `Expected \`${name}\` to be whole ms, at least ${leastMs} ms and at most 366 days, got ${describe(given)}.`,
  );
}

function readPlan({ limit, window, algorithm = 'sliding-window', burst }: LimitPlan): Plan {
  const windowMs = durationMs(window, 'window');
  checkSpan(windowMs, 'window', window, shortestWindowMs);
  if (burst !== undefined && algorithm !== 'token-bucket') {
    throw new HotshelfError('OPTION_INVALID', 'Only a plan with `algorithm: "token-bucket"` can have a `burst`.');
  }
  const plan: Plan =
    algorithm === 'token-bucket'
      ? { algorithm, limit, windowMs, burst: burst ?? limit }
      : { algorithm, limit, windowMs };
  checkPlan(plan);
  return plan;
}
