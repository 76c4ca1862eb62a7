/** Shows that the promises of local tiers hold while the connections break on which they hear of invalidations. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../kit/random.ts';
import { sleep } from '../kit/wait.ts';
import { type Fleet, hireCrew } from './fleet.ts';
import { describeLags, staleReads } from './history.ts';
import { catchAny, type Outcome, playLocally, reportPlay, seed, total } from './plays.ts';

const crew = hireCrew();
const patience = { timeout: 360_000 };
const forMs = 6000;
/** The default of `maxLag`, with no margin. */
const maxLagMs = 500;

/** Breaks the ears of one process, or of all, every 0.2 to 0.7 s, in every way in turn. */
async function breakEars({ ears, redis }: Fleet, isOver: () => boolean): Promise<void> {
  const random = seededRandom(seed);
  for (let count = 0; !isOver(); count += 1) {
    await sleep(200 + random() * 500);
    const ear = ears[Math.floor(random() * ears.length)];
    if (ear === undefined || redis === undefined) throw new Error('a fleet without ears');
    switch (count % 5) {
      case 0:
        ear.cut('reset');
        break;
      case 1:
        await redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
        break;
      case 2:
        ear.blackhole();
        await sleep(100 + random() * 500);
        await ear.heal();
        break;
      case 3:
        ear.truncateNextReply(7, 'stall');
        break;
      default:
        ear.refuse();
        ear.cut();
        await sleep(300);
        await ear.heal();
    }
  }
}

function gaps(outcome: Outcome): number {
  return total(outcome, ({ events }) => events.gap);
}

describe(`while the ears of local tiers break again and again (seed ${seed})`, () => {
  it('no read after maxLag is stale by default, and none in the process that wrote', patience, async () => {
    const outcome = await playLocally(crew(), 'redis', 'local', forMs, breakEars);
    const { history, stale, own } = outcome;
    reportPlay('redis, local, broken ears', outcome, describeLags(stale));
    expect(staleReads(history, maxLagMs)).toEqual([]);
    expect(own.flatMap((one) => staleReads(one))).toEqual([]);
    expect(gaps(outcome)).toBeGreaterThan(8);
    expect(total(outcome, ({ stats }) => stats.localHits)).toBeGreaterThan(100);
  });

  it('no read is stale with ack', patience, async () => {
    const outcome = await playLocally(crew(), 'redis', 'local ack', forMs, breakEars);
    reportPlay('redis, local ack, broken ears', outcome);
    expect(outcome.stale).toEqual([]);
    expect(gaps(outcome)).toBeGreaterThan(8);
    expect(outcome.history.writes.length).toBeGreaterThan(10);
    expect(total(outcome, ({ stats }) => stats.localHits)).toBeGreaterThan(100);
  });

  it.each(['local credulous', 'local ack credulous'] as const)(
    'tiers that miss the gaps are caught (control): %s',
    patience,
    async (subject) => {
      const caught = await catchAny(async () => {
        const outcome = await playLocally(crew(), 'redis', subject, 4000, breakEars);
        reportPlay(`redis, ${subject}, broken ears`, outcome, describeLags(outcome.stale));
        return staleReads(outcome.history, maxLagMs).length;
      });
      expect(caught).toBeGreaterThan(0);
    },
  );
});
