/** Shows that stored bytes are either exactly what was sealed under this key, or are not used. */

import { jsonCodec } from 'hotshelf';
import { describe, expect, it } from 'vitest';
import { type HeaderInput, open, seal } from '../../src/codec/envelope.ts';
import { seededRandom } from '../kit/random.ts';
import { header, key, noExtras, opened, payload, resealed, scope, tagged } from './sealed.ts';

/** Format 1, written once and never changed: every later version must read it. */
const goldens: readonly (readonly [what: string, header: HeaderInput, hex: string])[] = [
  [
    'with nothing but the fixed part',
    header,
    '9b480104151192e301010100989852b699ba746801020304f50607084278bcfe5680080040ed4c0000000000408f400000000000000000fa40080000000000007b226964223a372c226e616d65223a224e696365227d',
  ],
  [
    'with tags',
    tagged,
    '9b480107dabea7ef01010100989852b699ba746801020304f50607084278bcfe5680080040ed4c0000000000408f400000000000000000fa400800000000000001002a4278bcfe5680000040280000000000000b68733d7461673a636974790d68733d7461673a6672616e63650000007b226964223a372c226e616d65223a224e696365227d',
  ],
  [
    'with an etag',
    { ...header, etag: '"v1-é"' },
    '9b480105904f34dc01010100989852b699ba746801020304f50607084278bcfe5680080040ed4c0000000000408f400000000000000000fa40080000000000000200072276312dc3a9220000000000007b226964223a372c226e616d65223a224e696365227d',
  ],
  [
    'with tags, an etag and the time of its load',
    { ...tagged, etag: '"abc"', loadMs: 1234 },
    '9b4801086d3fd71601010100989852b699ba746801020304f50607084278bcfe5680080040ed4c0000000000408f400000000000000000fa400800000000000001002a4278bcfe5680000040280000000000000b68733d7461673a636974790d68733d7461673a6672616e63650200052261626322030004000004d2000000007b226964223a372c226e616d65223a224e696365227d',
  ],
];

