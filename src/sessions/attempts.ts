/** Tries again what others got in the way of: a compare-and-set that was refused. */

import { type Clock, sleep } from '../support/clock.ts';
import { HotshelfError } from '../support/errors.ts';

const mostAttempts = 60;
/** The longest pause between two of them, in ms. */
const longestPauseMs = 16;

/**
 * Returns what `attempt` returns, calling it again while that is `undefined`: once at once, then after pauses that grow and are
 * never the same for two.
 *
 * @param what what should be written, for the error: `a change of a session`
 * @throws {HotshelfError} `SESSION_CONTENDED` after 60 attempts
 */
export async function untilWritten<Result>(
  clock: Clock,
  what: string,
  attempt: (count: number) => Promise<Result | undefined>,
): Promise<Result> {
  for (let count = 1; count <= mostAttempts; count += 1) {
    const result = await attempt(count);
    if (result !== undefined) return result;
    if (count > 1) await sleep(clock, clock.random() * Math.min(longestPauseMs, 2 ** (count - 1)));
  }
  throw new HotshelfError(
    'SESSION_CONTENDED',
    `Others wrote in between each of ${mostAttempts} attempts to store ${what}. Change it less often, or keep counters elsewhere.`,
  );
}
