/** The conformance suite of the rankings facet. */

import assert from 'node:assert/strict';
import { type DefineRankings, boardsOf, held, newKey, rulesOf, said, submit, wholeBoard } from './rankings-kit.ts';
import { defineRankingBounds } from './rankings-bounds.ts';
import { defineRankingDecay } from './rankings-decay.ts';
import { defineRankingMembers } from './rankings-members.ts';
import { defineRankingMoves } from './rankings-moves.ts';
import { defineRankingPages } from './rankings-pages.ts';
import { defineRankingRefusals } from './rankings-refusals.ts';
import { defineRankingScores } from './rankings-scores.ts';
import { suite, type ConformanceCase, type Fixture, type SuiteOptions } from './suite.ts';

export interface RankingsSuiteOptions extends SuiteOptions<'rankings'> {
  /**
   * Makes a backend whose boards cannot have more than 20 to 1000 members together, for what happens at that bound.
   *
   * @default that is not looked at
   */
  readonly createSmall?: () => Promise<Fixture<'rankings'>>;
}

/**
 * Returns the cases that the rankings of every adapter must pass, for whatever runs tests.
 *
 * @example
 * for (const { name, run } of rankingsSuite({ create })) it(name, run);
 */
export function rankingsSuite(options: RankingsSuiteOptions): readonly ConformanceCase[] {
  const { createSmall } = options;
  return [
    ...suite(options, (it) => {
      defineRankCases(it);
      defineSubmitCases(it);
      defineEarliestCases(it);
      defineRaceCases(it);
      defineRankingScores(it);
      defineRankingDecay(it);
      defineRankingPages(it);
      defineRankingMembers(it);
      defineRankingMoves(it);
      defineRankingRefusals(it);
    }),
    ...(createSmall === undefined ? [] : suite({ ...options, create: createSmall }, defineRankingBounds)),
  ];
}

/** Eight submissions: a low and a middle score after a good one, and one that is sent twice. */
const story = [
  ['bob', 20],
  ['ann', 20],
  ['dee', 30],
  ['eve', 10],
  ['cem', 20],
  ['ann', 5],
  ['dee', 25],
  ['eve', 10],
] as const;

/** What they come to, by mode and ties, with the highest score first and with the lowest. */
const outcomes = {
  best: {
    competition: [
      '1 dee 30, 2 cem 20, 2 bob 20, 2 ann 20, 5 eve 10',
      '1 ann 5, 2 eve 10, 3 bob 20, 3 cem 20, 5 dee 25',
    ],
    dense: ['1 dee 30, 2 cem 20, 2 bob 20, 2 ann 20, 3 eve 10', '1 ann 5, 2 eve 10, 3 bob 20, 3 cem 20, 4 dee 25'],
    earliest: ['1 dee 30, 2 bob 20, 3 ann 20, 4 cem 20, 5 eve 10', '1 ann 5, 2 eve 10, 3 bob 20, 4 cem 20, 5 dee 25'],
  },
  last: {
    competition: ['1 dee 25, 2 cem 20, 2 bob 20, 4 eve 10, 5 ann 5', '1 ann 5, 2 eve 10, 3 bob 20, 3 cem 20, 5 dee 25'],
    dense: ['1 dee 25, 2 cem 20, 2 bob 20, 3 eve 10, 4 ann 5', '1 ann 5, 2 eve 10, 3 bob 20, 3 cem 20, 4 dee 25'],
    earliest: ['1 dee 25, 2 bob 20, 3 cem 20, 4 eve 10, 5 ann 5', '1 ann 5, 2 eve 10, 3 bob 20, 4 cem 20, 5 dee 25'],
  },
  sum: {
    competition: [
      '1 dee 55, 2 ann 25, 3 eve 20, 3 cem 20, 3 bob 20',
      '1 bob 20, 1 cem 20, 1 eve 20, 4 ann 25, 5 dee 55',
    ],
    dense: ['1 dee 55, 2 ann 25, 3 eve 20, 3 cem 20, 3 bob 20', '1 bob 20, 1 cem 20, 1 eve 20, 2 ann 25, 3 dee 55'],
    earliest: ['1 dee 55, 2 ann 25, 3 bob 20, 4 cem 20, 5 eve 20', '1 bob 20, 2 cem 20, 3 eve 20, 4 ann 25, 5 dee 55'],
  },
} as const;

