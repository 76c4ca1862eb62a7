/** Makes the payload of another codec smaller, where that is worth its time. */

import {
  brotliCompressSync,
  brotliDecompressSync,
  constants as zlib,
  deflateRawSync,
  inflateRawSync,
  type InputType,
} from 'node:zlib';
import { describe, HotshelfError } from '../support/errors.ts';
import { checkOptionNames } from '../support/options.ts';
import type { Codec, Encoded } from './codec.ts';
import { baseFlags, checkInner, layers } from './wrapping.ts';

export interface CompressedOptions {
  /**
   * Payloads of at most so many bytes are stored as they are.
   * @default 1024
   */
  above?: number;
  /**
   * The most bytes that a payload may decompress to. More than that is a miss when it is read, and is never compressed when
   * it is written.
   * @default 67_108_864
   */
  maxOutputLength?: number;
  /**
   * How new entries are compressed; entries of both formats are always read.
   * @default 'deflate-raw'
   */
  format?: CompressionFormat;
}

export type CompressionFormat = 'deflate-raw' | 'brotli';

export const compressedDefaults = { above: 1024, maxOutputLength: 67_108_864, format: 'deflate-raw' } as const;

/** The payload is compressed; with `brotliBit` by brotli. Bits 4 and 5 are kept for later formats. */
const compressedBit = 0x80;
const brotliBit = 0x40;
const unknownBits = 0x30;

/** What is saved must be worth the decompression at each read: a tenth. */
const mostOfIt = 0.9;

/**
 * Returns a codec that compresses what `codec` encodes. A payload that would not shrink by a tenth is stored as it is.
 *
 * Raw deflate is the default because entries are read more often than written: JSON of 10 KB becomes 2.4 to 3.3 KB in 0.1 to
 * 0.2 ms and is back in 0.03 ms. `'brotli'` (quality 5) gives 4 to 7 % fewer bytes, takes up to three times as long to write,
 * and up to twice as long to read; gzip would be deflate with a second checksum. Both work synchronously: writing a payload of
 * 1 MB holds up the process for some 30 ms. Cache smaller parts, or do not compress.
 *
 * @throws {HotshelfError} `OPTION_INVALID` on a wrong option, and around a codec that already compresses or encrypts:
 *   what is encrypted cannot shrink. Write `encrypted(compressed(codec), …)`.
 * @example
 * const cache = createCache({ backend, codec: compressed(jsonCodec) });
 */
export function compressed(codec: Codec, options?: CompressedOptions): Codec {
  checkInner(codec, 'compressed()', ['compressed', 'encrypted']);
  checkOptionNames(options, ['above', 'maxOutputLength', 'format'], 'compressed()');
  const above = checkBytes(options?.above ?? compressedDefaults.above, 'above', 0);
  const maxOutputLength = checkBytes(
    options?.maxOutputLength ?? compressedDefaults.maxOutputLength,
    'maxOutputLength',
    1,
  );
  const format = checkFormat(options?.format ?? compressedDefaults.format);
  const formatBits = compressedBit | (format === 'brotli' ? brotliBit : 0);

  return {
    id: codec.id + layers.compressed,

    encode(value, key): Encoded {
      const plain = codec.encode(value, key);
      if ((plain.flags & ~baseFlags) !== 0) {
        throw new HotshelfError(
          'OPTION_INVALID',
          `Codec ${codec.id} in compressed() sets flags above bit 3, which belong to the codecs around it: ${plain.flags}.`,
        );
      }
      const { length } = plain.payload;
      if (length <= above || length > maxOutputLength) return plain;
      const payload = compress[format](plain.payload);
      return payload.length > length * mostOfIt ? plain : { payload, flags: plain.flags | formatBits };
    },

    decode(payload, flags, key) {
      const inner = flags & baseFlags;
      if (flags === inner) return codec.decode(payload, inner, key);
      if ((flags & compressedBit) === 0 || (flags & unknownBits) !== 0) throw new RangeError('unknown compression');
      const decompress = (flags & brotliBit) === 0 ? inflateRawSync : brotliDecompressSync;
      // A few hundred bytes can stand for gigabytes.
      return codec.decode(decompress(payload, { maxOutputLength }), inner, key);
    },

    isPlain: (flags) => codec.isPlain(flags & baseFlags),

    over: (inner) => compressed(codec.over?.(inner) ?? inner, options),
  };
}

const compress: Readonly<Record<CompressionFormat, (payload: InputType & Uint8Array) => Buffer>> = {
  'deflate-raw': (payload) => deflateRawSync(payload),
  brotli: (payload) =>
    brotliCompressSync(payload, {
      params: {
        [zlib.BROTLI_PARAM_QUALITY]: 5,
        [zlib.BROTLI_PARAM_MODE]: zlib.BROTLI_MODE_TEXT,
        [zlib.BROTLI_PARAM_SIZE_HINT]: payload.length,
      },
    }),
};

function checkBytes(value: number, name: string, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new HotshelfError(
    'OPTION_INVALID',
    `Expected \`${name}\` of compressed() to be a whole number of bytes from ${least}, got ${describe(value)}.`,
  );
}

function checkFormat(value: CompressionFormat): CompressionFormat {
  if (Object.hasOwn(compress, value)) return value;
  throw new HotshelfError(
    'OPTION_INVALID',
    `Expected \`format\` of compressed() to be 'deflate-raw' or 'brotli', got ${describe(value)}.`,
  );
}
