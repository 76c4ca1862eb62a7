/** Shows that a group of boards is read as it was written, and that nothing else is taken for one. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RankingRules } from 'hotshelf';
import { memory } from 'hotshelf/memory';
import { decode, emptyGroup, encode, type Group, sizeOf } from '../../../adapters/memcached/rankings/blob.ts';
import { removeFrom, submitTo } from '../../../adapters/memcached/rankings/changes.ts';
import { Draft } from '../../../adapters/memcached/rankings/draft.ts';
import { GroupReader } from '../../../adapters/memcached/rankings/reader.ts';

const now = 1_790_000_000_000;
const plain: RankingRules = { order: 'desc', ties: 'competition', mode: 'last', cap: Infinity };
const rulesOf: readonly RankingRules[] = [
  plain,
  { ...plain, order: 'asc', ties: 'dense' },
  { ...plain, order: 'asc', ties: 'earliest' },
  { ...plain, mode: 'decay', halfLifeMs: 5000 },
];

type Scores = readonly (readonly [member: string, score: number])[];

/** A board for each of these, and a change to each afterwards: somebody comes, and who comes first goes. */
function groupOf(scores: readonly Scores[]): Group {
  const draft = Draft.of(emptyGroup, now);
  const again = () => {
    const next = Draft.of(decode(encode(draft)) ?? emptyGroup, now);
    for (const [index, [first]] of scores.entries()) {
      const name = `:${index}`;
      if (first === undefined) continue;
      const rules = rulesOf[index % rulesOf.length] ?? plain;
      submitTo(next, [{ name, expiresAt: Infinity }], rules, [{ member: `+${first[0]}`, score: 1 }], 1e4);
      removeFrom(next, [name], rules, [first[0]]);
    }
    next.tidy();
    return next;
  };
  for (const [index, some] of scores.entries()) {
    const submissions = some.map(([member, score]) => ({ member, score }));
    const rules = rulesOf[index % rulesOf.length] ?? plain;
    if (some.length > 0) submitTo(draft, [{ name: `:${index}`, expiresAt: now + 1 + index }], rules, submissions, 1e4);
  }
  return again();
}

function textOf({ boards, reached }: Group): unknown {
  return [reached, Array.from(boards, ([name, board]) => [name, board.kind, board.expiresAt, board.entries(0, 1e4)])];
}

const member = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 9 });
const score = fc.double({ noNaN: true, noDefaultInfinity: true, min: 1 });
const groups = fc.array(fc.array(fc.tuple(member, score), { maxLength: 30 }), { maxLength: 6 }).map(groupOf);

describe('a group of boards', () => {
  it('is read as it was written, and is as large as was said', () => {
    fc.assert(
      fc.property(groups, (group) => {
        const bytes = encode(group);
        expect(bytes.length).toBe(sizeOf(group));
        const read = decode(bytes) ?? emptyGroup;
        expect(textOf(read)).toEqual(textOf(group));
        for (const board of read.boards.values())
          for (const [place, entry] of board.entries(0, 1e4).entries())
            expect(board.placeOf(read.names.find(entry.member))).toBe(place);
        // Nobody is kept who is on no board.
        const members = new Set([...read.boards.values()].flatMap((one) => one.entries(0, 1e4).map((it) => it.member)));
        expect(read.names.size).toBe(members.size);
      }),
      { numRuns: 200 },
    );
  });

  it('with more members than two bytes can number is read as it was written', () => {
    const draft = Draft.of(emptyGroup, now);
    for (let board = 0; board < 8; board += 1) {
      const submissions = Array.from({ length: 9000 }, (_, index) => ({ member: `m${board}-${index}`, score: index }));
      submitTo(draft, [{ name: `${board}`, expiresAt: Infinity }], plain, submissions, 1e4);
    }
    const read = decode(encode(draft)) ?? emptyGroup;
    expect(read.names.size).toBe(72_000);
    expect(textOf(read)).toEqual(textOf(draft));
  });

  it('is not found in what was damaged anywhere, cut off or made up', () => {
    fc.assert(
      fc.property(groups, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.uint8Array(), (group, at, flip, other) => {
        const good = encode(group);
        const damaged = Buffer.from(good);
        damaged[at % good.length] = (good[at % good.length] ?? 0) ^ flip;
        expect(decode(damaged)).toBeUndefined();
        expect(decode(good.subarray(0, at % good.length))).toBeUndefined();
        expect(decode(Buffer.concat([good, other.length > 0 ? other : Buffer.alloc(1)]))).toBeUndefined();
        expect(decode(other)).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  it('of the first format is read for ever', () => {
    const read = decode(Buffer.from(golden, 'base64')) ?? emptyGroup;
    expect(textOf(read)).toEqual([
      1_790_000_000_000_001,
      [
        [
          ':day',
          { order: 'asc', ties: 'earliest', halfLifeMs: 0 },
          1_790_000_086_400_000,
          [
            { member: 'zo\u00eb', score: -2.5, reached: 1_790_000_000_000_001 },
            { member: 'ann', score: 40, reached: 1_790_000_000_000_000 },
          ],
        ],
        [
          '',
          { order: 'desc', ties: 'competition', halfLifeMs: 60_000 },
          Infinity,
          [{ member: 'ann', score: 123.5, reached: 0 }],
        ],
      ],
    ]);
  });

  it('is decoded once a version, however often it is read', async () => {
    const { values } = memory();
    const bytes = encode(groupOf([[['ann', 3]]]));
    await values.set('key', bytes, Infinity);
    const reader = new GroupReader(values);
    const [first, again] = [await reader.read('key'), await reader.read('key')];
    expect(again.group).toBe(first.group);
    await values.set('key', bytes, Infinity);
    expect((await reader.read('key')).group).not.toBe(first.group);
  });
});

/** Written by the version that had this format first. */
const golden =
  'm1IBAjwSmC8EgJdo+28ZQwIAAAAHAAAAAgACA2Fubnpvw6sEBQAAAAAAAAAAAPAwfftvGUMCAAAAOmRheQEAAAAAAAAAAAAEwAAAAAAAAERABICXaPtvGUMAgJdo+28ZQwAAAAAAAABM7UAAAAAAAADwfwEAAAAAAAAAAAAA4F5A';
