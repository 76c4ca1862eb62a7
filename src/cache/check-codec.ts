/** Checks that a codec is one, and that its id is free. */

import type { Codec } from '../codec/codec.ts';
import { describe, HotshelfError } from '../support/errors.ts';

/** @throws {HotshelfError} `OPTION_INVALID` */
export function checkCodec(codec: Codec): Codec {
  checkMethods(codec, '`codec`', ['encode', 'decode', 'isPlain']);
  if (isCodecId(codec.id)) return codec;
  throw new HotshelfError(
    'OPTION_INVALID',
    `Expected the \`id\` of \`codec\` to be from 128 to 159, got ${describe(codec.id)}.`,
  );
}

/** @throws {HotshelfError} `OPTION_INVALID` unless `value` has these functions. */
export function checkMethods(value: unknown, name: string, methods: readonly string[]): void {
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
