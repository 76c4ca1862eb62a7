/** Turns values into bytes and back. */

/** Encoded bytes, and one byte of flags that the same codec gets back when it decodes. */
export interface Encoded {
  readonly payload: Uint8Array;
  readonly flags: number;
}

export interface Codec {
  /** Names the format in the envelope: 1-127 are kept for hotshelf, 128-255 are free for others. */
  readonly id: number;
  /** @throws {HotshelfError} `VALUE_INVALID` when the value has a part that the format cannot hold. */
  encode(value: unknown): Encoded;
  /** May throw anything on bytes that it did not write; that is a miss. Must always return a new value. */
  decode(payload: Buffer, flags: number): unknown;
  /** Tells whether the value that was encoded with `flags` consists of nothing but plain JSON. */
  isPlain(flags: number): boolean;
}