describe('an envelope', () => {
  it('gives back what was put into it', () => {
    const { payload: content, ...rest } = opened(seal(key, scope, header, payload));
    expect(rest).toEqual({ key, ...header, ...noExtras, scopeA: scope[0], scopeB: scope[1] });
    expect(content.toString()).toBe(payload.toString());
  });

  it('has a version only if the user gave one', () => {
    const { userVersion: _, ...without } = header;
    expect(opened(seal(key, scope, without, payload)).userVersion).toBeUndefined();
    expect(opened(seal(key, scope, { ...header, userVersion: 0 }, payload)).userVersion).toBe(0);
    expect(opened(seal(key, scope, { ...header, userVersion: -1.5 }, payload)).userVersion).toBe(-1.5);
  });

  it('holds an empty payload, and every kind', () => {
    for (const kind of ['entry', 'lease', 'hold'] as const)
      expect(opened(seal(key, scope, { kind }, new Uint8Array()))).toMatchObject({ kind, codec: 0, ttlMs: 0 });
  });

  it('is read from a part of a larger array too', () => {
    const bytes = new Uint8Array(200);
    const sealed = seal(key, scope, header, payload);
    bytes.set(sealed, 13);
    expect(opened(bytes.subarray(13, 13 + sealed.length)).payload.toString()).toBe(payload.toString());
  });

  it.each(goldens)('of format 1 %s is written and read as ever', (_, given, hex) => {
    expect(seal(key, scope, given, payload).toString('hex')).toBe(hex);
    const { payload: content, ...rest } = opened(Buffer.from(hex, 'hex'));
    expect(rest).toEqual({ key, ...noExtras, ...given, scopeA: scope[0], scopeB: scope[1] });
    expect(jsonCodec.decode(content, rest.flags, key)).toEqual({ id: 7, name: 'Nice' });
  });

  it('with a longer header, of a later version, is read without what is new in it', () => {
    const sealed = seal(key, scope, header, payload);
    const sections = [200, 0, 5, 1, 2, 3, 4, 5, 2, 0, 1, 0x61, 0, 9, 9, 9];
    const longer = Buffer.concat([sealed.subarray(0, 64), Buffer.from(sections), sealed.subarray(64)]);
    longer[3] = 5;
    expect(opened(resealed(longer))).toMatchObject({ etag: 'a', tags: [], loadMs: 0 });
    expect(opened(resealed(longer)).payload.toString()).toBe(payload.toString());
  });

  it.each([
    ['a later format', 2, 2, 'format'],
    ['format 0', 2, 0, 'format'],
    ['a header that is too short', 3, 3, 'format'],
    ['a header that is longer than all', 3, 255, 'corrupt'],
    ['kind 0', 8, 0, 'format'],
    ['an unknown kind', 8, 200, 'format'],
    ['a reserved byte that is set', 11, 1, 'format'],
    ['another magic', 0, 0, 'foreign'],
  ])('with %s is not used', (_, at, byte, reason) => {
    const bytes = seal(key, scope, header, payload);
    bytes[at] = byte;
    expect(open(key, resealed(bytes))).toBe(reason);
  });

  it('is not used under another key', () => {
    const bytes = seal(key, scope, header, payload);
    for (const other of ['hs:city:#8', 'hs:city:#77', 'hs:city:7', 'hs=city', ''])
      expect(open(other, bytes), `under ${other}`).toBe('other key');
  });

  it.each([1, 7, 8, 11, 12, 63, 64, 70])('is not used if only %i bytes of it are left', (length) => {
    expect(typeof open(key, seal(key, scope, header, payload).subarray(0, length))).toBe('string');
  });

  it('is not used with any one bit changed', () => {
    const sealed = seal(key, scope, { ...tagged, etag: '"abc"', loadMs: 1234 }, payload);
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const bytes = Buffer.from(sealed);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(typeof open(key, bytes), `bit ${bit}`).toBe('string');
    }
  });

  it('never throws and never gives a wrong value, whatever happened to it', () => {
    const random = seededRandom(20_000);
    const below = (limit: number) => Math.floor(random() * limit);
    const wrong: string[] = [];
    for (let round = 0; round < 20_000; round += 1) {
      // Every length of payload, so that each field is next to the end at some time.
      const content = Buffer.from(JSON.stringify('1234567890'.repeat(4).slice(0, below(40))));
      const sealed = seal(key, scope, round % 2 === 0 ? header : { ...tagged, etag: 'x'.repeat(below(40)) }, content);
      const bytes = damaged(sealed, below, random);
      if (bytes.equals(sealed)) continue;
      if (typeof open(key, bytes) !== 'string') wrong.push(`round ${round}: ${bytes.toString('hex')}`);
    }
    expect(wrong).toEqual([]);
  });

  it('never throws on bytes of somebody else', () => {
    const random = seededRandom(7);
    const wrong: string[] = [];
    for (let round = 0; round < 20_000; round += 1) {
      const bytes = Buffer.from(Array.from({ length: Math.floor(random() * 120) }, () => Math.floor(random() * 256)));
      if (round % 2 === 0) bytes.set([0x9b, 0x48, 1, 4].slice(0, bytes.length));
      if (typeof open(key, bytes) !== 'string') wrong.push(bytes.toString('hex'));
    }
    expect(wrong).toEqual([]);
  });
});

/** Returns a copy with some bytes changed, the end missing, bytes added, or a part moved. */
function damaged(sealed: Buffer, below: (limit: number) => number, random: () => number): Buffer {
  const noise = Buffer.from(Array.from({ length: 1 + below(12) }, () => below(256)));
  const at = below(sealed.length);
  switch (below(4)) {
    case 0: {
      const bytes = Buffer.from(sealed);
      for (let count = 1 + below(4); count > 0; count -= 1)
        bytes[random() < 0.5 ? below(12) : below(bytes.length)] = below(256);
      return bytes;
    }
    case 1:
      return Buffer.from(sealed.subarray(0, at));
    case 2:
      return Buffer.concat([sealed, noise]);
    default:
      return Buffer.concat([sealed.subarray(0, at), noise, sealed.subarray(at)]);
  }
}
