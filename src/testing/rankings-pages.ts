/** The cases of the rankings facet that are about pages and standings. */

import assert from 'node:assert/strict';
import type { RankingQuery, RankingRules, Rankings } from '../backend/rankings.ts';
import { type DefineRankings, ladder, membersOf, newKey, rulesOf, said, submit } from './rankings-kit.ts';

/** Two tie groups across the borders of pages of three; sent in this order. */
const crowd = [
  ['bob', 5],
  ['ann', 7],
  ['cem', 5],
  ['dee', 5],
  ['eve', 5],
  ['fay', 3],
  ['gus', 3],
  ['hal', 1],
] as const;

const pagesOfThree = {
  competition: ['1 ann 7, 2 eve 5, 2 dee 5', '2 cem 5, 2 bob 5, 6 gus 3', '6 fay 3, 8 hal 1'],
  dense: ['1 ann 7, 2 eve 5, 2 dee 5', '2 cem 5, 2 bob 5, 3 gus 3', '3 fay 3, 4 hal 1'],
  earliest: ['1 ann 7, 2 bob 5, 3 cem 5', '4 dee 5, 5 eve 5, 6 fay 3', '7 gus 3, 8 hal 1'],
} as const;

const ties = ['competition', 'dense', 'earliest'] as const;

/** What a query finds, in short: where it begins, how many there are, and who. */
async function asked(rankings: Rankings, key: string, rules: RankingRules, query: RankingQuery): Promise<string> {
  const page = await rankings.page(key, rules, query);
  assert.equal(page.end === undefined, page.rows.length === 0, 'a page ends where it has rows');
  return `${page.from}/${page.size}: ${membersOf(page).join(' ')}`;
}

export function defineRankingPages(it: DefineRankings): void {
  defineStretchCases(it);
  defineScoreCases(it);
  defineMarkCases(it);

  it('finds nothing on a board that is not there', async (trial) => {
    const { rankings } = trial.backend;
    const key = newKey(trial);
    for (const tie of ties) {
      const rules = rulesOf({ ties: tie });
      for (const query of [
        { from: 0, count: 10 },
        { from: 7, count: 10 },
        { around: 'ann', count: 5 },
        { least: -Infinity, most: Infinity, skip: 0, count: 10 },
      ])
        assert.equal(await asked(rankings, key, rules, query), '0/0: ');
      const found = await rankings.find(key, rules, ['ann', 'bob']);
      assert.deepEqual([found.standings, found.size], [[null, null], 0]);
    }
  });

  it('finds who is there, in the order of the question', async (trial) => {
    const { rankings } = trial.backend;
    const key = newKey(trial);
    await submit(rankings, key, rulesOf(), crowd);
    const { standings, size, now } = await rankings.find(key, rulesOf(), ['hal', 'nobody', 'ann', 'cem', 'hal']);
    assert.deepEqual(standings, [
      { score: 1, rank: 8, ahead: 7 },
      null,
      { score: 7, rank: 1, ahead: 0 },
      { score: 5, rank: 2, ahead: 1 },
      { score: 1, rank: 8, ahead: 7 },
    ]);
    assert.equal(size, 8);
    assert.ok(now > 1.6e12 && (await rankings.page(key, rulesOf(), { from: 0, count: 1 })).now >= now);
  });

  it('finds a thousand members, and has pages of a thousand', async (trial) => {
    const { rankings } = trial.backend;
    const key = newKey(trial);
    const members = ladder(1000).map(([member]) => member);
    await submit(rankings, key, rulesOf(), ladder(1000));
    const page = await rankings.page(key, rulesOf(), { from: 0, count: 1000 });
    assert.deepEqual(membersOf(page), members);
    const { standings } = await rankings.find(key, rulesOf(), members);
    assert.deepEqual(
      standings,
      page.rows.map(({ score, rank }) => ({ score, rank, ahead: rank - 1 })),
    );
  });
}

