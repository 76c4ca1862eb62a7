/** Shows that an encrypted value is read only whole, under its own key and with a key of the ring, and shows nothing else. */

import { inspect, isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { type Codec, HotshelfError, jsonCodec } from 'hotshelf';
import { describe, expect, it } from 'vitest';
import { compressed } from '../../src/codec/compressed.ts';
import { encrypted, type EncryptedOptions, type EncryptionKey } from '../../src/codec/encrypted.ts';
import { anyValue } from './values.ts';

const key = 'hs:city:#7';
const secret = (seed: number) => Uint8Array.from({ length: 32 }, (_, index) => (index + seed) & 255);
const ring = (...keys: EncryptionKey[]) => encrypted(jsonCodec, { keys });
const codec = ring(secret(0));

function stored(by: Codec, value: unknown, under = key): { payload: Buffer; flags: number } {
  const { payload, flags } = by.encode(value, under);
  return { payload: Buffer.from(payload), flags };
}

describe('an encrypted codec', () => {
  it.each<[string, Codec]>([
    ['encrypted(json)', codec],
    ['encrypted(compressed(json))', encrypted(compressed(jsonCodec, { above: 0 }), { keys: [secret(0)] })],
    [
      'encrypted(compressed(json)) with brotli',
      encrypted(compressed(jsonCodec, { above: 0, format: 'brotli' }), { keys: [secret(0)] }),
    ],
  ])('gives every value back as it was: %s', (_, by) => {
    fc.assert(
      fc.property(anyValue, fc.string(), (given, under) => {
        fc.pre(given !== undefined);
        const { payload, flags } = stored(by, given, under);
        expect(isDeepStrictEqual(by.decode(payload, flags, under), given)).toBe(true);
        expect(by.isPlain(flags)).toBe(jsonCodec.isPlain(jsonCodec.encode(given, key).flags));
      }),
      { numRuns: 1000 },
    );
  });

  it('shows nothing of the value but its length, and never the same bytes twice', () => {
    const given = { name: 'a name that can be searched for' };
    const plain = Buffer.from(jsonCodec.encode(given, key).payload);
    const seen = new Set<string>();
    for (let round = 0; round < 1000; round += 1) {
      const { payload } = stored(codec, given);
      expect(payload.length).toBe(plain.length + 38);
      expect(payload.includes('searched')).toBe(false);
      seen.add(payload.toString('latin1', 10, 22)); // The nonce.
      seen.add(payload.toString('latin1', 38));
    }
    expect(seen.size).toBe(2000);
  });

  const given = { id: 7, name: 'Nice' };
  const whole = stored(codec, given);

  it('refuses a payload with any one bit changed', () => {
    expect(codec.decode(whole.payload, whole.flags, key)).toEqual(given); // Control.
    for (let bit = 0; bit < whole.payload.length * 8; bit += 1) {
      const bytes = Buffer.from(whole.payload);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => codec.decode(bytes, whole.flags, key), `bit ${bit}`).toThrow(Error);
    }
  });

  it('refuses a payload of any other length', () => {
    for (let length = 0; length < whole.payload.length; length += 1)
      expect(() => codec.decode(whole.payload.subarray(0, length), whole.flags, key), `${length} bytes`).toThrow(Error);
    expect(() => codec.decode(Buffer.concat([whole.payload, Buffer.alloc(1)]), whole.flags, key)).toThrow(Error);
  });

  it('refuses a payload under other flags, another key or another codec', () => {
    for (let flags = 0; flags < 256; flags += 1)
      if (flags !== whole.flags) expect(() => codec.decode(whole.payload, flags, key), `flags ${flags}`).toThrow(Error);
    for (const other of ['hs:city:#8', 'hs:city:#77', 'hs:city:#', ''])
      expect(() => codec.decode(whole.payload, whole.flags, other), `under ${other}`).toThrow(Error);
    const other = encrypted(compressed(jsonCodec), { keys: [secret(0)] });
    expect(() => other.decode(whole.payload, whole.flags, key)).toThrow(Error);
  });

  it('refuses any mixture of two payloads of one key', () => {
    const other = stored(codec, { id: 8, name: 'Lyon' });
    expect(other.payload.length).toBe(whole.payload.length);
    // Within the equal heads a cut gives one of the two as it is.
    for (let cut = 11; cut < whole.payload.length; cut += 1) {
      const mixed = Buffer.concat([whole.payload.subarray(0, cut), other.payload.subarray(cut)]);
      if (mixed.equals(whole.payload) || mixed.equals(other.payload)) continue;
      expect(() => codec.decode(mixed, whole.flags, key), `cut at ${cut}`).toThrow(Error);
    }
  });

  it('never gives a value of bytes that it did not write', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(255), (bytes, flags) => {
        const forged = Buffer.concat([whole.payload.subarray(0, bytes.length % 2 === 0 ? 10 : 0), bytes]);
        expect(() => codec.decode(forged, flags, key)).toThrow(Error);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a ring of keys', () => {
  it('reads with the old key while a new one encrypts, until the old one is removed', () => {
    const before = ring(secret(1));
    const during = ring(secret(2), secret(1));
    const after = ring(secret(2));
    const old = stored(before, 'old');
    const fresh = stored(during, 'fresh');
    expect(during.decode(old.payload, old.flags, key)).toBe('old');
    expect(during.decode(fresh.payload, fresh.flags, key)).toBe('fresh');
    expect(after.decode(fresh.payload, fresh.flags, key)).toBe('fresh');
    expect(() => after.decode(old.payload, old.flags, key)).toThrow(/not in the ring/);
    expect(() => before.decode(fresh.payload, fresh.flags, key)).toThrow(/not in the ring/);
  });

  it('finds a key by the id that it was given, and refuses another key of that id', () => {
    const named = stored(ring({ id: '2026-a', key: secret(1) }), 'value');
    expect(ring(secret(2), { id: '2026-a', key: secret(1) }).decode(named.payload, named.flags, key)).toBe('value');
    expect(() => ring({ id: '2026-a', key: secret(2) }).decode(named.payload, named.flags, key)).toThrow(Error);
    expect(() => ring({ id: '2026-b', key: secret(1) }).decode(named.payload, named.flags, key)).toThrow(
      /not in the ring/,
    );
  });

  it('takes a key as bytes, hex or base64, all the same', () => {
    const bytes = Uint8Array.from({ length: 32 }, (_, index) => 255 - index);
    const buffer = Buffer.from(bytes);
    const { payload, flags } = stored(ring(bytes), 'value');
    const forms = [
      buffer,
      buffer.toString('hex'),
      buffer.toString('hex').toUpperCase(),
      buffer.toString('base64'),
      buffer.toString('base64').slice(0, 43),
      buffer.toString('base64url'),
    ];
    for (const form of forms) expect(ring(form).decode(payload, flags, key)).toBe('value');
  });

  it('keeps its keys when the array that they came in is overwritten', () => {
    const bytes = secret(5);
    const by = ring(bytes);
    const { payload, flags } = stored(by, 'value');
    bytes.fill(0);
    expect(by.decode(payload, flags, key)).toBe('value');
    expect(ring(secret(5)).decode(payload, flags, key)).toBe('value');
  });

  it('reads what the first format wrote', () => {
    const derived =
      '01089b2ee9d539c21d2ea0a1a2a3a4a5a6a7a8a9aaaba55ceea757cd5478d6b081d627de55c99d3a154967f13593400be6be6258fafc3ec53a75b0ca';
    const named =
      '0106323032362d61a0a1a2a3a4a5a6a7a8a9aaabd634f00cd4328ea8c77635cece5816db9d3a584f2cac6bd11647bdf13058bd';
    const both =
      '01089b2ee9d539c21d2ea0a1a2a3a4a5a6a7a8a9aaaba5898c83721bc97a84db4c43b5a5ad324d4eb6668986570d30974c9f492f128fba677659bfe1f03eb620ebd537673e50fa380a2bfe3a3721fac604';
    const by = ring({ id: '2026-a', key: secret(0) }, secret(0));
    expect(by.id).toBe(65);
    expect(by.decode(Buffer.from(derived, 'hex'), 1, key)).toEqual({ id: 7, name: 'Nice' });
    expect(by.decode(Buffer.from(named, 'hex'), 3, key)).toBe(7n);
    const outer = encrypted(compressed(jsonCodec), { keys: [secret(0)] });
    expect(outer.id).toBe(97);
    expect(outer.decode(Buffer.from(both, 'hex'), 0x81, key)).toEqual({
      name: 'Nice',
      notes: 'sun and sea, '.repeat(12),
    });
  });
});

describe('encrypted()', () => {
  const material = 'hunter2hunter2hunter2hunter2hu+/==';
  it.each<[string, unknown, RegExp]>([
    ['no keys', [], /at least one key/],
    ['keys that are no array', material, /an array of at least one key/],
    ['nothing', undefined, /an array of at least one key/],
    ['a password', [material], /`keys\[0\]`.*64 characters of hex or 44 of base64, got text of 34 characters/],
    ['hex that is too short', ['ab'.repeat(31)], /got text of 62 characters/],
    ['bytes that are too few', [secret(0), new Uint8Array(31)], /`keys\[1\]`.*to be 32 bytes, got 31 bytes/],
    ['a key for AES-128', [new Uint8Array(16)], /got 16 bytes/],
    ['a number', [42], /got a value of type number/],
    ['null', [null], /got a value of type object/],
    ['a hole', [undefined], /got a value of type undefined/],
    [
      'a key that is given twice',
      [secret(0), Buffer.from(secret(0)).toString('hex')],
      /`keys\[1\]`.*an earlier key has the same/,
    ],
    [
      'two keys of one id',
      [
        { id: 'a', key: secret(0) },
        { id: 'a', key: secret(1) },
      ],
      /an earlier key has the same/,
    ],
    ['an empty id', [{ id: '', key: secret(0) }], /1 to 16 bytes/],
    ['an id that is too long', [{ id: 'é'.repeat(9), key: secret(0) }], /1 to 16 bytes/],
    ['an id that is not well-formed', [{ id: 'a\ud800', key: secret(0) }], /1 to 16 bytes/],
    ['an id that is a number', [{ id: 5, key: secret(0) }], /1 to 16 bytes/],
    ['a named password', [{ id: 'a', key: material }], /got text of 34 characters/],
  ])('refuses %s, and shows nothing of it', (_, keys, message) => {
    let refusal: unknown;
    try {
      encrypted(jsonCodec, { keys } as EncryptedOptions);
    } catch (error) {
      refusal = error;
    }
    if (!(refusal instanceof HotshelfError)) throw new Error('it was not refused');
    expect(refusal).toMatchObject({ code: 'OPTION_INVALID', message: expect.stringMatching(message) });
    expect(inspect(refusal)).not.toMatch(/hunter2|\+\/==/);
  });

  it('refuses to encrypt twice, unknown options, and what is no codec', () => {
    const keys = [secret(0)];
    expect(() => encrypted(codec, { keys })).toThrow(/already encrypted/);
    expect(() => encrypted(jsonCodec, { key: keys } as unknown as EncryptedOptions)).toThrow(/Did you mean `keys`/);
    expect(() => encrypted(undefined as unknown as Codec, { keys })).toThrow(/such as jsonCodec/);
    expect(() => encrypted(jsonCodec, undefined as unknown as EncryptedOptions)).toThrow(/at least one key/);
  });

  it('shows no key when the codec is logged', () => {
    const text = 'QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=';
    expect(inspect(ring(text), { depth: 20, showHidden: true })).not.toMatch(/QUJD|ABCDEF|41 42 43/);
  });
});
