/** Holds leaderboards on Memcached against plain lists, whatever two processes do to them. */

import { afterAll, beforeAll, describe, it, onTestFinished } from 'vitest';
import { type Clock, type RankingRules, systemClock } from 'hotshelf';
import { memcached } from 'hotshelf/memcached';
import { startMemcached, type MemcachedServer } from '../../kit/servers.ts';
import { until } from '../../kit/wait.ts';
import { checkAgainstModel, type ModelOptions, modelRules } from '../../backend/rankings/model.ts';

let server: MemcachedServer;
beforeAll(async () => {
  server = await startMemcached();
});
afterAll(() => server.stop());

/** As two processes would, in turns. */
async function check(rules: RankingRules, options: ModelOptions, clock: Clock = systemClock): Promise<void> {
  const backends = [1, 2].map(() => memcached(server.url, { deadline: '2s', clock }));
  onTestFinished(async () => {
    await Promise.all(backends.map((backend) => backend.close()));
  });
  for (const backend of backends)
    await until(async () => (await backend.health()).ok, { what: 'the server to answer' });
  await checkAgainstModel(
    backends.map(({ rankings }) => rankings),
    rules,
    options,
  );
}

describe('leaderboards on Memcached', () => {
  it.each(modelRules)('are what plain lists would be: $order, $ties, $mode', async (rules) => {
    await check(rules, { runs: 40 });
  });

  it('lose half of their weights in every half-life, as plain lists of all that was added do', async () => {
    let now = Date.now();
    const time = {
      now: () => now,
      async advance(ms: number) {
        now += ms;
      },
    };
    const rules = { order: 'desc', ties: 'competition', mode: 'decay', cap: Infinity, halfLifeMs: 1000 } as const;
    await check(rules, { runs: 40, ...time }, { ...systemClock, now: time.now });
  });
});
