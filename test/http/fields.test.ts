/** Shows that header fields and lists are read as RFC 9110 section 5 wants them. */

import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { fieldValue, listMembers } from 'hotshelf/http';
import { isToken, withoutSpace } from '../../src/http/fields.ts';
import { anyValue, expectUnharmed } from './adversary.ts';

describe('the value of a field', () => {
  it('is one line, a number, or all lines in their order (RFC 9110 section 5.3)', () => {
    expect(fieldValue({ vary: 'Accept' }, 'vary')).toBe('Accept');
    expect(fieldValue({ age: 7 }, 'age')).toBe('7');
    expect(fieldValue({ vary: ['Accept', 'Origin'] }, 'vary')).toBe('Accept, Origin');
  });

  it('tells an empty field from an absent one', () => {
    expect(fieldValue({ vary: '' }, 'vary')).toBe('');
    expect(fieldValue({ vary: undefined }, 'vary')).toBeUndefined();
    expect(fieldValue({}, 'vary')).toBeUndefined();
  });

  it.each(['constructor', 'tostring', 'toString', '__proto__', 'hasOwnProperty'])(
    'is absent for the name %s',
    (name) => {
      expect(fieldValue({}, name)).toBeUndefined();
    },
  );
});

describe('a list', () => {
  // RFC 9110 section 5.6.1.
  it.each<[string | undefined, string[]]>([
    [undefined, []],
    ['', []],
    [', ,\t,', []],
    ['foo , ,bar,charlie', ['foo', 'bar', 'charlie']],
    [' \ta\t ', ['a']],
    ['a="b, c", d', ['a="b, c"', 'd']],
    [String.raw`a="b\", c", d`, [String.raw`a="b\", c"`, 'd']],
    [String.raw`a\, "b`, ['a\\', '"b']],
    ['a, "b, c', ['a', '"b, c']],
    ['"a\\', ['"a\\']],
  ])('%j has the members %j', (value, members) => {
    expect(listMembers(value)).toEqual(members);
  });

  it('of plain members comes back, whatever white space stands around them', () => {
    const member = fc.stringMatching(/^[\w=-]{1,9}$/);
    const space = fc.stringMatching(/^[ \t]{0,3}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(space, member, space)), (members) => {
        const field = members.map((pieces) => pieces.join('')).join(',');
        expect(listMembers(field)).toEqual(members.map(([, text]) => text));
      }),
    );
  });

  it('is read in linear time, whatever it holds', () => {
    expectUnharmed(listMembers);
    expectUnharmed(withoutSpace);
    expectUnharmed(isToken);
  });

  it('loses no letter outside of its separators', () => {
    const letters = (text: string) => text.replaceAll(/[, \t]/g, '');
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(letters(listMembers(value).join(''))).toBe(letters(value));
      }),
    );
  });
});

describe('a token', () => {
  // RFC 9110 section 5.6.2.
  it.each(['a', 'Max-Age', "!#$%&'*+-.^_`|~09"])('can be %s', (text) => expect(isToken(text)).toBe(true));
  it.each(['', 'a b', 'a=b', '"a"', 'a,', 'ü', 'a\n', '(a)'])('cannot be %j', (text) =>
    expect(isToken(text)).toBe(false),
  );
});
