/** What becomes of a field that two requests changed. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Content, cookieOf, cookieSettings, textsIn } from '../../src/sessions/content.ts';
import { Fields as Stored } from '../../src/sessions/fields.ts';
import { changesSince, type Compared, isNothing, merged, type MergeRules } from '../../src/sessions/merge.ts';

type Fields = Record<string, unknown>;

const contentOf = (session: object): Content => ({ texts: textsIn(session), cookie: cookieOf(session, 0) });
const content = (fields: Fields): Content => contentOf({ ...fields, cookie: { path: '/' } });

const stored = ({ texts, cookie }: Content): Compared => ({
  fields: Stored.ofTexts(texts),
  cookie: cookie && cookieSettings(cookie),
});

/** Stores what `mine` made of `base` over what others made of it. */
function merge(base: Fields, mine: Fields, theirs: Fields, rules: MergeRules = {}): Fields {
  const changes = changesSince(stored(content(base)), content(mine));
  return Stored.ofTexts(merged(content(theirs).texts, changes, rules)).values();
}

describe('a merge', () => {
  it('keeps what each of two requests changed', () => {
    expect(merge({ a: 1, b: 1, c: 1 }, { a: 2, b: 1, c: 1 }, { a: 1, b: 2, d: 4 })).toEqual({ a: 2, b: 2, d: 4 });
  });

  it('deletes what one deleted', () => {
    expect(merge({ a: 1, b: 1 }, { b: 1 }, { a: 1, b: 2 })).toEqual({ b: 2 });
    expect(merge({ a: 1 }, {}, { a: 2 }, { a: 'sum' })).toEqual({});
  });

  it('takes the last of two values, where no rule says otherwise', () => {
    expect(merge({ a: 1 }, { a: 2 }, { a: 3 })).toEqual({ a: 2 });
    expect(merge({ a: 1 }, { a: 2 }, {})).toEqual({ a: 2 });
  });

  it.each([
    ['adds both differences', 5, 7, 4, 6],
    ['counts from nothing', undefined, 2, 3, 5],
    ['counts on when the other deleted', 5, 7, undefined, 2],
    ['gives up on what is no number', 5, 'seven', 4, 'seven'],
    ['gives up on what was no number', 'five', 7, 4, 7],
  ])('by sum %s', (_what, base, mine, theirs, result) => {
    expect(merge({ n: base }, { n: mine }, { n: theirs }, { n: 'sum' })).toEqual({ n: result });
  });

  it.each([
    ['keeps what both added', [1], [1, 2], [1, 3], [1, 3, 2]],
    ['keeps out what either removed', [1, 2, 3], [2, 3], [1, 2], [2]],
    [
      'compares by content',
      [{ id: 1 }],
      [{ id: 1 }, { id: 2 }],
      [{ id: 1 }, { id: 2 }, { id: 3 }],
      [{ id: 1 }, { id: 2 }, { id: 3 }],
    ],
    ['gives up on what is no array', [1], 'all', [1, 2], 'all'],
  ])('by union %s', (_what, base, mine, theirs, result) => {
    expect(merge({ n: base }, { n: mine }, { n: theirs }, { n: 'union' })).toEqual({ n: result });
  });

  it('asks a function only where both changed something, and stores plain JSON of its answer', () => {
    const asked: unknown[] = [];
    const rules: MergeRules = {
      n: (conflict) => {
        asked.push(conflict);
        return { at: new Date(0), none: undefined };
      },
    };
    expect(merge({ n: 1, m: 1 }, { n: 2, m: 1 }, { n: 1, m: 2 }, rules)).toEqual({ n: 2, m: 2 });
    expect(asked).toEqual([]);
    expect(merge({ n: 1 }, { n: 2 }, { n: 3 }, rules)).toEqual({ n: { at: '1970-01-01T00:00:00.000Z' } });
    expect(asked).toEqual([{ base: 1, mine: 2, theirs: 3 }]);
    expect(merge({ n: 1 }, { n: 2 }, { n: 3 }, { n: () => undefined })).toEqual({});
  });

  it('finds no rule under a name that every object has', () => {
    expect(merge({}, { constructor: 1, toString: 2 }, { constructor: 3, toString: 4 })).toEqual({
      constructor: 1,
      toString: 2,
    });
  });
});

describe('a change', () => {
  it('is none where JSON is the same', () => {
    const before = stored(content({ at: '1970-01-01T00:00:00.000Z', list: [null], a: 1 }));
    const now = content({ at: new Date(0), list: [undefined], a: 1, gone: undefined, fn: () => 1 });
    expect(isNothing(changesSince(before, now))).toBe(true);
  });

  it('of the cookie is one of its settings, not of its end', () => {
    const cookie = { originalMaxAge: 60_000, path: '/', expires: new Date(60_000) };
    const before = stored(contentOf({ cookie }));
    expect(
      changesSince(before, contentOf({ cookie: { ...cookie, expires: new Date(90_000) } })).cookie,
    ).toBeUndefined();
    expect(changesSince(before, contentOf({ cookie: { ...cookie, originalMaxAge: 59_999 } })).cookie).toBeUndefined();
    expect(changesSince(before, contentOf({ cookie: { ...cookie, path: '/a' } })).cookie).toMatchObject({
      path: '/a',
    });
    expect(changesSince(before, contentOf({ cookie: { ...cookie, originalMaxAge: 1 } })).cookie).toBeDefined();
  });
});

/** Anything that JSON can hold, under names that include the nasty ones. */
const anyFields: fc.Arbitrary<Fields> = fc
  .dictionary(
    fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'a', 'b', '')),
    fc.jsonValue({ maxDepth: 3 }),
    { maxKeys: 6 },
  )
  .map((fields) => Stored.ofTexts(content(fields).texts).values());

describe('of any three states', () => {
  it('the merge is what I made where nobody else changed anything, and theirs where I did not', () => {
    fc.assert(
      fc.property(anyFields, anyFields, (base, other) => {
        expect(merge(base, other, base)).toEqual(other);
        expect(merge(base, base, other)).toEqual(other);
      }),
    );
  });

  it('the merge has my value for each field that I changed', () => {
    fc.assert(
      fc.property(anyFields, anyFields, anyFields, (base, mine, theirs) => {
        const result = new Map(Object.entries(merge(base, mine, theirs)));
        for (const { name, mine: value } of changesSince(stored(content(base)), content(mine)).fields) {
          expect(JSON.stringify(result.get(name))).toBe(value);
        }
      }),
    );
  });

  it('sums of any requests in any order come to the same', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(fc.integer({ min: -1000, max: 1000 })), (start, differences) => {
        let stored: Fields = { n: start };
        for (const difference of differences) {
          stored = merge({ n: start }, { n: start + difference }, stored, { n: 'sum' });
        }
        expect(stored['n']).toBe(differences.reduce((sum, one) => sum + one, start));
      }),
    );
  });
});
