/** Shows that compression keeps values, never makes them larger, reads all its formats, and cannot be used as a bomb. */

import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { type Codec, jsonCodec } from 'hotshelf';
import { describe, expect, it } from 'vitest';
import { compressed, compressedDefaults, type CompressedOptions } from '../../src/codec/compressed.ts';
import { encrypted } from '../../src/codec/encrypted.ts';
import { open, seal } from '../../src/codec/envelope.ts';
import { seededRandom } from '../kit/random.ts';
import { anyValue } from './values.ts';

const key = 'hs:city:#7';
const scope = new Uint32Array(2);
const small = compressed(jsonCodec, { above: 0 });
const brotli = compressed(jsonCodec, { above: 0, format: 'brotli' });
const isCompressed = (flags: number) => (flags & 0x80) !== 0;

function stored(codec: Codec, value: unknown): { payload: Buffer; flags: number } {
  const { payload, flags } = codec.encode(value, key);
  return { payload: Buffer.from(payload), flags };
}

describe('a compressed codec', () => {
  it.each([
    ['deflate-raw', small],
    ['brotli', brotli],
  ])('gives every value back as it was with %s', (_, codec) => {
    fc.assert(
      fc.property(anyValue, fc.nat(40), (part, times) => {
        const given = Array.from({ length: times }, () => part);
        const { payload, flags } = stored(codec, given);
        expect(isDeepStrictEqual(codec.decode(payload, flags, key), given)).toBe(true);
        const plain = stored(jsonCodec, given);
        expect(payload.length).toBeLessThanOrEqual(plain.payload.length);
        expect(codec.isPlain(flags)).toBe(jsonCodec.isPlain(plain.flags));
      }),
      { numRuns: 1000 },
    );
  });

  it('makes repetitive JSON much smaller', () => {
    const rows = Array.from({ length: 100 }, (_, id) => ({ id, name: `city ${id}`, country: 'FR' }));
    const plain = stored(jsonCodec, rows).payload.length;
    for (const codec of [compressed(jsonCodec), compressed(jsonCodec, { format: 'brotli' })]) {
      const { payload, flags } = stored(codec, rows);
      expect(isCompressed(flags)).toBe(true);
      expect(payload.length).toBeLessThan(plain / 4);
    }
  });

  it('stores as it is what is small, what does not shrink by a tenth, and what it could not read again', () => {
    const half = compressed(jsonCodec, { above: 100 });
    expect(isCompressed(stored(half, 'x'.repeat(98)).flags)).toBe(false);
    expect(isCompressed(stored(half, 'x'.repeat(99)).flags)).toBe(true);
    const random = seededRandom(1);
    const noise = Array.from({ length: 3000 }, () => Math.floor(random() * 256));
    const raw = compressed(ownCodec, { above: 0 });
    for (const [zeros, worthIt] of [
      [0, false],
      [200, false],
      [600, true],
    ] as const)
      expect(isCompressed(stored(raw, new Uint8Array([...noise, ...new Uint8Array(zeros)])).flags)).toBe(worthIt);
    const bounded = compressed(jsonCodec, { maxOutputLength: 5000 });
    expect(isCompressed(stored(bounded, 'x'.repeat(4998)).flags)).toBe(true);
    const over = stored(bounded, 'x'.repeat(4999));
    expect(isCompressed(over.flags)).toBe(false);
    expect(bounded.decode(over.payload, over.flags, key)).toBe('x'.repeat(4999));
  });

  it('reads what the other format wrote', () => {
    const given = { at: new Date(5), text: 'x'.repeat(500) };
    for (const [writer, reader] of [
      [small, brotli],
      [brotli, small],
    ] as const) {
      const { payload, flags } = stored(writer, given);
      expect(isCompressed(flags)).toBe(true);
      expect(reader.decode(payload, flags, key)).toStrictEqual(given);
    }
  });

  const bomb = 'x'.repeat(20_000_000);
  it.each(['deflate-raw', 'brotli'] as const)('stops a bomb of %s at the bound', (format) => {
    const { payload, flags } = stored(compressed(jsonCodec, { format }), bomb);
    expect(payload.length).toBeLessThan(30_000);
    expect(() => compressed(jsonCodec, { maxOutputLength: 1_000_000 }).decode(payload, flags, key)).toThrow(
      expect.objectContaining({ code: 'ERR_BUFFER_TOO_LARGE' }),
    );
    // Control: it is the bound that stops it.
    expect(compressed(jsonCodec, { maxOutputLength: 20_000_002 }).decode(payload, flags, key)).toBe(bomb);
  });

  it('never gives a wrong value of bytes that were changed in the backend', () => {
    const random = seededRandom(11);
    const given = Array.from({ length: 40 }, (_, id) => ({ id, name: 'Nice' }));
    const sealed = [small, brotli].map((codec) => {
      const { payload, flags } = stored(codec, given);
      return { codec, bytes: seal(key, scope, { kind: 'entry', codec: codec.id, flags }, payload) };
    });
    for (let round = 0; round < 20_000; round += 1) {
      const { codec, bytes } = sealed[round % 2] ?? { codec: small, bytes: Buffer.alloc(0) };
      const changed = Buffer.from(
        bytes.subarray(0, random() < 0.2 ? Math.floor(random() * bytes.length) : bytes.length),
      );
      const bit = Math.floor(random() * changed.length * 8);
      if (changed.length > 0) changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(typeof open(key, changed)).toBe('string');
      const whole = open(key, bytes);
      if (round < 2 && typeof whole !== 'string')
        expect(codec.decode(whole.payload, whole.flags, key)).toStrictEqual(given);
    }
  });

  it('refuses, with an error that becomes a miss, what no writer has written', () => {
    const { payload, flags } = stored(small, 'x'.repeat(500));
    expect(small.decode(payload, flags, key)).toBe('x'.repeat(500));
    for (const wrong of [flags | 0x20, flags | 0x10, flags & 0x7f, flags | 0x40, 0x41, 0x10, 0x21])
      expect(() => small.decode(payload, wrong, key), `flags ${wrong}`).toThrow(Error);
    for (const bytes of [Buffer.alloc(0), payload.subarray(0, 4), Buffer.from('{"id":7}')])
      expect(() => small.decode(bytes, flags, key)).toThrow(Error);
  });

  it('reads what the first format wrote', () => {
    const expected = { name: 'Nice', notes: 'sun and sea, '.repeat(12) };
    const deflated = 'ab56ca4bcc4d55b252f2cb4c4e55d251cacb2f492d56b2522a2ecd5348cc4b51284e4dd45118641ca55a00';
    const brotlied =
      '1bb50000046a6ea9b2cb84440984cedc0783146672c2061c30079a53e80bd92d18da6a3eba8e08722fe10443e7f634e19351b9291f';
    expect(compressed(jsonCodec).decode(Buffer.from(deflated, 'hex'), 0x81, key)).toStrictEqual(expected);
    expect(compressed(jsonCodec).decode(Buffer.from(brotlied, 'hex'), 0xc1, key)).toStrictEqual(expected);
    expect(compressed(jsonCodec).decode(Buffer.from('{"id":7}'), 0x01, key)).toStrictEqual({ id: 7 });
    expect(compressed(jsonCodec).id).toBe(33);
  });
});

