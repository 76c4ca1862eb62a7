/** Says what a client is told of its limits: the header fields of an answer, and the answer of a refusal. */

import { problem, type ProblemName, problemType } from '../../http/problem-details.ts';
import { formatRateLimit, formatRateLimitPolicy, policyNames, wholeSeconds } from '../../http/rate-limit-fields.ts';
import type { PlanVerdict, Verdict } from '../../limits/verdict.ts';
import type { ResponseLike } from '../request.ts';

/**
 * - `standard`: `RateLimit-Policy` and `RateLimit`;
 * - `legacy`: `X-RateLimit-Limit`, `X-RateLimit-Remaining` and `X-RateLimit-Reset` (epoch seconds) of the plan that decides;
 * - `both`, or `none` of them.
 */
export type LimitHeaders = 'standard' | 'legacy' | 'both' | 'none';

export const limitHeaders: readonly unknown[] = ['standard', 'legacy', 'both', 'none'];

/** After how long to try again, where nobody knows. */
const unknownRetryMs = 1000;

type Line = readonly [name: string, value: string];

export interface Refusal {
  readonly status: number;
  readonly lines: readonly Line[];
  readonly body: string;
}

/** Names of plans as clients see them. */
export type Names = (plan: string) => string;

/**
 * Returns how the plans of a limiter are called beside those that the answer names already: a list must not name one twice
 * (draft-ietf-httpapi-ratelimit-headers-10 section 4).
 */
export function distinctNames(limiter: string, taken: readonly string[]): Names {
  return (plan) => {
    if (!taken.includes(plan)) return plan;
    let name = `${limiter}/${plan}`;
    for (let number = 2; taken.includes(name); number += 1) name = `${limiter}/${plan}/${number}`;
    return name;
  };
}

/** The fields that say what is allowed and what is left. `nowMs`: epoch ms. */
export function limitLines(verdict: Verdict, headers: LimitHeaders, names: Names, nowMs: number): Line[] {
  const lines: Line[] = [];
  const isKnown = verdict.degraded === false || verdict.degraded === 'local';
  if (headers === 'standard' || headers === 'both') {
    const policies = verdict.plans.map(({ name, limit, windowMs }) => ({ name: names(name), quota: limit, windowMs }));
    if (policies.length > 0) lines.push(['RateLimit-Policy', formatRateLimitPolicy(policies)]);
    const limits = verdict.plans.map((plan) => ({
      name: names(plan.name),
      remaining: plan.remaining,
      resetMs: moreAfterMs(plan),
    }));
    if (isKnown && limits.length > 0) lines.push(['RateLimit', formatRateLimit(limits)]);
  }
  if (isKnown && (headers === 'legacy' || headers === 'both')) {
    lines.push(
      ['X-RateLimit-Limit', String(verdict.limit)],
      ['X-RateLimit-Remaining', String(Math.max(0, verdict.remaining))],
      ['X-RateLimit-Reset', wholeSeconds(nowMs + verdict.resetMs)],
    );
  }
  return lines;
}

/** Section 6: where Retry-After is sent too, both say the same. */
function moreAfterMs({ retryAfterMs, resetMs }: PlanVerdict): number {
  return retryAfterMs > 0 ? retryAfterMs : resetMs;
}

/** What a client gets that a limit refused. */
export function refusalOf(verdict: Verdict, names: Names): Refusal {
  if (verdict.degraded === 'closed') {
    const detail = 'Limits cannot be checked at the moment.';
    return refusal('temporary-reduced-capacity', detail, [], Math.max(verdict.retryAfterMs, unknownRetryMs));
  }
  const { retryAfterMs, plans, policy } = verdict;
  const refusing = plans.filter((plan) => plan.retryAfterMs > 0).map(({ name }) => name);
  const violated = (refusing.length > 0 ? refusing : [policy]).map(names);
  const detail = Number.isFinite(retryAfterMs)
    ? `Too much was asked for in too short a time. Try again in ${wholeSeconds(retryAfterMs)} s.`
    : 'This request costs more than the limit ever allows.';
  return refusal('quota-exceeded', detail, violated, retryAfterMs);
}

export function refusal(
  name: ProblemName,
  detail: string,
  policies: readonly string[],
  retryAfterMs: number = Infinity,
): Refusal {
  const { status, body } = problem(name, detail, policies);
  const lines: Line[] = [
    // RFC 6585 section 4: no cache may store a 429.
    ['Cache-Control', 'no-store'],
    ['Content-Type', problemType],
  ];
  if (Number.isFinite(retryAfterMs)) lines.push(['Retry-After', wholeSeconds(Math.max(1, retryAfterMs))]);
  return { status, lines, body };
}

/** Adds fields to an answer, lists at the end of those that stand there already. */
export function addLines(res: ResponseLike, lines: readonly Line[]): void {
  for (const [name, value] of lines) {
    const earlier = lists.has(name) ? listIn(res, name) : undefined;
    res.setHeader(name, earlier === undefined ? value : `${earlier}, ${value}`);
  }
}

const lists: ReadonlySet<string> = new Set(['RateLimit-Policy', 'RateLimit']);

/** The names of the policies that an answer has already. */
export function namesIn(res: ResponseLike): string[] {
  return policyNames(listIn(res, 'RateLimit-Policy')) ?? [];
}

/** The list in a field; `undefined` if it is empty, or no list that could be added to. */
function listIn(res: ResponseLike, name: string): string | undefined {
  const value = res.getHeader(name);
  const text = value === undefined ? '' : String(value);
  const names = policyNames(text);
  return names === undefined || names.length === 0 ? undefined : text;
}

export function sendRefusal(res: ResponseLike, { status, lines, body }: Refusal): void {
  if (res.headersSent || res.destroyed) return;
  addLines(res, lines);
  res.setHeader('Content-Length', String(Buffer.byteLength(body)));
  res.statusCode = status;
  res.end(body);
}
