/** The cases of the rankings facet that are about boards as a whole: their lifetimes, and how they get another key. */

import assert from 'node:assert/strict';
import type { RankingRules, Rankings } from '../backend/rankings.ts';
import { boardsOf, type DefineRankings, held, ladder, newKey, rulesOf, submit, wholeBoard } from './rankings-kit.ts';
import { expectExpiry } from './suite.ts';

const member = 'ann';

/** The time of the store, in epoch ms. */
async function timeOf(rankings: Rankings, key: string, rules: RankingRules): Promise<number> {
  return (await rankings.find(key, rules, [member])).now;
}

async function isThere(rankings: Rankings, key: string, rules: RankingRules): Promise<boolean> {
  const [page, found] = await Promise.all([rankings.page(key, rules, wholeBoard), rankings.find(key, rules, [member])]);
  if (page.size === 0) assert.deepEqual([page.rows, page.end], [[], undefined]);
  return found.size > 0 && found.standings[0] !== null;
}

export function defineRankingMoves(it: DefineRankings): void {
  defineLifetimes(it);
  const pair = (name: string) => [`{${name}}:now`, `{${name}}:then`] as const;

  it('gives a board another key', async (trial) => {
    const { rankings } = trial.backend;
    for (const ties of ['competition', 'dense', 'earliest'] as const) {
      const [key, to] = pair(trial.key());
      const rules = rulesOf({ ties });
      await submit(rankings, key, rules, [
        ['ann', 5],
        ['bob', 5],
        ['cem', 9],
      ]);
      const before = await held(rankings, key, rules);
      assert.equal(await trial.peer.rankings.move(key, { key: to, expiresAt: Infinity }, rules), 'moved');
      assert.equal(await held(rankings, to, rules), before);
      assert.equal(await held(rankings, key, rules), '');
      await submit(rankings, key, rules, [['zed', 1]]);
      await submit(rankings, to, rules, [['aaa', 5]]);
      assert.equal(await held(rankings, key, rules), '1 zed 1');
      const { standings } = await rankings.find(to, rules, ['ann', 'aaa']);
      const expected = { competition: [2, 2], dense: [2, 2], earliest: [2, 4] }[ties];
      assert.deepEqual(
        standings.map((standing) => standing?.rank),
        expected,
      );
    }
  });

  it('does nothing if there is no board, or if the other key is taken', async (trial) => {
    const { rankings } = trial.backend;
    const [key, to] = pair(trial.key());
    const rules = rulesOf();
    const target = { key: to, expiresAt: Infinity };
    assert.equal(await rankings.move(key, target, rules), 'missing');
    await submit(rankings, to, rules, [['bob', 1]]);
    assert.equal(await rankings.move(key, target, rules), 'missing');
    await submit(rankings, key, rules, [['ann', 2]]);
    assert.equal(await rankings.move(key, target, rules), 'taken');
    assert.equal(await held(rankings, key, rules), '1 ann 2');
    assert.equal(await held(rankings, to, rules), '1 bob 1');
    await rankings.remove([to], rules, ['bob']);
    assert.equal(await rankings.move(key, target, rules), 'moved');
    assert.equal(await rankings.move(key, target, rules), 'missing');
  });

  it('moves once, whoever else wants to', async (trial) => {
    const { backend, peer } = trial;
    const [key, to] = pair(trial.key());
    await submit(backend.rankings, key, rulesOf(), ladder(10));
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 ? backend : peer).rankings.move(key, { key: to, expiresAt: Infinity }, rulesOf()),
      ),
    );
    assert.deepEqual(answers.toSorted().slice(0, 2), ['missing', 'missing']);
    assert.equal(answers.filter((answer) => answer === 'moved').length, 1);
    assert.equal((await backend.rankings.page(to, rulesOf(), wholeBoard)).size, 10);
  });
}

function defineLifetimes(it: DefineRankings): void {
  for (const ties of ['competition', 'dense', 'earliest'] as const) {
    it(`loses a board at its time and not before: ${ties}`, async (trial) => {
      const { rankings } = trial.backend;
      const key = newKey(trial);
      const rules = rulesOf({ ties });
      const before = trial.elapsed();
      const expiresAt = (await timeOf(rankings, key, rules)) + trial.shortMs;
      await rankings.submit([{ key, expiresAt }], rules, [{ member, score: 5 }]);
      await expectExpiry(trial, before, trial.shortMs, () => isThere(trial.peer.rankings, key, rules));
      assert.equal(await rankings.move(key, { key: `${key}:other`, expiresAt: Infinity }, rules), 'missing');
      const [answer] = await submit(rankings, key, rules, [[member, 1]]);
      assert.deepEqual(answer, { score: 1, previous: null, rank: 1, improved: true });
    });
  }

  it('has each board go at its own time, which every submission sets anew', async (trial) => {
    const { rankings } = trial.backend;
    const name = trial.key();
    const [day, week] = [`{${name}}:day`, `{${name}}:week`] as const;
    const rules = rulesOf();
    const before = trial.elapsed();
    const soon = (await timeOf(rankings, day, rules)) + trial.shortMs;
    await rankings.submit(
      [
        { key: day, expiresAt: Infinity },
        { key: week, expiresAt: soon },
      ],
      rules,
      [{ member, score: 5 }],
    );
    await rankings.submit(
      [
        { key: day, expiresAt: soon },
        { key: week, expiresAt: Infinity },
      ],
      rules,
      [{ member, score: 1 }],
    );
    await expectExpiry(trial, before, trial.shortMs, () => isThere(rankings, day, rules));
    assert.equal(await held(rankings, week, rules), '1 ann 5');
  });

  it('has a board go at once whose time has passed', async (trial) => {
    const { rankings } = trial.backend;
    const key = newKey(trial);
    const rules = rulesOf();
    await submit(rankings, key, rules, [[member, 5]]);
    const expiresAt = (await timeOf(rankings, key, rules)) - 60_000;
    const [[answer] = []] = await rankings.submit([{ key, expiresAt }], rules, [{ member, score: 6 }]);
    assert.deepEqual(answer, { score: 6, previous: 5, rank: 1, improved: true });
    assert.equal(await isThere(rankings, key, rules), false);
  });

  it('has a board go at the time that its move gave it', async (trial) => {
    const { rankings } = trial.backend;
    const name = trial.key();
    const [key, to, back] = [`{${name}}:a`, `{${name}}:b`, `{${name}}:c`] as const;
    const rules = rulesOf({ ties: 'earliest' });
    await rankings.submit(boardsOf(key), rules, [{ member, score: 5 }]);
    const before = trial.elapsed();
    const expiresAt = (await timeOf(rankings, key, rules)) + trial.shortMs;
    assert.equal(await rankings.move(key, { key: to, expiresAt }, rules), 'moved');
    await expectExpiry(trial, before, trial.shortMs, () => isThere(rankings, to, rules));
    await rankings.submit([{ key, expiresAt: expiresAt + 60_000 }], rules, [{ member, score: 5 }]);
    assert.equal(await rankings.move(key, { key: back, expiresAt: Infinity }, rules), 'moved');
    assert.equal(await isThere(rankings, back, rules), true);
  });
}
