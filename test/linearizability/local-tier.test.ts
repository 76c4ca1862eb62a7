/** Shows what local tiers promise: nothing stale with `ack` or `fresh`, else nothing after `maxLag`. */
import { describe, expect, it } from 'vitest';
import { hireCrew } from './fleet.ts';
import { describeLags, staleReads } from './history.ts';
import { catchAny, playLocally, reportPlay, seed, total } from './plays.ts';

const crew = hireCrew();
const patience = { timeout: 360_000 };
const forMs = 4000;
/** The default of `maxLag`, with no margin: the tier looks at the time after the read began, or after the burst of reads did, on the same clock. */
const maxLagMs = 500;

describe(`local tiers in three processes on Redis (seed ${seed})`, () => {
  it.each(['local ack', 'local fresh'] as const)('give no stale read: %s', patience, async (subject) => {
    const outcome = await playLocally(crew(), 'redis', subject, forMs);
    reportPlay(`redis, ${subject}`, outcome);
    expect(outcome.stale).toEqual([]);
    expect(outcome.history.writes.length).toBeGreaterThan(20);
    expect(outcome.loads).toBeLessThan(outcome.history.reads.length * 0.9);
    expect(total(outcome, ({ stats }) => stats.localHits)).toBeGreaterThan(100);
  });

  it('give old values for at most maxLag by default, and none to the process that wrote', patience, async () => {
    const outcome = await playLocally(crew(), 'redis', 'local', forMs);
    const { history, stale, own } = outcome;
    reportPlay('redis, local', outcome, describeLags(stale));
    expect(staleReads(history, maxLagMs)).toEqual([]);
    expect(own.flatMap((one) => staleReads(one))).toEqual([]);
    expect(history.writes.length).toBeGreaterThan(20);
    expect(total(outcome, ({ stats }) => stats.localHits)).toBeGreaterThan(100);
  });

  it('would keep old values if they were deaf and told that all is well (control)', patience, async () => {
    const caught = await catchAny(async () => {
      const outcome = await playLocally(crew(), 'redis', 'local deaf', forMs);
      reportPlay('redis, local deaf', outcome, describeLags(outcome.stale));
      return staleReads(outcome.history, maxLagMs).length;
    });
    expect(caught).toBeGreaterThan(0);
  });

  it('give old values without ack and fresh, which the play catches (control)', patience, async () => {
    const play = async () => (await playLocally(crew(), 'redis', 'local', forMs)).stale.length;
    expect(await catchAny(play)).toBeGreaterThan(0);
  });
});

describe(`local tiers in three processes on Memcached, which has no bus (seed ${seed})`, () => {
  it('give old values for at most maxLag', patience, async () => {
    const outcome = await playLocally(crew(), 'memcached', 'local timed', forMs);
    const { history, stale } = outcome;
    reportPlay('memcached, local for 200 ms', outcome, describeLags(stale));
    expect(staleReads(history, 200)).toEqual([]);
    expect(total(outcome, ({ stats }) => stats.localHits)).toBeGreaterThan(100);
  });

  it('give old values without ack, which the play catches (control)', patience, async () => {
    const play = async () => (await playLocally(crew(), 'memcached', 'local timed', forMs)).stale.length;
    expect(await catchAny(play)).toBeGreaterThan(0);
  });

  it('give no stale read with ack, which waits for that long', patience, async () => {
    const outcome = await playLocally(crew(), 'memcached', 'local timed ack', forMs);
    reportPlay('memcached, local ack for 200 ms', outcome);
    expect(outcome.stale).toEqual([]);
    expect(outcome.history.writes.length).toBeGreaterThan(20);
    expect(total(outcome, ({ stats }) => stats.localHits)).toBeGreaterThan(100);
  });
});
