/** Shows that `settle` keeps out of the cache what replicas of the database still say after a write. */
import { describe, expect, it } from 'vitest';
import { type BackendName, hireCrew } from './fleet.ts';
import { catchAny, playAtRandom, reportPlay, seed } from './plays.ts';

const crew = hireCrew();
const patience = { timeout: 360_000 };
const replicaLagMs = 60;
const backends: readonly BackendName[] = ['memory', 'redis', 'memcached'];

describe.each(backends)(`on %s, while replicas lag by up to 60 ms (seed ${seed})`, (backend) => {
  it('gives no stale read after a mutate that lets them settle', patience, async () => {
    const outcome = await playAtRandom(crew(), backend, 'settled for replicas', 100, { replicaLagMs });
    reportPlay(`${backend}, mutate with settle`, outcome);
    expect(outcome.stale).toEqual([]);
    expect(outcome.history.writes.length).toBeGreaterThan(20);
    expect(outcome.loads).toBeLessThan(outcome.history.reads.length * 0.9);
  });

  it('catches a mutate that does not (control)', patience, async () => {
    const caught = await catchAny(async () => {
      const outcome = await playAtRandom(crew(), backend, 'not settled', 100, { replicaLagMs });
      reportPlay(`${backend}, mutate without settle`, outcome);
      return outcome.stale.length;
    });
    expect(caught).toBeGreaterThan(0);
  });
});
