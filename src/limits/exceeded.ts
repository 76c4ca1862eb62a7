/** The error of a call that a limit refused, where a verdict cannot be returned. */

import { HotshelfError } from '../support/errors.ts';
import type { Verdict } from './verdict.ts';

/** Raised by functions of `limiter.wrap` and methods with `@limited`, which did not run. Its `code` is `LIMIT_EXCEEDED`. */
export class LimitExceededError extends HotshelfError {
  readonly verdict: Verdict;

  /** @param name the name of the limiter */
  constructor(name: string, verdict: Verdict) {
    super('LIMIT_EXCEEDED', `The limit "${name}" refused the call: ${reasonOf(verdict)}.`);
    this.verdict = verdict;
  }
}

function reasonOf({ degraded, policy, limit, retryAfterMs }: Verdict): string {
  if (degraded === 'closed') return 'its store does not answer, and without it nothing passes';
  const when = Number.isFinite(retryAfterMs) ? `Try again in ${Math.ceil(retryAfterMs)} ms` : 'It will never pass';
  return `"${policy}" allows ${limit}. ${when}`;
}
