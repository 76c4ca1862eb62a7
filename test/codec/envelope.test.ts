/** Shows that stored bytes are either exactly what was sealed under this key, or are not used. */

import { describe, expect, it } from 'vitest';
import { crc32 } from 'node:zlib';
import * as fc from 'fast-check';
import { HotshelfError, jsonCodec } from 'hotshelf';
import { type HeaderInput, open, type Opened, seal, tagsFit } from '../../src/codec/envelope.ts';
import { seededRandom } from '../kit/random.ts';

const key = 'hs:city:#7';
const scope = new Uint32Array([0x01020304, 0xf5060708]);
const header = {
  kind: 'entry',
  codec: 1,
  flags: 1,
  writtenAt: 1_700_000_000_000.5,
  ttlMs: 60_000,
  graceMs: 1000,
  ageMs: 250,
  userVersion: 3,
} as const;
const noExtras = { tags: [], era: 0, count: 0, etag: undefined, loadMs: 0 };
const tagged = { ...header, tags: ['hs=tag:city', 'hs=tag:france'], era: 1_700_000_000_000, count: 12 } as const;
const payload = Buffer.from('{"id":7,"name":"Nice"}');

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

function opened(bytes: Uint8Array, under = key): Opened {
  const result = open(under, bytes);
  if (typeof result === 'string') throw new Error(`unusable: ${result}`);
  return result;
}

/** Puts the checksum right again, as a writer of another version would. */
function resealed(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32(bytes.subarray(8), bytes.readUInt16BE(2)), 4);
  return bytes;
}

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
    ['an unknown kind', 8, 4, 'format'],
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

describe('the sections of a header', () => {
  const tag = fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCodePoint(code)),
    minLength: 1,
    maxLength: 240,
  });

  it('give back every tag, clock, etag and load time', () => {
    const extras = fc.record({
      tags: fc.oneof(fc.array(tag, { maxLength: 8 }), fc.array(tag, { maxLength: 64, size: 'max' })).filter(tagsFit),
      era: fc.double({ noNaN: true, noDefaultInfinity: true }),
      count: fc.double({ noNaN: true, noDefaultInfinity: true }),
      etag: fc.option(fc.string({ unit: 'grapheme', maxLength: 200 }), { nil: undefined }),
      loadMs: fc.nat(0xffffffff),
    });
    fc.assert(
      fc.property(extras, fc.uint8Array({ maxLength: 40 }), (given, content) => {
        const sealed = seal(key, scope, { kind: 'entry', ...given }, content);
        const back = opened(sealed);
        const { era, count } = given.tags.length > 0 ? given : noExtras;
        expect(back).toMatchObject({ ...given, era, count });
        expect(back.payload.equals(content)).toBe(true);
        expect(sealed.length % 16).toBe(content.length % 16);
      }),
    );
  });

  it('are not there if there is nothing to say, and cost no bytes', () => {
    expect(
      seal(key, scope, { ...header, tags: [], era: 5, count: 6, etag: undefined, loadMs: 0 }, payload).length,
    ).toBe(64 + payload.length);
    const first = opened(seal(key, scope, header, payload));
    const second = opened(seal(key, scope, header, payload));
    expect(first.tags).toBe(second.tags);
    expect(Object.isFrozen(first.tags)).toBe(true);
  });

  it('tell an empty etag from none, and a load of half a ms from none', () => {
    expect(opened(seal(key, scope, { ...header, etag: '' }, payload)).etag).toBe('');
    expect(opened(seal(key, scope, { ...header, loadMs: 0.5 }, payload)).loadMs).toBe(1);
    expect(opened(seal(key, scope, { ...header, loadMs: 1e12 }, payload)).loadMs).toBe(0xffffffff);
  });

  it.each([
    ['64 short ones', Array.from({ length: 64 }, (_, index) => `t${index}`), true],
    ['65', Array.from({ length: 65 }, (_, index) => `t${index}`), false],
    ['64 of 45 characters', Array.from({ length: 64 }, () => 'x'.repeat(45)), true],
    ['64 of 46 characters', Array.from({ length: 64 }, () => 'x'.repeat(46)), false],
    ['12 of 240 characters', Array.from({ length: 12 }, () => 'x'.repeat(240)), true],
    ['13 of 240 characters', Array.from({ length: 13 }, () => 'x'.repeat(240)), false],
    ['one of 241 characters', ['x'.repeat(241)], false],
    ['an empty one', [''], false],
    ['one with a blank', ['a b'], false],
    ['one that is no ASCII', ['é'], false],
  ])('hold as tags %s only if they fit, beside the longest etag', (_, tags, fit) => {
    expect(tagsFit(tags)).toBe(fit);
    const given = { ...tagged, tags, etag: 'e'.repeat(1024), loadMs: 5 };
    if (fit) expect(opened(seal(key, scope, given, payload))).toMatchObject({ tags, etag: given.etag, loadMs: 5 });
    else expect(() => seal(key, scope, given, payload)).toThrow(HotshelfError);
  });

  it.each([
    ['longer than 1,024 bytes', 'é'.repeat(513)],
    ['not well-formed', 'a\ud800'],
  ])('refuse an etag that is %s', (_, etag) => {
    expect(() => seal(key, scope, { ...header, etag }, payload)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    );
  });

  const clock = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  it.each([
    ['that ends before its length', [200, 0, 14]],
    ['of which only the type is there', [200, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
    ['of tags without a clock', [1, 0, 15]],
    ['of tags without tags', [1, 0, 16, ...clock]],
    ['of tags with one that is longer than the section', [1, 0, 18, ...clock, 2, 0x61]],
    ['of tags with an empty one', [1, 0, 19, ...clock, 0, 1, 0x61]],
    ['of tags whose clock is no number', [1, 0, 18, 0x7f, 0xf8, ...clock.slice(2), 1, 0x61]],
    ['with a load time of 3 bytes', [3, 0, 3]],
  ])('make an envelope unusable by one %s', (_, content) => {
    const sealed = seal(key, scope, header, payload);
    const sections = Buffer.alloc(Math.ceil(content.length / 16) * 16);
    sections.set(content);
    const bytes = Buffer.concat([sealed.subarray(0, 64), sections, sealed.subarray(64)]);
    bytes[3] = (64 + sections.length) / 16;
    expect(open(key, resealed(bytes))).toBe('format');
  });

  it('never make it throw, nor read beyond the header, whatever a writer put there', () => {
    fc.assert(
      fc.property(fc.integer({ min: 5, max: 12 }), fc.func(fc.nat(255)), fc.nat(4), (units, byte, mutations) => {
        const sealed = seal(key, scope, { ...tagged, etag: 'e'.repeat(20) }, payload);
        const bytes = Buffer.concat([sealed.subarray(0, 160), payload]);
        bytes[3] = Math.min(units, 10);
        for (let index = 0; index < mutations; index += 1) bytes[64 + (byte(index) % 96)] = byte(index, 'value');
        const result = open(key, resealed(bytes));
        if (typeof result === 'string') expect(result).toBe('format');
        else for (const text of result.tags) expect(text.length).toBeGreaterThan(0);
      }),
      { numRuns: 5000 },
    );
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
