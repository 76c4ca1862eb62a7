/** Shows that the fingerprint of keys and epochs is well spread: no two of many get the same, each bit counts. */

import { describe, expect, it } from 'vitest';
import { hash64 } from '../../src/support/hash64.ts';
import { seededRandom } from '../kit/random.ts';

function hash(text: string): bigint {
  const halves = new Uint32Array(2);
  hash64(text, halves);
  return (BigInt(halves[0] ?? 0) << 32n) | BigInt(halves[1] ?? 0);
}

const families: Record<string, (index: number) => string> = {
  'numbered keys': (index) => `hs:city:#${index}`,
  'keys that differ in the middle': (index) => `hs/a:${index}:the same end of them all`,
  'pairs of numbers': (index) => `hs:grid:#${index % 500}:#${Math.floor(index / 500)}`,
  'texts of one letter': (index) => 'a'.repeat(index % 20_000) + (index < 20_000 ? '' : `b${index}`),
  'eight bytes that differ in few': (index) =>
    Buffer.from([0, 0, 0, 0, 0, index >> 16, (index >> 8) & 255, index & 255]).toString('latin1'),
  'eight bytes that differ in the high bits': (index) =>
    Buffer.from([index & 255, 128, (index >> 8) & 255, 128, (index >> 16) & 255, 128, 0, 128]).toString('latin1'),
};

describe('hash64', () => {
  it.each(Object.entries(families))(
    'gives none of 50,000 %s the hash of another, nor of a half too many',
    (_, text) => {
      const all = new Set<bigint>();
      const high = new Set<bigint>();
      const low = new Set<bigint>();
      const count = 50_000;
      for (let index = 0; index < count; index += 1) {
        const hashed = hash(text(index));
        all.add(hashed);
        high.add(hashed >> 32n);
        low.add(hashed & 0xffffffffn);
      }
      expect(all.size).toBe(count);
      // Of 50,000 random numbers of 32 bits about one in four runs shares its value with another.
      expect(count - high.size).toBeLessThan(20);
      expect(count - low.size).toBeLessThan(20);
    },
  );

  it('changes about half of its bits with any bit of the text', () => {
    const random = seededRandom(3);
    const flips = Array.from({ length: 64 }, () => 0);
    const rounds = 4000;
    for (let round = 0; round < rounds; round += 1) {
      const codes = Array.from({ length: 8 + Math.floor(random() * 30) }, () => 32 + Math.floor(random() * 95));
      const before = hash(String.fromCharCode(...codes));
      const at = Math.floor(random() * codes.length);
      codes[at] = (codes[at] ?? 0) ^ (1 << Math.floor(random() * 7));
      const changed = before ^ hash(String.fromCharCode(...codes));
      for (let bit = 0; bit < 64; bit += 1) if ((changed >> BigInt(bit)) & 1n) flips[bit] = (flips[bit] ?? 0) + 1;
    }
    for (const count of flips) {
      expect(count).toBeGreaterThan(rounds * 0.42);
      expect(count).toBeLessThan(rounds * 0.58);
    }
  });

  it('is the same everywhere and always', () => {
    expect(hash('')).toBe(0xe1938cafe639bbf7n);
    expect(hash('hs:city:#7')).toBe(0x989852b699ba7468n);
  });
});
