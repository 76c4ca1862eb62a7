/** Shows that the model of rankings finds faults: each of these backends has one, and none passes. */

import { describe, expect, it } from 'vitest';
import type { RankingRules } from 'hotshelf';
import { memory } from 'hotshelf/memory';
import { broken, faults } from './broken.ts';
import { checkAgainstModel } from './model.ts';

const plain: RankingRules = { order: 'desc', ties: 'competition', mode: 'best', cap: Infinity };

describe('the model of rankings', () => {
  it.each(Object.entries(faults))('finds a backend that %s', async (_, fault) => {
    const rankings = broken(memory().rankings, fault);
    await expect(
      checkAgainstModel([rankings], { ...plain, ...fault.rules }, { runs: 600, shrink: false, seed: 7 }),
    ).rejects.toMatchObject({ cause: { code: 'ERR_ASSERTION' } });
  });

  it('finds nothing where nothing is', async () => {
    const rankings = broken(memory().rankings, { change: () => ({}) });
    await expect(checkAgainstModel([rankings], plain)).resolves.toBeUndefined();
  });
});
