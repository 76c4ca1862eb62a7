/** Makes a verdict of what the store says about the plans. */

import type { Standing, Taken } from '../backend/limits.ts';
import type { PlanSet } from './plans.ts';
import type { Degraded, PlanVerdict, Verdict } from './verdict.ts';

export function verdictOf(set: PlanSet, { allowed, standings, shutMs }: Taken, degraded: Degraded): Verdict {
  const plans = standings.map((standing, place) => planVerdict(set, place, standing));
  let retryAfterMs = shutMs;
  for (const plan of plans) retryAfterMs = Math.max(retryAfterMs, plan.retryAfterMs);
  const deciding = decidingOf(set, plans);
  return {
    allowed,
    policy: deciding?.name ?? '',
    limit: deciding?.limit ?? 0,
    remaining: shutMs > 0 ? 0 : (deciding?.remaining ?? 0),
    resetMs: Math.max(shutMs, deciding?.resetMs ?? 0),
    retryAfterMs,
    degraded,
    plans,
  };
}

/** What is said where nobody decides: everything passes, or nothing does for `waitMs`. */
export function blindVerdict(set: PlanSet, degraded: 'open' | 'closed', waitMs: number): Verdict {
  const isOpen = degraded === 'open';
  const standings = set.plans.map((plan) => ({
    remaining: isOpen ? plan.limit : 0,
    resetMs: isOpen ? 0 : waitMs,
    retryAfterMs: isOpen ? 0 : waitMs,
  }));
  return verdictOf(set, { allowed: isOpen, standings, shutMs: 0 }, degraded);
}

function planVerdict({ names, plans }: PlanSet, place: number, standing: Standing): PlanVerdict {
  const { remaining, resetMs, retryAfterMs } = standing;
  const plan = plans[place];
  return {
    name: names[place] ?? '',
    limit: plan?.limit ?? 0,
    windowMs: plan?.windowMs ?? 0,
    remaining,
    resetMs,
    retryAfterMs,
  };
}

/** The first plan that refused, and otherwise the one that has the smallest share left. */
function decidingOf({ plans }: PlanSet, verdicts: readonly PlanVerdict[]): PlanVerdict | undefined {
  let deciding = verdicts[0];
  let least = Infinity;
  for (const [place, verdict] of verdicts.entries()) {
    if (verdict.retryAfterMs > 0) return verdict;
    const plan = plans[place];
    const capacity = plan?.algorithm === 'token-bucket' ? plan.burst : verdict.limit;
    const share = verdict.remaining / capacity;
    if (share >= least) continue;
    least = share;
    deciding = verdict;
  }
  return deciding;
}
