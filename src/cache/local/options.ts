/** The options of the local tier: names, units, defaults and checks. */

import type { Backend } from '../../backend/backend.ts';
import type { Values } from '../../backend/values.ts';
import { type Duration, durationMs } from '../../support/duration.ts';
import { describe, HotshelfError } from '../../support/errors.ts';
import { checkOptionNames } from '../../support/options.ts';

export interface LocalOptions {
  /**
   * The most bytes that the values of this process may take, by their encoded size.
   * @default 67_108_864
   */
  maxBytes?: number;
  /**
   * The most entries.
   * @default 100_000
   */
  maxEntries?: number;
  /**
   * How long another process may still serve a value from its local tier after it was invalidated here, if it heard nothing of
   * that: from 20 ms to a minute. Usually it hears within a few ms. Without a bus it must be said, and every value is then read
   * again after this time.
   * @default '500ms'
   */
  maxLag?: Duration;
  /**
   * Let every invalidation resolve only when no process serves the old value any more: each one has answered, or `maxLag` has
   * passed for it.
   * @default false
   */
  ack?: boolean;
  /**
   * Give every reader a value of its own, at the price of decoding it again. Otherwise readers share one, which is frozen.
   * @default false
   */
  clone?: boolean;
  /**
   * Have the server tell of changes by anybody, also by programs that do not use hotshelf.
   * @default false
   */
  tracking?: boolean;
}

/** Options after every default was applied. */
export interface LocalPolicy {
  readonly maxBytes: number;
  readonly maxEntries: number;
  readonly maxLagMs: number;
  readonly ack: boolean;
  readonly clone: boolean;
  readonly tracking: boolean;
  /** Nobody tells of invalidations: values are kept for `maxLagMs` at most. */
  readonly timed: boolean;
}

export const localDefaults = {
  maxBytes: 67_108_864,
  maxEntries: 100_000,
  maxLag: '500ms',
  ack: false,
  clone: false,
  tracking: false,
} as const;

const names = Object.keys(localDefaults);
const leastLagMs = 20;
const mostLagMs = 60_000;

/**
 * Returns what the local tier is to be, or `undefined` if there is to be none. Values that live in this process are local already.
 *
 * @throws {HotshelfError} `OPTION_INVALID`
 */
export function checkLocalOptions(
  local: boolean | LocalOptions | undefined,
  backend: Pick<Backend, 'name' | 'bus'> & { readonly values: Pick<Values, 'resident' | 'changes'> },
): LocalPolicy | undefined {
  if (local === undefined || local === false) return undefined;
  const options = local === true ? {} : local;
  checkOptionNames(options, names, '`local`');
  const {
    maxBytes = localDefaults.maxBytes,
    maxEntries = localDefaults.maxEntries,
    maxLag = localDefaults.maxLag,
    ack = localDefaults.ack,
    clone = localDefaults.clone,
    tracking = localDefaults.tracking,
  } = options;
  const policy = {
    maxBytes: count(maxBytes, 'maxBytes', 'bytes'),
    maxEntries: count(maxEntries, 'maxEntries', 'entries'),
    maxLagMs: lagMs(maxLag),
    ack: flag(ack, 'ack'),
    clone: flag(clone, 'clone'),
    tracking: flag(tracking, 'tracking'),
    timed: backend.bus === undefined,
  };
  if (backend.values.resident !== undefined) return undefined;
  if (policy.timed && options.maxLag === undefined) {
    throw invalid(
      `The ${backend.name} adapter has no bus, so a local tier cannot hear of invalidations: give \`local: { maxLag: '200ms' }\`, ` +
        'and a process serves a value for at most so long after another one invalidated it. Or use the redis adapter.',
    );
  }
  if (policy.tracking && backend.values.changes === undefined) {
    throw invalid(
      `The ${backend.name} adapter cannot have its server tell of changes, which \`local.tracking\` needs. ` +
        'Use the redis adapter on a server that is no Cluster, or leave `tracking` out.',
    );
  }
  return policy;
}

function lagMs(value: unknown): number {
  const ms = durationMs(value, 'local.maxLag');
  if (ms >= leastLagMs && ms <= mostLagMs) return ms;
  throw invalid(`Expected \`local.maxLag\` to be from 20 ms to 1 minute, got ${describe(value)}.`);
}

function count(value: unknown, name: string, unit: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value;
  throw invalid(`Expected \`local.${name}\` to be a whole number of ${unit} above 0, got ${describe(value)}.`);
}

function flag(value: unknown, name: string): boolean {
  if (typeof value === 'boolean') return value;
  throw invalid(`Expected \`local.${name}\` to be true or false, got ${describe(value)}.`);
}

function invalid(message: string): HotshelfError {
  return new HotshelfError('OPTION_INVALID', message);
}
