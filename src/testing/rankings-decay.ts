/** The cases of the rankings facet that are about weights which fade. */

import assert from 'node:assert/strict';
import { weightAt } from '../backend/rankings/decay.ts';
import type { RankingRules, Rankings } from '../backend/rankings.ts';
import { type DefineRankings, expectClose, membersOf, newKey, rulesOf, submit, wholeBoard } from './rankings-kit.ts';

/** So long that nothing fades during a test: a minute takes a billionth. */
const slow: RankingRules & { readonly halfLifeMs: number } = { ...rulesOf({ mode: 'decay' }), halfLifeMs: 3e13 };

/** What the clocks of two machines and whole ms may differ by. */
const slackMs = 4;

/** The members of a board with their weights, as `ann 8`; rounded to thousandths. */
async function weights(rankings: Rankings, key: string, rules: typeof slow): Promise<readonly string[]> {
  const { rows, now } = await rankings.page(key, rules, wholeBoard);
  return rows.map(
    ({ member, score }) => `${member} ${Math.round(weightAt(score, now, rules.halfLifeMs) * 1000) / 1000}`,
  );
}

export function defineRankingDecay(it: DefineRankings): void {
  it('adds up weights', async (trial) => {
    const { rankings } = trial.backend;
    const key = newKey(trial);
    await submit(rankings, key, slow, [
      ['ann', 3],
      ['bob', 4],
      ['ann', 2],
    ]);
    await submit(trial.peer.rankings, key, slow, [['cem', 0.5]]);
    assert.deepEqual(await weights(rankings, key, slow), ['ann 5', 'bob 4', 'cem 0.5']);
    const [answer] = await submit(rankings, key, slow, [['cem', 100]]);
    assert.deepEqual([answer?.rank, answer?.improved, typeof answer?.previous], [1, true, 'number']);
    expectClose(answer?.score, (await rankings.find(key, slow, ['cem'])).standings[0]?.score ?? 0, 'score');
  });

  it('adds up each of 100 concurrent weights once', async (trial) => {
    const { backend, peer } = trial;
    const key = newKey(trial);
    await Promise.all(
      Array.from({ length: 100 }, (_, index) => submit((index % 2 ? backend : peer).rankings, key, slow, [['ann', 1]])),
    );
    assert.deepEqual(await weights(backend.rankings, key, slow), ['ann 100']);
  });

  it('halves a weight in every half-life, in the time of the store', async (trial) => {
    const { rankings } = trial.backend;
    const key = newKey(trial);
    const rules = { ...slow, halfLifeMs: 100 };
    const times: number[] = [];
    const now = async () => times.push((await rankings.find(key, rules, ['ann'])).now);
    await now();
    const [ann] = await submit(rankings, key, rules, [['ann', 8]]);
    await now();
    await trial.wait(150);
    await now();
    const [bob] = await submit(rankings, key, rules, [['bob', 8]]);
    await now();
    const [t0 = 0, t1 = 0, t2 = 0, t3 = 0] = times;
    const apartMs = ((bob?.score ?? 0) - (ann?.score ?? 0)) * rules.halfLifeMs;
    assert.ok(apartMs >= t2 - t1 - slackMs && apartMs <= t3 - t0 + slackMs, `${apartMs} ms apart`);
    assert.deepEqual(membersOf(await rankings.page(key, rules, wholeBoard)), ['bob', 'ann']);
  });

  it('gives a newcomer the place and the weight of the last one, if the board is full', async (trial) => {
    const { rankings } = trial.backend;
    const key = newKey(trial);
    const rules = { ...slow, cap: 2 };
    await submit(rankings, key, rules, [
      ['ann', 8],
      ['bob', 2],
    ]);
    const [cem] = await submit(rankings, key, rules, [['cem', 1]]);
    assert.deepEqual([cem?.previous, cem?.rank, cem?.improved], [null, 2, true]);
    assert.deepEqual(await weights(rankings, key, rules), ['ann 8', 'cem 3']);
    const [dee, bob] = await submit(rankings, key, rules, [
      ['dee', 6],
      ['bob', 0.5],
    ]);
    assert.deepEqual([dee?.rank, bob?.rank], [1, 2]);
    assert.deepEqual(await weights(rankings, key, rules), ['dee 9', 'bob 8.5']);
    await submit(rankings, key, rules, [['bob', 1]]);
    assert.deepEqual(await weights(rankings, key, rules), ['bob 9.5', 'dee 9']);
  });

  it('gives a newcomer the weight of the last one that a lower cap leaves', async (trial) => {
    const { rankings } = trial.backend;
    const key = newKey(trial);
    await submit(rankings, key, slow, [
      ['ann', 16],
      ['bob', 8],
      ['cem', 4],
      ['dee', 2],
    ]);
    const rules = { ...slow, cap: 2 };
    await submit(rankings, key, rules, [['eve', 1]]);
    assert.deepEqual(await weights(rankings, key, rules), ['ann 16', 'eve 9']);
  });

  it('knows weights from the smallest to the largest', async (trial) => {
    const { rankings } = trial.backend;
    const key = newKey(trial);
    await submit(rankings, key, slow, [
      ['least', 5e-324],
      ['most', Number.MAX_VALUE],
      ['one', 1],
      ['most', Number.MAX_VALUE],
    ]);
    const { rows, now } = await rankings.page(key, slow, wholeBoard);
    assert.deepEqual(
      rows.map(({ member }) => member),
      ['most', 'one', 'least'],
    );
    const logs = rows.map(({ score }) => score - now / slow.halfLifeMs);
    for (const [place, log] of [1025, 0, -1074].entries()) expectClose(logs[place], log, 'logarithm');
  });
}
