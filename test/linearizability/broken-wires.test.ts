/** Shows that no read is stale while the connections break on which commands travel, and their answers are lost. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../kit/random.ts';
import { sleep } from '../kit/wait.ts';
import { type Fleet, hireCrew } from './fleet.ts';
import { catchAny, playLocally, reportPlay, seed, total } from './plays.ts';

const crew = hireCrew();
const patience = { timeout: 360_000 };
const forMs = 5000;

/** Breaks the connections of all processes every 0.3 to 0.8 s, in every way in turn. */
async function breakWires({ wire }: Fleet, isOver: () => boolean): Promise<void> {
  const random = seededRandom(seed);
  if (wire === undefined) throw new Error('a fleet without wires');
  for (let count = 0; !isOver(); count += 1) {
    await sleep(300 + random() * 500);
    switch (count % 4) {
      case 0:
        wire.cut('reset');
        break;
      case 1:
        wire.truncateNextReply(3, 'close');
        break;
      case 2:
        wire.blackhole();
        await sleep(random() * 300);
        await wire.heal();
        break;
      default:
        wire.truncateNextReply(3, 'stall');
    }
  }
}

describe(`while all connections break again and again (seed ${seed})`, () => {
  it.each([
    ['redis', 'tags'],
    ['redis', 'local ack'],
    ['memcached', 'tags'],
  ] as const)('no read is stale on %s: %s', patience, async (backend, subject) => {
    const outcome = await playLocally(crew(), backend, subject, forMs, breakWires);
    const failures = total(outcome, ({ events }) => (events.failed ?? 0) + (events.unconfirmed ?? 0));
    reportPlay(`${backend}, ${subject}, broken wires`, outcome, `${failures} failures`);
    expect(outcome.stale).toEqual([]);
    expect(outcome.history.writes.length).toBeGreaterThan(10);
    expect(failures).toBeGreaterThan(10);
  });

  it('a cache of common make is caught (control)', patience, async () => {
    const caught = await catchAny(async () => {
      const outcome = await playLocally(crew(), 'redis', 'naive tags', 4000, breakWires);
      reportPlay('redis, naive tags, broken wires', outcome);
      return outcome.stale.length;
    });
    expect(caught).toBeGreaterThan(0);
  });
});