const orders = ['desc', 'asc'] as const;
const ties = ['competition', 'dense', 'earliest'] as const;
const modes = ['best', 'last', 'sum'] as const;
const allRules = orders.flatMap((order) =>
  ties.flatMap((tie) => modes.map((mode) => rulesOf({ order, ties: tie, mode }))),
);

function defineRankCases(it: DefineRankings): void {
  for (const rules of allRules) {
    const name = `${rules.mode}, ${rules.order}, ${rules.ties}`;
    const expected = outcomes[rules.mode as 'best'][rules.ties][rules.order === 'desc' ? 0 : 1];

    it(`puts members in their places: ${name}`, async (trial) => {
      const { backend, peer } = trial;
      const key = newKey(trial);
      await submit(backend.rankings, key, rules, story.slice(0, 5));
      await submit(peer.rankings, key, rules, story.slice(5));
      const page = await backend.rankings.page(key, rules, wholeBoard);
      assert.equal(said(page), expected);
      assert.deepEqual([page.from, page.size, typeof page.end], [0, 5, 'string']);
      const members = page.rows.map(({ member }) => member);
      const found = await peer.rankings.find(key, rules, members);
      assert.equal(found.size, 5);
      assert.deepEqual(
        found.standings,
        page.rows.map(({ score, rank }, place) => ({
          score,
          rank,
          ahead: rules.ties === 'earliest' ? place : page.rows.findIndex((row) => row.score === score),
        })),
      );
    });

    it(`answers a submission with the place that it gave: ${name}`, async (trial) => {
      const { rankings } = trial.backend;
      const key = newKey(trial);
      for (const [member, score] of story) {
        const before = (await rankings.find(key, rules, [member])).standings[0] ?? null;
        const [answer] = await submit(rankings, key, rules, [[member, score]]);
        const after = (await rankings.find(key, rules, [member])).standings[0];
        const [now = 0, previous = null] = [after?.score, before?.score];
        const improved = previous === null || (rules.order === 'desc' ? now > previous : now < previous);
        assert.deepEqual(answer, { score: now, previous, rank: after?.rank, improved });
      }
    });
  }
}

function defineSubmitCases(it: DefineRankings): void {
  it('submits to several boards at once, to each on top of what it had', async (trial) => {
    const { rankings } = trial.backend;
    const name = trial.key();
    const [day, week, year] = ['day', 'week', 'year'].map((window) => `{${name}}:${window}`) as [
      string,
      string,
      string,
    ];
    const rules = rulesOf({ mode: 'sum' });
    await submit(rankings, week, rules, [
      ['ann', 5],
      ['bob', 20],
    ]);
    await submit(rankings, year, rules, [['ann', 50]]);
    const [first, second] = await rankings.submit(boardsOf(day, week, year), rules, [
      { member: 'ann', score: 10 },
      { member: 'bob', score: -1 },
    ]);
    assert.deepEqual(first, [
      { score: 10, previous: null, rank: 1, improved: true },
      { score: 15, previous: 5, rank: 2, improved: true },
      { score: 60, previous: 50, rank: 1, improved: true },
    ]);
    assert.deepEqual(second, [
      { score: -1, previous: null, rank: 2, improved: true },
      { score: 19, previous: 20, rank: 1, improved: false },
      { score: -1, previous: null, rank: 2, improved: true },
    ]);
    assert.equal(await held(trial.peer.rankings, week, rules), '1 bob 19, 2 ann 15');
  });

  it('submits 128 scores to 16 boards, one after the other, a member twice', async (trial) => {
    const { rankings } = trial.backend;
    const name = trial.key();
    const keys = Array.from({ length: 16 }, (_, index) => `{${name}}:${index}`);
    const rules = rulesOf({ mode: 'sum' });
    const submissions = Array.from({ length: 128 }, (_, index) => ({ member: `m${index % 127}`, score: index + 1 }));
    const answers = await rankings.submit(boardsOf(...keys), rules, submissions);
    assert.deepEqual([answers.length, new Set(answers.map(({ length }) => length))], [128, new Set([16])]);
    for (const [place, answer] of answers.entries()) {
      const expected =
        place === 127
          ? { score: 129, previous: 1, rank: 1, improved: true }
          : { score: place + 1, previous: null, rank: 1, improved: true };
      for (const one of answer) assert.deepEqual(one, expected);
    }
    for (const key of [keys[0] ?? '', keys[15] ?? '']) {
      const page = await rankings.page(key, rules, { from: 0, count: 3 });
      assert.deepEqual([said(page), page.size], ['1 m0 129, 2 m126 127, 3 m125 126', 127]);
    }
  });

  it('keeps boards apart', async (trial) => {
    const { rankings } = trial.backend;
    const [one, other] = [newKey(trial), newKey(trial)];
    await submit(rankings, one, rulesOf(), [['ann', 1]]);
    await submit(rankings, other, rulesOf(), [['bob', 2]]);
    assert.equal(await held(rankings, one, rulesOf()), '1 ann 1');
    assert.equal(await held(rankings, other, rulesOf()), '1 bob 2');
  });
}

