/** Turns values into bytes and back. */

/** Encoded bytes, and one byte of flags that the same codec gets back when it decodes. */
export interface Encoded {
  readonly payload: Uint8Array;
  /** Bits 0-3 belong to the codec that makes bytes of a value, 4-7 to those that are put around it. */
  readonly flags: number;
}

export interface Codec {
  /**
   * Names the format in the envelope, which has one byte for it: 128-159 are free for your own codecs, 1-31 are hotshelf's.
   * `compressed` adds 32 and `encrypted` 64.
   */
  readonly id: number;
  /**
   * @param key the full key under which the payload will stand, for codecs that bind a value to it
   * @throws {HotshelfError} `VALUE_INVALID` when the value has a part that the format cannot hold.
   */
  encode(value: unknown, key: string): Encoded;
  /** May throw anything on bytes that it did not write under this key; that is a miss. Must always return a new value. */
  decode(payload: Buffer, flags: number, key: string): unknown;
  /** Tells whether the value that was encoded with `flags` consists of nothing but plain JSON. */
  isPlain(flags: number): boolean;
  /** Of a codec that stands around another: the same around `inner`. */
  over?(inner: Codec): Codec;
}
