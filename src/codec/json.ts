/** The default codec: JSON, with Date, Map, Set, BigInt, bytes, `undefined`, NaN, infinities and -0 kept as they are. */

import { HotshelfError } from '../support/errors.ts';
import type { Codec, Encoded } from './codec.ts';
import { isPlainJson, toTagged, untag } from './rich.ts';

const ascii = 1;
const rich = 2;

/**
 * Plain JSON is written and read by the engine's own functions; only a value with richer parts is walked.
 * Text that is pure ASCII is flagged, because it can be read several times faster.
 */
export const jsonCodec: Codec = {
  id: 1,

  encode(value): Encoded {
    // `undefined` says that there is nothing to cache; inside a value it is kept.
    if (value === undefined) throw new HotshelfError('VALUE_INVALID', 'Expected a value to encode, got undefined.');
    const plain = isPlainJson(value);
    const text = JSON.stringify(plain ? value : toTagged(value));
    const payload = Buffer.from(text, 'utf8');
    return { payload, flags: (payload.length === text.length ? ascii : 0) | (plain ? 0 : rich) };
  },

  decode(payload, flags) {
    const text = (flags & ascii) === 0 ? payload.toString('utf8') : payload.toString('latin1');
    const value: unknown = JSON.parse(text);
    return (flags & rich) === 0 ? value : untag(value);
  },

  isPlain: (flags) => (flags & rich) === 0,
};
