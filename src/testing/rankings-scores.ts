/** The cases of the rankings facet that are about scores: exact doubles, and who is dropped by a cap. */

import assert from 'node:assert/strict';
import {
  type DefineRankings,
  held,
  ladder,
  membersOf,
  newKey,
  rulesOf,
  said,
  submit,
  wholeBoard,
} from './rankings-kit.ts';

/** From the lowest to the highest. */
const doubles = [
  -Number.MAX_VALUE,
  -1e21,
  -(2 ** 53 + 2),
  -(2 ** 53),
  -0.1,
  -5e-324,
  0,
  5e-324,
  2.2250738585072014e-308,
  1e-7,
  0.1,
  0.30000000000000004,
  1 / 3,
  1,
  1.0000000000000002,
  123_456_789.123_456_79,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 53 + 2,
  1e21,
  Number.MAX_VALUE,
];

export function defineRankingScores(it: DefineRankings): void {
  for (const ties of ['competition', 'dense', 'earliest'] as const) {
    it(`keeps scores as exact as doubles are: ${ties}`, async (trial) => {
      const { rankings } = trial.backend;
      for (const order of ['desc', 'asc'] as const) {
        const key = newKey(trial);
        const rules = rulesOf({ ties, order });
        const answers = await submit(
          rankings,
          key,
          rules,
          doubles.map((score, index) => [`m${index}`, score]),
        );
        assert.deepEqual(
          answers.map((answer) => answer?.score),
          doubles,
        );
        const sorted = order === 'asc' ? doubles : doubles.toReversed();
        const page = await rankings.page(key, rules, wholeBoard);
        assert.deepEqual(
          page.rows.map(({ score, rank }) => [score, rank]),
          sorted.map((score, index) => [score, index + 1]),
        );
        const { standings } = await rankings.find(
          key,
          rules,
          doubles.map((_, index) => `m${index}`),
        );
        assert.deepEqual(
          standings.map((standing) => standing?.score),
          doubles,
        );
        for (const score of doubles) {
          const found = await rankings.page(key, rules, { least: score, most: score, skip: 0, count: 10 });
          assert.deepEqual(
            found.rows.map((row) => row.score),
            [score],
          );
        }
      }
    });
  }

  it('adds up as doubles do, and stops at the ends of their range', async (trial) => {
    const { rankings } = trial.backend;
    const key = newKey(trial);
    const rules = rulesOf({ mode: 'sum' });
    const most = Number.MAX_VALUE;
    const sums: readonly (readonly [string, readonly number[], number])[] = [
      ['a', [0.1, 0.2], 0.30000000000000004],
      ['b', [2 ** 53 - 1, 1, 1], 2 ** 53],
      ['c', [5e-324, 5e-324], 1e-323],
      ['d', [most, most], most],
      ['e', [-most, -most, most], 0],
      ['f', [1e16, 1, -1e16], 0],
      ['g', [0.7, 0.1, 0.3, -1.1], 0.7 + 0.1 + 0.3 - 1.1],
    ];
    for (const [member, scores, expected] of sums) {
      const answers = await submit(
        rankings,
        key,
        rules,
        scores.map((score) => [member, score]),
      );
      assert.equal(answers.at(-1)?.score, expected, member);
      assert.equal((await rankings.find(key, rules, [member])).standings[0]?.score, expected, member);
    }
  });

  it('knows one zero', async (trial) => {
    const { rankings } = trial.backend;
    for (const mode of ['best', 'last', 'sum'] as const) {
      const key = newKey(trial);
      const rules = rulesOf({ mode });
      const answers = await submit(rankings, key, rules, [
        ['ann', -0],
        ['bob', 0],
        ['bob', -0],
        ['cem', 5],
        ['cem', mode === 'sum' ? -5 : -0],
      ]);
      assert.deepEqual(answers[0], { score: 0, previous: null, rank: 1, improved: true });
      assert.deepEqual(answers[2], { score: 0, previous: 0, rank: 1, improved: false });
      const [cem, ...others] = (await rankings.page(key, rules, { from: 0, count: 10 })).rows;
      assert.deepEqual(cem, { member: 'cem', score: mode === 'best' ? 5 : 0, rank: 1 });
      assert.deepEqual(
        others.map(({ score }) => score),
        [0, 0],
      );
    }
  });

  it('drops those behind the cap, and tells a newcomer who is among them', async (trial) => {
    const { rankings } = trial.backend;
    const key = newKey(trial);
    const rules = rulesOf({ cap: 3 });
    await submit(rankings, key, rules, ladder(3));
    const [worse, better] = await submit(rankings, key, rules, [
      ['low', 0],
      ['top', 9],
    ]);
    assert.deepEqual(worse, { score: 0, previous: null, rank: null, improved: true });
    assert.deepEqual(better, { score: 9, previous: null, rank: 1, improved: true });
    assert.equal(await held(rankings, key, rules), '1 top 9, 2 m1 3, 3 m2 2');
    assert.deepEqual((await rankings.find(key, rules, ['low', 'm3'])).standings, [null, null]);
  });

  it('drops after each submission of a call, not after the last', async (trial) => {
    const { rankings } = trial.backend;
    const key = newKey(trial);
    const rules = rulesOf({ cap: 2, mode: 'sum' });
    await submit(rankings, key, rules, [
      ['ann', 10],
      ['bob', 9],
    ]);
    const answers = await submit(rankings, key, rules, [
      ['cem', 6],
      ['cem', 6],
    ]);
    for (const answer of answers) assert.deepEqual(answer, { score: 6, previous: null, rank: null, improved: true });
    assert.equal(await held(rankings, key, rules), '1 ann 10, 2 bob 9');
  });

  it('drops the last one in the order of the board', async (trial) => {
    const { rankings } = trial.backend;
    for (const [changes, expected] of [
      [{ order: 'desc' }, '1 dee 1, 1 cem 1'],
      [{ order: 'asc' }, '1 ann 1, 1 bob 1'],
      [{ order: 'desc', ties: 'dense' }, '1 dee 1, 1 cem 1'],
      [{ order: 'desc', ties: 'earliest' }, '1 cem 1, 2 ann 1'],
      [{ order: 'asc', ties: 'earliest' }, '1 cem 1, 2 ann 1'],
    ] as const) {
      const key = newKey(trial);
      const rules = rulesOf({ ...changes, cap: 2 });
      await submit(rankings, key, rules, [
        ['cem', 1],
        ['ann', 1],
        ['dee', 1],
        ['bob', 1],
      ]);
      assert.equal(await held(rankings, key, rules), expected);
    }
  });

  it('cuts a board to a lower cap, whatever the submission changes', async (trial) => {
    const { rankings } = trial.backend;
    for (const ties of ['competition', 'dense', 'earliest'] as const) {
      const [key, other] = [newKey(trial), newKey(trial)];
      await submit(rankings, key, rulesOf({ ties, cap: 9 }), ladder(8));
      const [same] = await submit(rankings, key, rulesOf({ ties, cap: 5 }), [['m2', 7]]);
      assert.deepEqual(same, { score: 7, previous: 7, rank: 2, improved: false });
      const page = await rankings.page(key, rulesOf({ ties, cap: 5 }), wholeBoard);
      assert.deepEqual(membersOf(page), ['m1', 'm2', 'm3', 'm4', 'm5']);
      await submit(rankings, other, rulesOf({ ties }), ladder(300));
      const [last] = await submit(rankings, other, rulesOf({ ties, cap: 1 }), [['m300', 1]]);
      assert.deepEqual(last, { score: 1, previous: 1, rank: null, improved: false });
      assert.equal(said(await rankings.page(other, rulesOf({ ties, cap: 1 }), wholeBoard)), '1 m1 300');
    }
  });
}