function defineStretchCases(it: DefineRankings): void {
  for (const tie of ties) {
    it(`ranks the rows of any page: ${tie}`, async (trial) => {
      const { rankings } = trial.backend;
      const key = newKey(trial);
      const rules = rulesOf({ ties: tie });
      await submit(rankings, key, rules, crowd);
      for (const [place, expected] of pagesOfThree[tie].entries()) {
        const page = await rankings.page(key, rules, { from: 3 * place, count: 3 });
        assert.equal(said(page), expected);
        assert.deepEqual([page.from, page.size], [3 * place, 8]);
      }
    });
  }

  it('has fewer rows where the board ends, and none behind it', async (trial) => {
    const { rankings } = trial.backend;
    const key = newKey(trial);
    await submit(rankings, key, rulesOf(), ladder(7));
    for (const [from, expected] of [
      [0, '0/7: m1 m2 m3 m4 m5'],
      [2, '2/7: m3 m4 m5 m6 m7'],
      [4, '4/7: m5 m6 m7'],
      [6, '6/7: m7'],
      [7, '7/7: '],
      [1e6, '7/7: '],
    ] as const)
      assert.equal(await asked(rankings, key, rulesOf(), { from, count: 5 }), expected);
  });

  it('has a member in the middle, and a full page at both ends', async (trial) => {
    const { rankings } = trial.backend;
    for (const changes of [{}, { order: 'asc' }, { ties: 'dense' }, { ties: 'earliest' }] as const) {
      const key = newKey(trial);
      const rules = rulesOf(changes);
      const scores = ladder(9);
      await submit(
        rankings,
        key,
        rules,
        rules.order === 'desc' ? scores : scores.map(([member, score]) => [member, -score]),
      );
      for (const [around, count, expected] of [
        ['m5', 1, '4/9: m5'],
        ['m5', 3, '3/9: m4 m5 m6'],
        ['m5', 4, '3/9: m4 m5 m6 m7'],
        ['m5', 5, '2/9: m3 m4 m5 m6 m7'],
        ['m1', 5, '0/9: m1 m2 m3 m4 m5'],
        ['m2', 5, '0/9: m1 m2 m3 m4 m5'],
        ['m2', 2, '1/9: m2 m3'],
        ['m9', 2, '7/9: m8 m9'],
        ['m8', 5, '4/9: m5 m6 m7 m8 m9'],
        ['m9', 5, '4/9: m5 m6 m7 m8 m9'],
        ['m3', 9, '0/9: m1 m2 m3 m4 m5 m6 m7 m8 m9'],
        ['m9', 100, '0/9: m1 m2 m3 m4 m5 m6 m7 m8 m9'],
        ['nobody', 5, '0/9: '],
      ] as const)
        assert.equal(await asked(rankings, key, rules, { around, count }), expected, `${around}, ${count}`);
    }
  });

  it('has a member in the middle of those who share its score', async (trial) => {
    const { rankings } = trial.backend;
    const key = newKey(trial);
    await submit(rankings, key, rulesOf(), crowd);
    const page = await rankings.page(key, rulesOf(), { around: 'cem', count: 3 });
    assert.equal(said(page), '2 dee 5, 2 cem 5, 2 bob 5');
    assert.equal(page.from, 2);
  });
}

function defineScoreCases(it: DefineRankings): void {
  it('finds those with scores between two, both included', async (trial) => {
    const { rankings } = trial.backend;
    const questions = [
      [3, 5, 0, '1/8: eve dee cem bob gus fay', '1/8: fay gus bob cem dee eve'],
      [3.5, 5, 0, '1/8: eve dee cem bob', '3/8: bob cem dee eve'],
      [3, 5, 2, '3/8: cem bob gus fay', '3/8: bob cem dee eve'],
      [5, 5, 3, '4/8: bob', '6/8: eve'],
      [3, 5, 6, '7/8: ', '7/8: '],
      [3, 5, 99, '7/8: ', '7/8: '],
      [-Infinity, 2, 0, '7/8: hal', '0/8: hal'],
      [6, Infinity, 0, '0/8: ann', '7/8: ann'],
      [7, 7, 0, '0/8: ann', '7/8: ann'],
      [5.5, 6.5, 0, '1/8: ', '7/8: '],
      [-9, 0.5, 0, '8/8: ', '0/8: '],
      [8, 9, 5, '0/8: ', '8/8: '],
      [-Infinity, Infinity, 6, '6/8: fay hal', '6/8: eve ann'],
      [Infinity, Infinity, 0, '0/8: ', '8/8: '],
    ] as const;
    for (const [place, order] of (['desc', 'asc'] as const).entries()) {
      const key = newKey(trial);
      const rules = rulesOf({ order });
      await submit(rankings, key, rules, crowd);
      for (const [least, most, skip, ...expected] of questions) {
        const found = await asked(rankings, key, rules, { least, most, skip, count: 100 });
        assert.equal(found, expected[place], `${order}: ${least} to ${most}, but ${skip}`);
      }
      const some = await rankings.page(key, rules, { least: 3, most: 5, skip: 1, count: 2 });
      assert.equal(said(some), order === 'desc' ? '2 dee 5, 2 cem 5' : '2 gus 3, 4 bob 5');
    }
  });

  for (const tie of ties) {
    it(`ranks the rows that a score finds: ${tie}`, async (trial) => {
      const { rankings } = trial.backend;
      const key = newKey(trial);
      const rules = rulesOf({ ties: tie });
      await submit(rankings, key, rules, crowd);
      const page = await rankings.page(key, rules, { least: 2, most: 4, skip: 0, count: 10 });
      const expected = { competition: '6 gus 3, 6 fay 3', dense: '3 gus 3, 3 fay 3', earliest: '6 fay 3, 7 gus 3' };
      assert.equal(said(page), expected[tie]);
    });
  }
}

