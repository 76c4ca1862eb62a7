/** Shows that invalidation needs no wall clock: processes whose clocks are an hour apart give no stale read. */
import { describe, expect, it } from 'vitest';
import { hireCrew } from './fleet.ts';
import { catchAny, playAtRandom, reportPlay, seed, total } from './plays.ts';

const crew = hireCrew();
const patience = { timeout: 360_000 };
const hourMs = 3_600_000;
const skewsMs = [0, hourMs, -hourMs];

describe.each(['memory', 'redis'] as const)(`on %s, with clocks an hour apart (seed ${seed})`, (backend) => {
  it('gives no stale read while entries end, help on and are refreshed', patience, async () => {
    const outcome = await playAtRandom(crew(), backend, 'lively', 150, { skewsMs });
    const staleServed = total(outcome, ({ stats }) => stats.staleServed);
    reportPlay(`${backend}, clocks an hour apart`, outcome, `${staleServed} from entries past their ttl`);
    expect(outcome.stale).toEqual([]);
    expect(outcome.history.writes.length).toBeGreaterThan(50);
    expect(staleServed).toBeGreaterThan(30);
    expect(total(outcome, ({ stats }) => stats.refreshes)).toBeGreaterThan(10);
  });

  it('catches tags that are stamped by wall clocks (control)', patience, async () => {
    const caught = await catchAny(async () => {
      const outcome = await playAtRandom(crew(), backend, 'tags by wall clocks', 100, { skewsMs });
      reportPlay(`${backend}, tags by wall clocks`, outcome);
      return outcome.stale.length;
    });
    expect(caught).toBeGreaterThan(0);
  });
});
