/** Judges the answers of a site while something was broken. */
import type { LookupStatus } from 'hotshelf';
import { type Stall, stalledMs } from '../kit/stalls.ts';

export interface Answer {
  /** The machine's monotonic clock, ms. */
  readonly startedAt: number;
  readonly tookMs: number;
  /** How long the site's process itself did not run meanwhile, in ms. */
  readonly stalledMs: number;
  readonly status: LookupStatus | 'failed' | 'wrong';
}

/** What a site did under load. */
export interface Report {
  readonly answers: readonly Answer[];
  /** When its process, or that of the network in front of its server, did not run. */
  readonly stalls: readonly Stall[];
  readonly unhandled: number;
}

export interface Verdict {
  readonly answers: number;
  readonly failed: number;
  readonly wrong: number;
  readonly unhandled: number;
  /** The slowest answer, in ms, without what the process itself lost. */
  readonly slowestMs: number;
  /** 99th percentile of the answers from one second after the fault until it healed, in ms. */
  readonly p99BrokenMs: number;
  /** From the heal to the first hit, in ms, without what the processes lost. */
  readonly recoveryMs: number;
  readonly hitsBefore: number;
  /** Reads that went past the backend while the fault lasted: shows that there was one. */
  readonly bypassesBroken: number;
}

export function judge({ answers, stalls, unhandled }: Report, brokenAt: number, healedAt: number): Verdict {
  const ownMs = (answer: Answer) => Math.max(0, answer.tookMs - answer.stalledMs);
  const broken = answers.filter(({ startedAt }) => startedAt >= brokenAt && startedAt < healedAt);
  const opened = broken.filter(({ startedAt }) => startedAt >= brokenAt + 1000).map(ownMs);
  const firstHit = answers
    .filter(({ startedAt, status }) => startedAt >= healedAt && status === 'hit')
    .reduce((first, { startedAt, tookMs }) => Math.min(first, startedAt + tookMs), Infinity);
  return {
    answers: answers.length,
    failed: answers.filter(({ status }) => status === 'failed').length,
    wrong: answers.filter(({ status }) => status === 'wrong').length,
    unhandled,
    slowestMs: Math.round(Math.max(0, ...answers.map(ownMs))),
    p99BrokenMs: Math.round(percentile(opened, 0.99)),
    recoveryMs: Math.round(firstHit - healedAt - stalledMs(stalls, healedAt, firstHit)),
    hitsBefore: answers.filter(({ startedAt, status }) => startedAt < brokenAt && status === 'hit').length,
    bypassesBroken: broken.filter(({ status }) => status === 'bypass').length,
  };
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
