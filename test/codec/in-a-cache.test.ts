/** Shows that a cache treats payloads that it cannot read as misses, even if whoever forged them made good envelopes. */

import { createCache, jsonCodec } from 'hotshelf';
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
