/** Says how codecs that stand around another are told apart: by a bit of the id, and by their half of the flags. */

import { describe, HotshelfError } from '../support/errors.ts';
import type { Codec } from './codec.ts';

/** What each adds to the id of the codec inside. */
export const layers = { compressed: 32, encrypted: 64 } as const;

/** The half of the flags that the innermost codec has for its own. */
export const baseFlags = 0x0f;

/**
 * Checks that `codec` may stand inside `where`, and says whether it is made by one of `refused`.
 *
 * @param where how the caller wrote the call: `compressed()`
 * @throws {HotshelfError} `OPTION_INVALID`
 */
export function checkInner(codec: Codec, where: string, refused: readonly (keyof typeof layers)[]): void {
  const given: unknown = codec;
  if (!isCodec(given)) {
    throw new HotshelfError(
      'OPTION_INVALID',
      `Expected the codec in ${where} to be an object with an id, encode(), decode() and isPlain(), such as jsonCodec, got ${describe(given)}.`,
    );
  }
  const layer = refused.find((name) => (given.id & layers[name]) !== 0);
  if (layer !== undefined) {
    throw new HotshelfError(
      'OPTION_INVALID',
      `The codec in ${where} is already ${layer}, or has an id that says so: ${given.id}. Write encrypted(compressed(codec)), and give a codec of your own an id from 128 to 159.`,
    );
  }
}

function isCodec(value: unknown): value is Codec {
  if (typeof value !== 'object' || value === null) return false;
  const { id, encode, decode, isPlain } = value as Partial<Codec>;
  return (
    Number.isInteger(id) &&
    typeof id === 'number' &&
    id >= 1 &&
    id <= 255 &&
    [encode, decode, isPlain].every((method) => typeof method === 'function')
  );
}
