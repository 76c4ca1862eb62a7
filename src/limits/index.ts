/** Limits: how often may who do what, whoever counts. `hotshelf/limits`. */

export { LimitExceededError } from './exceeded.ts';
export type {
  Degraded,
  Limiter,
  LimitKey,
  LimitPlan,
  PlanVerdict,
  TakeOptions,
  Verdict,
  WaitOptions,
  WrapRule,
} from './verdict.ts';
