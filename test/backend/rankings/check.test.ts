/** Shows what the contract of rankings and uniques refuses, in which words, and that those never show a member. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HotshelfError, type RankingRules } from 'hotshelf';
import {
  checkBoardKeys,
  checkMember,
  checkMembers,
  checkMove,
  checkQuery,
  checkRules,
  checkScores,
  checkSubmit,
} from '../../../src/backend/rankings/check.ts';
import { checkAdd, checkCount } from '../../../src/backend/uniques/check.ts';

const rules: RankingRules = { order: 'desc', ties: 'competition', mode: 'best', cap: Infinity };
const boards = [{ key: '{a}:day', expiresAt: Infinity }];
const good = [{ member: 'ann', score: 1 }];

function refusal(check: () => void): string {
  try {
    check();
  } catch (error) {
    if (error instanceof HotshelfError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'nothing';
}

describe('the checks of rankings', () => {
  it('let pass what means something', () => {
    const decay: RankingRules = { ...rules, mode: 'decay', halfLifeMs: 1 };
    const passing: readonly (() => void)[] = [
      () => checkSubmit(boards, rules, good, Infinity),
      () =>
        checkSubmit(
          [
            { key: 'x{a}', expiresAt: 0 },
            { key: 'x{a}:b', expiresAt: 1.5 },
          ],
          decay,
          [{ member: '\u{1f600}'.repeat(64), score: 5e-324 }],
          10,
        ),
      () => checkRules({ ...rules, cap: 10 }, 10),
      () => checkMembers(Array.from({ length: 1000 }, (_, index) => `${index}`)),
      () => checkScores(-Infinity, Infinity),
      () => checkScores(1, 1),
      () => checkMove('{a}:b', { key: '{a}:c', expiresAt: 5 }, rules, 10),
      () => checkQuery('{a}', rules, { after: '1|0|ann', count: 1000 }, 10),
    ];
    for (const check of passing) expect(refusal(check)).toBe('nothing');
  });

  it.each<readonly [string, () => void]>([
    [
      'OPTION_INVALID: Expected `member` to be a text of 1 to 256 bytes of UTF-8, got an empty one.',
      () => checkMember(''),
    ],
    [
      'OPTION_INVALID: Expected `member` to be a text of 1 to 256 bytes of UTF-8, got one of 258 bytes.',
      () => checkMember('\u00e9'.repeat(129)),
    ],
    [
      'OPTION_INVALID: Expected `member` to be a text of 1 to 256 bytes of UTF-8, got one with half of a surrogate pair, which UTF-8 cannot hold.',
      () => checkMember('ann\ud83d'),
    ],
    [
      'OPTION_INVALID: Expected `member` to be a text of 1 to 256 bytes of UTF-8, got an object.',
      () => checkMember({}),
    ],
    [
      'OPTION_INVALID: Expected `score` to be a finite number, got NaN (number).',
      () => checkSubmit(boards, rules, [{ member: 'ann', score: Number.NaN }], 10),
    ],
    [
      'OPTION_INVALID: Expected `score` to be a finite number above 0, got 0 (number).',
      () => checkSubmit(boards, { ...rules, mode: 'decay', halfLifeMs: 5 }, [{ member: 'ann', score: 0 }], 10),
    ],
    [
      'OPTION_INVALID: Expected `expiresAt` to be an instant in epoch ms, or Infinity, got -1 (number).',
      () => checkSubmit([{ key: '{a}', expiresAt: -1 }], rules, good, 10),
    ],
    [
      'OPTION_INVALID: Expected `cap` to be a whole number from 1 to 10, got 11 (number).',
      () => checkRules({ ...rules, cap: 11 }, 10),
    ],
    [
      'OPTION_INVALID: Expected `mode` to be another one than "decay" for a board with another order or other ties, got "decay" (string).',
      () => checkRules({ ...rules, ties: 'earliest', mode: 'decay', halfLifeMs: 5 }, 10),
    ],
    [
      'OPTION_INVALID: Expected `least and most` to be two numbers, the lower one first, got 2 (number) and 1 (number).',
      () => checkScores(2, 1),
    ],
    [
      'OPTION_INVALID: Expected `count` to be a whole number from 1 to 1000, got 1001 (number).',
      () => checkQuery('{a}', rules, { from: 0, count: 1001 }, 10),
    ],
    ['OPTION_INVALID: Expected `boards` to be 1 to 16 boards, got 0.', () => checkBoardKeys([])],
    [
      'KEY_INVALID: Expected all keys of boards to have the same text in braces, such as "api:{user:7}:minute", so that one server keeps them.',
      () => checkBoardKeys(['{a}', '{b}']),
    ],
    [
      'KEY_INVALID: Expected all keys of boards to be the same up to the closing brace, such as "quiz:{eu}:day" and "quiz:{eu}:week".',
      () => checkBoardKeys(['x{a}', 'y{a}']),
    ],
    [
      'KEY_INVALID: Expected the keys of boards to differ from each other.',
      () => checkMove('{a}', { key: '{a}', expiresAt: 1 }, rules, 10),
    ],
    ['OPTION_INVALID: Expected `members` to be 1 to 1000, got 0.', () => checkAdd('a', [], 1)],
    ['OPTION_INVALID: Expected `keys` to be 1 to 1000, got 0.', () => checkCount([])],
  ])('say %s', (message, check) => {
    expect(refusal(check)).toBe(message);
  });

  it('never show a member', () => {
    const name = 'somebody@example.org';
    const wrongMembers = fc.oneof(
      fc.integer({ min: 13, max: 40 }).map((times) => name.repeat(times)),
      fc.constantFrom(`${name}\ud83d`, `\udc00${name}`, [name], { name }, Symbol(name)),
    );
    fc.assert(
      fc.property(wrongMembers, (wrong) => {
        const member = wrong as string;
        const refused = [
          refusal(() => checkSubmit(boards, rules, [...good, { member, score: 1 }], 10)),
          refusal(() => checkQuery('{a}', rules, { around: member, count: 1 }, 10)),
          refusal(() => checkMembers(['ann', member])),
          refusal(() => checkAdd('a', ['ann', member], 1)),
        ];
        for (const message of refused) {
          expect(message).toContain('OPTION_INVALID');
          expect(message).not.toContain('somebody');
        }
        if (typeof wrong !== 'string') return;
        const mark = refusal(() => checkQuery('{a}', rules, { after: `1|0|${wrong}`, count: 1 }, 10));
        expect(mark).toContain('OPTION_INVALID');
        expect(mark).not.toContain('somebody');
      }),
    );
    const inMark = refusal(() => checkQuery('{a}', rules, { after: `x|0|${name}`, count: 1 }, 10));
    expect(inMark).toContain('OPTION_INVALID');
    expect(inMark).not.toContain('somebody');
  });
});
