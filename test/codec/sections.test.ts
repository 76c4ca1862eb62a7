/** Shows that tags, an etag and the time of a load come back as they were put into a header, and that nothing else fits. */

import * as fc from 'fast-check';
import { HotshelfError } from 'hotshelf';
import { describe, expect, it } from 'vitest';
import { open, seal, tagsFit } from '../../src/codec/envelope.ts';
import { header, key, noExtras, opened, payload, resealed, scope, tagged } from './sealed.ts';

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
    const sections = Buffer.alloc(Math.ceil(content.length / 16) * 16);
    sections.set(content);
    // Without a payload, what is read beyond the header is beyond the bytes too.
    for (const behind of [payload, Buffer.alloc(0)]) {
      const bytes = Buffer.concat([seal(key, scope, header, Buffer.alloc(0)), sections, behind]);
      bytes[3] = (64 + sections.length) / 16;
      expect(open(key, resealed(bytes))).toBe('format');
    }
  });

  it('never make it throw, nor read beyond the header, whatever a writer put there', () => {
    fc.assert(
      fc.property(fc.integer({ min: 5, max: 12 }), fc.func(fc.nat(255)), fc.nat(4), (units, byte, mutations) => {
        const sealed = seal(key, scope, { ...tagged, etag: 'e'.repeat(20) }, payload);
        const bytes = Buffer.concat([sealed.subarray(0, 160), payload.subarray(0, byte(99, 'payload') % 4)]);
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