function defineEarliestCases(it: DefineRankings): void {
  it('has who reached a score first ahead, also when it is submitted again', async (trial) => {
    const { rankings } = trial.backend;
    const key = newKey(trial);
    const rules = rulesOf({ ties: 'earliest' });
    for (const member of ['bob', 'zed', 'ann', 'bob', 'zed']) await submit(rankings, key, rules, [[member, 7]]);
    assert.equal(await held(rankings, key, rules), '1 bob 7, 2 zed 7, 3 ann 7');
    await submit(rankings, key, rules, [
      ['bob', 6],
      ['cem', 7],
    ]);
    assert.equal(await held(rankings, key, rules), '1 bob 7, 2 zed 7, 3 ann 7, 4 cem 7');
  });

  it('has who left a score and came back to it behind those who stayed', async (trial) => {
    const { rankings } = trial.backend;
    for (const [mode, there, back] of [
      ['last', 5, 10],
      ['sum', -5, 5],
    ] as const) {
      const key = newKey(trial);
      const rules = rulesOf({ ties: 'earliest', mode });
      await submit(rankings, key, rules, [
        ['ann', 10],
        ['bob', 10],
      ]);
      await submit(rankings, key, rules, [['ann', there]]);
      const [answer] = await submit(rankings, key, rules, [['ann', back]]);
      assert.deepEqual(answer, { score: 10, previous: 5, rank: 2, improved: true });
      assert.equal(await held(rankings, key, rules), '1 bob 10, 2 ann 10', mode);
    }
  });

  it('has who was taken off and comes again behind those who stayed', async (trial) => {
    const { rankings } = trial.backend;
    const key = newKey(trial);
    const rules = rulesOf({ ties: 'earliest', order: 'asc' });
    await submit(rankings, key, rules, [
      ['ann', 1],
      ['bob', 1],
    ]);
    await rankings.remove([key], rules, ['ann']);
    await submit(rankings, key, rules, [['ann', 1]]);
    assert.equal(await held(rankings, key, rules), '1 bob 1, 2 ann 1');
  });
}

function defineRaceCases(it: DefineRankings): void {
  it('adds up each of 200 concurrent submissions once, on every board', async (trial) => {
    const { backend, peer } = trial;
    const name = trial.key();
    const keys = [`{${name}}:day`, `{${name}}:week`];
    const rules = rulesOf({ mode: 'sum' });
    const members = ['ann', 'bob', 'cem', 'dee'];
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        (index % 2 ? backend : peer).rankings.submit(boardsOf(...keys), rules, [
          { member: members[index % 4] ?? '', score: index % 4 === 0 ? 2 : 1 },
        ]),
      ),
    );
    for (const key of keys)
      assert.equal(await held(backend.rankings, key, rules), '1 ann 100, 2 dee 50, 2 cem 50, 2 bob 50');
    // Each was told of a step of its own.
    const steps = answers.map(([answer], index) => `${index % 4}:${answer?.[0]?.previous} ${answer?.[1]?.score}`);
    assert.equal(new Set(steps).size, 200);
  });

  it('keeps the best of 200 concurrent newcomers, and no more than the cap', async (trial) => {
    const { backend, peer } = trial;
    const key = newKey(trial);
    const rules = rulesOf({ cap: 20 });
    await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        submit((index % 2 ? backend : peer).rankings, key, rules, [[`m${index}`, (index * 73) % 200]]),
      ),
    );
    const page = await backend.rankings.page(key, rules, wholeBoard);
    assert.deepEqual(
      page.rows.map(({ score }) => score),
      Array.from({ length: 20 }, (_, index) => 199 - index),
    );
  });
}
