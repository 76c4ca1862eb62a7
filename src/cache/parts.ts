/** Checks what a cache is made of, and makes it whole. */

import type { Values } from '../backend/values.ts';
import { facet } from '../backend/facet.ts';
import { type Clock, systemClock } from '../support/clock.ts';
import { describe, HotshelfError } from '../support/errors.ts';
import { checkMethods } from './check-codec.ts';
import { checkName } from './key.ts';
import { checkLocalOptions, type LocalPolicy } from './local/options.ts';
import { type CacheOptions, defaults } from './options.ts';

export interface Parts {
  readonly backend: CacheOptions['backend'];
  readonly values: Values;
  readonly prefix: string;
  readonly clock: Clock;
  readonly local: LocalPolicy | undefined;
  readonly announces: boolean;
}

/** @throws {HotshelfError} `OPTION_INVALID` or `FACET_MISSING` */
export function checkParts(options: CacheOptions): Parts {
  const { backend, prefix = defaults.prefix, clock = systemClock, announce = true } = options;
  if (typeof backend !== 'object' || typeof backend?.name !== 'string') {
    throw new HotshelfError(
      'OPTION_INVALID',
      `Expected \`backend\` of createCache() to be a backend such as memory() or await connect(url), got ${describe(backend)}.`,
    );
  }
  checkMethods(clock, '`clock`', ['now', 'monotonic', 'after', 'turn', 'random']);
  if (typeof announce !== 'boolean') {
    throw new HotshelfError('OPTION_INVALID', `Expected \`announce\` to be true or false, got ${describe(announce)}.`);
  }
  const local = checkLocalOptions(options.local, backend);
  if (local !== undefined && !announce) {
    throw new HotshelfError(
      'OPTION_INVALID',
      '`local` needs `announce`: without announcements the copies of other processes would stay after an invalidation.',
    );
  }
  const values = facet(backend, 'values', 'createCache()');
  return { backend, values, prefix: checkName(prefix, '`prefix`'), clock, local, announces: announce };
}