function defineMarkCases(it: DefineRankings): void {
  for (const tie of ties) {
    it(`goes on behind the end of a page: ${tie}`, async (trial) => {
      const { rankings } = trial.backend;
      const key = newKey(trial);
      const rules = rulesOf({ ties: tie });
      await submit(rankings, key, rules, crowd);
      let page = await rankings.page(key, rules, { from: 0, count: 3 });
      for (const [place, expected] of pagesOfThree[tie].entries()) {
        assert.equal(said(page), expected);
        assert.equal(page.from, 3 * place);
        page = await trial.peer.rankings.page(key, rules, { after: page.end ?? '', count: 3 });
      }
      assert.deepEqual([page.rows, page.from, page.size, page.end], [[], 8, 8, undefined]);
    });

    it(`goes on in the same place when who stood there moved, left, or was followed: ${tie}`, async (trial) => {
      const { rankings } = trial.backend;
      const key = newKey(trial);
      const rules = rulesOf({ ties: tie, mode: 'last' });
      await submit(rankings, key, rules, crowd);
      const { end = '', rows } = await rankings.page(key, rules, { from: 0, count: 3 });
      const last = rows.at(-1)?.member ?? '';
      const rest = async () => membersOf(await rankings.page(key, rules, { after: end, count: 100 }));
      const before = await rest();
      await submit(rankings, key, rules, [[last, 100]]);
      assert.deepEqual(await rest(), before);
      await rankings.remove([key], rules, [last]);
      assert.deepEqual(await rest(), before);
      await submit(rankings, key, rules, [
        ['new', 4],
        ['top', 50],
        ['end', 0],
      ]);
      const expected = before.flatMap((member) =>
        member === (tie === 'earliest' ? 'fay' : 'gus') ? ['new', member] : [member],
      );
      assert.deepEqual(await rest(), [...expected, 'end']);
    });
  }

  it('goes on behind a place that is before all, and behind one that is after all', async (trial) => {
    const { rankings } = trial.backend;
    const key = newKey(trial);
    const rules = rulesOf({ order: 'asc', mode: 'last' });
    await submit(rankings, key, rules, [
      ['low', -5],
      ['high', 5],
    ]);
    const [first, both] = await Promise.all([1, 2].map((count) => rankings.page(key, rules, { from: 0, count })));
    await submit(rankings, key, rules, [
      ['low', 1],
      ['high', 2],
    ]);
    const all = await rankings.page(key, rules, { after: first?.end ?? '', count: 10 });
    assert.equal(said(all), '1 low 1, 2 high 2');
    assert.equal(all.from, 0);
    const none = await rankings.page(key, rules, { after: both?.end ?? '', count: 10 });
    assert.deepEqual([none.rows, none.from, none.size], [[], 2, 2]);
    await rankings.remove([key], rules, ['low', 'high']);
    const gone = await rankings.page(key, rules, { after: both?.end ?? '', count: 10 });
    assert.deepEqual([gone.rows, gone.from, gone.size], [[], 0, 0]);
  });
}
