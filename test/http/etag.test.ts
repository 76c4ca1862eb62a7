/** Shows that entity tags are read, compared and made as RFC 9110 section 8.8.3 wants them. */

import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import {
  entityTags,
  listsWeak,
  parseEtag,
  strongEtagOf,
  strongMatch,
  variantEtag,
  weakMatch,
} from '../../src/http/etag.ts';
import { expectUnharmed } from './adversary.ts';

const tagText = fc.string({
  unit: fc.constantFrom(...Array.from('aZ0!#,;\\/=-W'), '\u00e9', '\u00ff'),
  maxLength: 6,
});
const etag = fc.tuple(fc.boolean(), tagText).map(([weak, tag]) => ({ weak, tag, text: `${weak ? 'W/' : ''}"${tag}"` }));

describe('an entity tag', () => {
  // RFC 9110 section 8.8.3.
  it.each([
    ['"xyzzy"', { weak: false, tag: 'xyzzy' }],
    ['W/"xyzzy"', { weak: true, tag: 'xyzzy' }],
    ['""', { weak: false, tag: '' }],
    ['W/""', { weak: true, tag: '' }],
    [' \t"a" ', { weak: false, tag: 'a' }],
    ['"a\\"', { weak: false, tag: 'a\\' }],
    ['"a,b"', { weak: false, tag: 'a,b' }],
    ['"\u00fc"', { weak: false, tag: '\u00fc' }],
  ])('%j is read', (text, expected) => {
    expect(parseEtag(text)).toEqual(expected);
  });

  it.each([
    [undefined],
    [''],
    ['xyzzy'],
    ['"'],
    ['W/"'],
    ['W/'],
    ['w/"a"'],
    ['W"a"'],
    ['W\\"a"'],
    ['W/ "a"'],
    ['"a" b'],
    ['"a"b"'],
    ['"a b"'],
    ['"a\u007f"'],
    ['"a\u0000"'],
    ['"\u0100"'],
    ['"a", "b"'],
    ['*'],
  ])('%j is none', (text) => {
    expect(parseEtag(text)).toBeUndefined();
  });

  it('is what it is read as', () => {
    fc.assert(
      fc.property(etag, ({ weak, tag, text }) => {
        expect(parseEtag(text)).toEqual({ weak, tag });
      }),
    );
  });
});

describe('two entity tags', () => {
  // RFC 9110 section 8.8.3.2, the table; then what is no entity tag at all.
  it.each([
    ['W/"1"', 'W/"1"', false, true],
    ['W/"1"', 'W/"2"', false, false],
    ['W/"1"', '"1"', false, true],
    ['"1"', 'W/"1"', false, true],
    ['"1"', '"1"', true, true],
    ['"1"', '"2"', false, false],
    ['"a"', '"A"', false, false],
    ['1', '1', false, false],
    ['', '', false, false],
    [undefined, undefined, false, false],
    ['"1"', undefined, false, false],
  ])('%j and %j: strong %j, weak %j', (a, b, strong, weak) => {
    expect(strongMatch(a, b)).toBe(strong);
    expect(weakMatch(a, b)).toBe(weak);
  });
});

describe('a list of entity tags', () => {
  it.each([
    ['"a"', ['a']],
    ['"a", W/"b" ,"c"', ['a', 'b', 'c']],
    [', "a",,\t"b", ', ['a', 'b']],
    ['"a,b", "c"', ['a,b', 'c']],
    // A backslash escapes nothing here.
    ['"a\\", "b"', ['a\\', 'b']],
    ['a, "b", w/"c", "d" e, "f"', ['b', 'f']],
    ['"a", "b', ['a']],
    ['*', []],
    ['', []],
    [undefined, []],
  ])('%j has %j', (list, expected) => {
    expect(entityTags(list).map(({ tag }) => tag)).toEqual(expected);
  });

  it('has all the tags that were put into it', () => {
    const blank = fc.constantFrom('', ' ', '\t', ' ,', ', ,');
    fc.assert(
      fc.property(fc.array(fc.tuple(blank, etag, fc.constantFrom('', ' '))), (members) => {
        const list = members.map(([before, { text }, after]) => before + text + after).join(',');
        expect(entityTags(list)).toEqual(members.map(([, { weak, tag }]) => ({ weak, tag })));
      }),
    );
  });

  it('is read in linear time, whatever is in it', () => {
    expectUnharmed((value) => [listsWeak(value, '"a"'), strongMatch(value, value), variantEtag(value, 'br')]);
  });
});

describe('a tag that is made', () => {
  it('is strong, the same for the same bytes, and another for others', () => {
    const body = Buffer.from('{"name":"Zürich"}');
    const made = strongEtagOf(body);
    expect(made).toMatch(/^"[\w-]{22}"$/);
    expect(strongMatch(made, strongEtagOf(new Uint8Array(body)))).toBe(true);
    expect(strongEtagOf(Buffer.from('{"name":"Zürich "}'))).not.toBe(made);
    expect(parseEtag(strongEtagOf(new Uint8Array()))?.weak).toBe(false);
  });

  it.each([
    ['"abc"', 'br', '"abc-br"'],
    ['W/"abc"', 'gzip', 'W/"abc-gzip"'],
    ['"abc"', 'identity', '"abc"'],
    ['abc', 'br', 'abc'],
    ['', 'br', ''],
  ])('of %j in %s is %j', (text, coding, expected) => {
    expect(variantEtag(text, coding)).toBe(expected);
  });

  it('matches no other coding of the same answer', () => {
    fc.assert(
      fc.property(etag, ({ text }) => {
        const variants = ['identity', 'br', 'gzip'].map((coding) => variantEtag(text, coding));
        for (const a of variants) for (const b of variants) expect(weakMatch(a, b)).toBe(a === b);
      }),
    );
  });
});
