/** Shows which groups an answer belongs to and invalidates: RFC 9875. */

import { describe, expect, it } from 'vitest';
import { groupsOf, invalidatedGroups } from '../../src/http/cache-groups.ts';
import { expectUnharmed } from './adversary.ts';

describe('Cache-Groups', () => {
  it.each<[value: string | string[] | undefined, groups: string[]]>([
    ['"scripts"', ['scripts']],
    ['"eurovision-results", "australia"', ['eurovision-results', 'australia']],
    [
      ['"a"', '"b"'],
      ['a', 'b'],
    ],
    // Section 2: members are compared character by character; parameters that nobody knows are ignored.
    ['"a", "A", "a"', ['a', 'A']],
    ['"a";x=1, "b";y', ['a', 'b']],
    [String.raw`"a\"b, c"`, ['a"b, c']],
    ['""', ['']],
    [undefined, []],
    ['', []],
    // No List of Strings: ignored altogether.
    ['"a", b', []],
    ['a', []],
    ['"a", 1', []],
    ['"a", ("b")', []],
    ['"a",', []],
    ['"a" "b"', []],
    ['"\u00e9"', []],
    ['"a', []],
  ])('%j has %j', (value, groups) => {
    expect(groupsOf({ 'cache-groups': value }, 'cache-groups')).toEqual(groups);
    expect(invalidatedGroups('POST', { 'cache-group-invalidation': value })).toEqual(groups);
  });

  it('has many and long groups, none of which is lost', () => {
    const groups = Array.from({ length: 1000 }, (_, index) => `${'g'.repeat(100)}${index}`);
    const value = groups.map((group) => `"${group}"`).join(', ');
    expect(groupsOf({ 'cache-groups': value }, 'cache-groups')).toEqual(groups);
  });

  it('is read in linear time, whatever is in it', () => {
    expectUnharmed((value) => groupsOf({ 'cache-groups': value }, 'cache-groups'));
  });
});

describe('Cache-Group-Invalidation', () => {
  it('means nothing in the answer to a safe method', () => {
    const fields = { 'cache-group-invalidation': '"a"' };
    for (const method of ['GET', 'HEAD', 'OPTIONS']) expect(invalidatedGroups(method, fields)).toEqual([]);
    for (const method of ['POST', 'DELETE', 'M-SEARCH']) expect(invalidatedGroups(method, fields)).toEqual(['a']);
  });

  it('is another field than Cache-Groups', () => {
    expect(invalidatedGroups('POST', { 'cache-groups': '"a"' })).toEqual([]);
    expect(groupsOf({ 'cache-group-invalidation': '"a"' }, 'cache-groups')).toEqual([]);
  });
});
