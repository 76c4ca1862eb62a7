/** Holds leaderboards in memory against plain lists, whatever is done to both. */

import { describe, it } from 'vitest';
import { memory } from 'hotshelf/memory';
import { fakeClock } from 'hotshelf/testing';
import { checkAgainstModel, modelRules } from '../../backend/rankings/model.ts';

describe('leaderboards in memory', () => {
  it.each(modelRules)('are what plain lists would be: $order, $ties, $mode', async (rules) => {
    await checkAgainstModel([memory().rankings], rules, { runs: 150 });
  });

  it('lose half of their weights in every half-life, as plain lists of all that was added do', async () => {
    const clock = fakeClock();
    const rules = { order: 'desc', ties: 'competition', mode: 'decay', cap: Infinity, halfLifeMs: 1000 } as const;
    const time = { now: () => clock.now(), advance: (ms: number) => clock.advance(ms) };
    await checkAgainstModel([memory({ clock }).rankings], rules, { runs: 100, ...time });
  });
});
