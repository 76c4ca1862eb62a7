/** The cases of the rankings facet on a backend that is full. */

import assert from 'node:assert/strict';
import { boardsOf, type DefineRankings, held, ladder, newKey, rulesOf, submit, wholeBoard } from './rankings-kit.ts';
import { expectError } from './suite.ts';

export function defineRankingBounds(it: DefineRankings): void {
  it('takes as many members as it said, and refuses a call that would be too many whole', async (trial) => {
    const { rankings } = trial.backend;
    const { maxMembers } = rankings;
    assert.ok(maxMembers >= 20 && maxMembers <= 1000, `a small backend, not one for ${maxMembers} members`);
    for (const ties of ['competition', 'dense', 'earliest'] as const) {
      const key = newKey(trial);
      const rules = rulesOf({ ties, mode: 'last' });
      await submit(rankings, key, rules, ladder(maxMembers - 1));
      const before = await held(rankings, key, rules);
      const tooMany = [
        { member: 'm1', score: -1 },
        { member: 'new', score: 5000 },
        { member: 'm2', score: 9000 },
        { member: 'newer', score: 6000 },
        { member: 'new', score: 1 },
      ];
      await expectError(rankings.submit(boardsOf(key), rules, tooMany), 'BOARD_FULL');
      assert.equal(await held(rankings, key, rules), before);
      await submit(rankings, key, rules, [
        ['new', 5000],
        ['new', 6000],
        ['m1', 7000],
      ]);
      assert.equal((await rankings.page(key, rules, wholeBoard)).size, maxMembers);
      await expectError(submit(rankings, key, rules, [['newer', 1]]), 'BOARD_FULL');
      const [answer] = await submit(rankings, key, rules, [['m1', 8000]]);
      assert.deepEqual([answer?.previous, answer?.rank], [7000, 1]);
      assert.deepEqual(await rankings.removeScores([key], rules, -Infinity, Infinity), [maxMembers]);
    }
  });

  it('has room again for as many as left, and for whoever a cap makes room', async (trial) => {
    const { rankings } = trial.backend;
    const key = newKey(trial);
    const { maxMembers } = rankings;
    const rules = rulesOf({ cap: maxMembers });
    await submit(rankings, key, rules, ladder(maxMembers));
    const [better] = await submit(rankings, key, rules, [['new', 5000]]);
    assert.equal(better?.rank, 1);
    assert.equal((await rankings.page(key, rules, wholeBoard)).size, maxMembers);
    await expectError(submit(rankings, key, rulesOf(), [['newer', 1]]), 'BOARD_FULL');
    await rankings.remove([key], rules, ['m1', 'm2', 'nobody']);
    await submit(rankings, key, rulesOf(), [
      ['newer', 1],
      ['newest', 2],
    ]);
    await expectError(submit(rankings, key, rulesOf(), [['too new', 3]]), 'BOARD_FULL');
  });

  it('refuses a cap that it could not hold', async (trial) => {
    const { rankings } = trial.backend;
    const rules = rulesOf({ cap: rankings.maxMembers + 1 });
    await expectError(submit(rankings, newKey(trial), rules, [['ann', 1]]), 'OPTION_INVALID');
  });
}
