/** Ends what takes longer than `timeout.hard`, with an error that says so. */

import { HotshelfError } from '../../support/errors.ts';
import type { Policy } from '../policy.ts';
import type { Space } from '../space.ts';

interface Limited {
  readonly space: Space;
  readonly policy: Policy;
}

/** The error of a load that took too long. */
export function loadTimeout({ space, policy }: Limited): HotshelfError {
  return new HotshelfError(
    'CACHE_LOAD_TIMEOUT',
    `A load in ${space.name} took longer than ${policy.hardMs} ms, its \`timeout.hard\`. Its signal was aborted.`,
  );
}

/** The error of a caller who waited too long for the load of another. */
export function waitTimeout({ space, policy }: Limited): HotshelfError {
  return new HotshelfError(
    'CACHE_LOAD_TIMEOUT',
    `A load in ${space.name} by another caller was waited for longer than ${policy.hardMs} ms, the \`timeout.hard\` of who waited.`,
  );
}

/**
 * Returns what the load of another caller comes to, unless that takes too long for this one.
 *
 * @param theirMs the `timeout.hard` of the other, in ms: one that is no longer ends the load in time, and counts the load alone,
 *   not what a backend that hangs may take before it
 */
export function withinLimit<Value>(limited: Limited, load: Promise<Value>, theirMs: number): Promise<Value> {
  const { hardMs } = limited.policy;
  if (theirMs <= hardMs) return load;
  return new Promise((resolve, reject) => {
    const timer = limited.space.shelf.clock.after(hardMs, () => reject(waitTimeout(limited)));
    void load.then(resolve, reject).finally(() => timer.cancel());
  });
}
