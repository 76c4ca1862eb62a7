/** Checks what a cache is made of, and makes it whole. */

import type { Values } from '../backend/values.ts';
import { facet } from '../backend/facet.ts';
import type { Codec } from '../codec/codec.ts';
import { jsonCodec } from '../codec/json.ts';
import { type Clock, systemClock } from '../support/clock.ts';
import { describe, HotshelfError } from '../support/errors.ts';
import { checkName } from './key.ts';
import { checkLocalOptions, type LocalPolicy } from './local/options.ts';
import { type CacheOptions, defaults } from './options.ts';

export interface Parts {
  readonly backend: CacheOptions['backend'];
  readonly values: Values;
  readonly prefix: string;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly local: LocalPolicy | undefined;
  readonly announces: boolean;
}

/** @throws {HotshelfError} `OPTION_INVALID` or `FACET_MISSING` */
export function checkParts(options: CacheOptions): Parts {
  const { backend, prefix = defaults.prefix, codec = jsonCodec, clock = systemClock, announce = true } = options;
  if (typeof backend !== 'object' || typeof backend?.name !== 'string') {
    throw new HotshelfError(
      'OPTION_INVALID',
      `Expected \`backend\` of createCache() to be a backend such as memory() or await connect(url), got ${describe(backend)}.`,
    );
  }
  checkMethods(codec, '`codec`', ['encode', 'decode', 'isPlain']);
  if (!isCodecId(codec.id)) {
    throw new HotshelfError(
      'OPTION_INVALID',
      `Expected the \`id\` of \`codec\` to be from 128 to 159, got ${describe(codec.id)}.`,
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
  return { backend, values, prefix: checkName(prefix, '`prefix`'), codec, clock, local, announces: announce };
}

function checkMethods(value: unknown, name: string, methods: readonly string[]): void {
  const missing = methods.find((method) => typeof (value as Record<string, unknown> | null)?.[method] !== 'function');
  if (missing === undefined) return;
  throw new HotshelfError(
    'OPTION_INVALID',
    `Expected ${name} to be an object with a function ${missing}(), got ${describe(value)}.`,
  );
}

/** 1 to 31 are hotshelf's own and 128 to 159 its users'; wrappers add 32 and 64. */
function isCodecId(id: unknown): boolean {
  if (typeof id !== 'number' || !Number.isInteger(id) || id < 1 || id > 255) return false;
  const base = id & ~96;
  return base !== 0 && (base < 32 || base >= 128);
}
