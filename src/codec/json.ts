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
    const { payload, flags } = encodedJson(JSON.stringify(plain ? value : toTagged(value)));
    return { payload, flags: flags | (plain ? 0 : rich) };
  },

  decode(payload, flags) {
    const value: unknown = JSON.parse(textIn(payload, flags));
    return (flags & rich) === 0 ? value : untag(value);
  },

  isPlain: (flags) => (flags & rich) === 0,
};

/** Returns what `jsonCodec` writes for the value that `json` stands for; `json` is plain JSON, as `JSON.stringify` writes it. */
export function encodedJson(json: string): Encoded {
  const payload = Buffer.from(json, 'utf8');
  return { payload, flags: payload.length === json.length ? ascii : 0 };
}

/** Returns the JSON that `jsonCodec` wrote, if it is plain. */
export function jsonIn(payload: Buffer, flags: number): string | undefined {
  return (flags & rich) === 0 ? textIn(payload, flags) : undefined;
}

function textIn(payload: Buffer, flags: number): string {
  return (flags & ascii) === 0 ? payload.toString('utf8') : payload.toString('latin1');
}