/** Somebody's own codec: bytes as they are. */
const ownCodec: Codec = {
  id: 130,
  encode: (value) => ({ payload: value as Uint8Array, flags: 9 }),
  decode: (payload) => Uint8Array.from(payload),
  isPlain: (flags) => flags === 9,
};

describe('compressed()', () => {
  it('has the defaults that its documentation names', () => {
    expect(compressedDefaults).toEqual({ above: 1024, maxOutputLength: 64 * 1024 * 1024, format: 'deflate-raw' });
    expect(isCompressed(stored(compressed(jsonCodec), 'x'.repeat(1022)).flags)).toBe(false);
    expect(isCompressed(stored(compressed(jsonCodec), 'x'.repeat(1023)).flags)).toBe(true);
    expect(stored(compressed(jsonCodec), 'x'.repeat(1023)).flags).toBe(0x81);
  });

  it('stands around a codec of your own, and gives it its flags back', () => {
    const codec = compressed(ownCodec, { above: 0 });
    const given = new Uint8Array(200);
    const { payload, flags } = stored(codec, given);
    expect(codec.id).toBe(162);
    expect(flags).toBe(0x89);
    expect(codec.isPlain(flags)).toBe(true);
    expect(codec.decode(payload, flags, key)).toEqual(given);
    const greedy = compressed({ ...ownCodec, encode: () => ({ payload: given, flags: 0x10 }) });
    expect(() => greedy.encode(given, key)).toThrow(/flags above bit 3/);
  });

  it.each<[string, () => Codec, RegExp]>([
    [
      'a compressed codec',
      () => compressed(compressed(jsonCodec)),
      /already compressed.*encrypted\(compressed\(codec\)\)/,
    ],
    ['an encrypted codec', () => compressed(encrypted(jsonCodec, { keys: [new Uint8Array(32)] })), /already encrypted/],
    ['a codec whose id says that it compresses', () => compressed({ ...ownCodec, id: 160 }), /from 128 to 159/],
    ['nothing', () => compressed(undefined as unknown as Codec), /such as jsonCodec, got undefined/],
    ['half a codec', () => compressed({ id: 130 } as Codec), /such as jsonCodec, got an object/],
    ['a codec without an id', () => compressed({ ...ownCodec, id: 0 }), /such as jsonCodec/],
    ['a negative bound', () => compressed(jsonCodec, { above: -1 }), /`above`.*got -1/],
    ['no room', () => compressed(jsonCodec, { maxOutputLength: 0 }), /`maxOutputLength`.*from 1, got 0/],
    ['parts of a byte', () => compressed(jsonCodec, { maxOutputLength: 1.5 }), /got 1.5/],
    [
      'an unknown format',
      () => compressed(jsonCodec, { format: 'gzip' } as unknown as CompressedOptions),
      /'brotli', got "gzip"/,
    ],
    ['an unknown option', () => compressed(jsonCodec, { abov: 1 } as CompressedOptions), /Did you mean `above`/],
  ])('refuses %s', (_, make, message) => {
    expect(make).toThrow(expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringMatching(message) }));
  });
});
