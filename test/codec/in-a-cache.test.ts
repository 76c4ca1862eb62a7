/** Shows that a cache treats payloads that it cannot read as misses, even if whoever forged them made good envelopes. */

import { type Codec, createCache, jsonCodec } from 'hotshelf';
import { memory } from 'hotshelf/memory';
import { afterEach, describe, expect, it } from 'vitest';
import { compressed } from '../../src/codec/compressed.ts';
import { encrypted, type EncryptionKey } from '../../src/codec/encrypted.ts';
import { open, seal } from '../../src/codec/envelope.ts';

const secret = (seed: number) => Uint8Array.from({ length: 32 }, (_, index) => (index + seed) & 255);
const mine = 'hs=mine';
const yours = 'hs=yours';

let backend = memory();
afterEach(() => {
  backend = memory();
});

function cacheWith(...keys: EncryptionKey[]) {
  return createCache({ backend, codec: encrypted(compressed(jsonCodec, { above: 0 }), { keys }) });
}

async function bytesAt(key: string): Promise<Buffer> {
  const [stored] = await backend.values.getMany([key]);
  return Buffer.from(stored?.bytes ?? []);
}

/** Writes what stands under `from` under `to` as well, with an envelope that is right for it. */
async function forge(from: string, to: string): Promise<void> {
  const opened = open(from, await bytesAt(from));
  if (typeof opened === 'string') throw new Error(`there is nothing under ${from}: ${opened}`);
  const scope = new Uint32Array([opened.scopeA, opened.scopeB]);
  await backend.values.set(to, seal(to, scope, opened, opened.payload), 60_000);
}

describe('a cache with an encrypted codec', () => {
  it('keeps values in the backend unreadable, and reads them', async () => {
    const cache = cacheWith(secret(1));
    await cache.set('mine', { card: '4111 1111 1111 1111' });
    const bytes = await bytesAt(mine);
    expect(bytes.length).toBeGreaterThan(100);
    expect(bytes.includes('4111')).toBe(false);
    expect(await cacheWith(secret(1)).get('mine', () => 'loaded')).toEqual({ card: '4111 1111 1111 1111' });
  });

  it('loads anew when the value of another key was put in the place of this one', async () => {
    const cache = cacheWith(secret(1));
    await cache.set('mine', 'my balance');
    await forge(mine, yours);
    expect(await cacheWith(secret(1)).get('yours', () => 'your balance')).toBe('your balance');
    // Control: a codec that does not bind values to keys is deceived.
    const plain = createCache({ backend });
    await plain.set('mine', 'my balance');
    await forge(mine, yours);
    expect(await createCache({ backend }).get('yours', () => 'your balance')).toBe('my balance');
  });

  it('loads anew what was encrypted with a key that was removed, and not what another key of the ring wrote', async () => {
    await cacheWith(secret(1)).set('mine', 'old');
    expect(await cacheWith(secret(2), secret(1)).get('mine', () => 'new')).toBe('old');
    expect(await cacheWith(secret(2)).get('mine', () => 'new')).toBe('new');
    expect(await cacheWith(secret(2), secret(1)).get('mine', () => 'newer')).toBe('new');
  });

  it('loads anew when the codec has changed', async () => {
    await cacheWith(secret(1)).set('mine', 'encrypted');
    expect(await createCache({ backend }).get('mine', () => 'plain')).toBe('plain');
  });
});

describe('a codec of a namespace', () => {
  const upper: Codec = {
    id: 130,
    encode: (value) => ({ payload: Buffer.from(String(value).toUpperCase()), flags: 0 }),
    decode: (payload) => payload.toString('utf8'),
    isPlain: () => true,
  };

  it('takes the place of the innermost one: what is secret in the cache is secret there too', async () => {
    const cache = cacheWith(secret(1)).namespace('loud', { codec: upper });
    await cache.set('mine', 'my own words, my own words, my own words');
    expect((await bytesAt('hs/loud=mine')).toString('latin1')).not.toMatch(/words/i);
    expect(await cache.peek('mine')).toBe('MY OWN WORDS, MY OWN WORDS, MY OWN WORDS');
    expect(await cacheWith(secret(1)).namespace('loud').peek('mine')).toBeUndefined();
    expect(await cacheWith(secret(2)).namespace('loud', { codec: upper }).peek('mine')).toBeUndefined();
  });

  it('is inherited, and kept copies of another codec are not its own', async () => {
    const cache = createCache({ backend });
    const loud = cache.namespace('loud', { codec: upper });
    await loud.namespace('inner').set('mine', 'a');
    for (let round = 0; round < 3; round += 1) {
      expect(await loud.namespace('inner').get('mine', () => 'b')).toBe('A');
    }
    expect(
      await cache
        .namespace('loud')
        .namespace('inner')
        .get('mine', () => 'c'),
    ).toBe('c');
  });

  it('may hold bytes in values that are shared', async () => {
    const bytes: Codec = {
      ...upper,
      encode: (value) => ({ payload: value as Buffer, flags: 0 }),
      decode: (payload) => payload,
    };
    const cache = createCache({ backend, codec: bytes });
    await cache.set('mine', Buffer.from([1, 2, 3]));
    for (let round = 0; round < 3; round += 1) expect(await cache.peek('mine')).toEqual(Buffer.from([1, 2, 3]));
  });

  it.each([
    ['text', { payload: 'secret', flags: 0 }],
    ['flags that are no byte', { payload: Buffer.from('secret'), flags: 256 }],
    ['no flags', { payload: Buffer.from('secret') }],
    ['nothing', undefined],
  ])('stores nothing when it returns %s in the place of bytes and flags, and says so', async (_, encoded) => {
    const codec = { ...jsonCodec, id: 128, encode: () => encoded } as unknown as Codec;
    const cache = createCache({ backend, codec });
    for (const work of [() => cache.get('mine', () => 1), () => cache.set('mine', 1)]) {
      const error = await work().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'VALUE_INVALID', message: expect.stringContaining('encode() of codec 128') });
      expect(String(error)).not.toContain('secret');
    }
    expect(await backend.values.getMany([mine])).toEqual([undefined]);
  });

  it('is refused if it is none', () => {
    // @ts-expect-error: for JavaScript users
    expect(() => createCache({ backend }).namespace('loud', { codec: {} })).toThrow('function encode()');
  });
});
