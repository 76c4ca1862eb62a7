/** Shows, in a time that the test makes, that a process far away gets on beside one that never pauses. */

import { describe, expect, it } from 'vitest';
import { memory } from 'hotshelf/memory';
import { type FakeClock, fakeClock } from 'hotshelf/testing';
import { MemcachedRankings } from '../../../adapters/memcached/rankings.ts';
import type { GroupValues } from '../../../adapters/memcached/rankings/reader.ts';
import { sleep } from '../../../src/support/clock.ts';
import { day, sum } from './support.ts';

interface Distance {
  /** How long a command travels, there as well as back. */
  readonly ms: number;
  /** Hears nothing of others. */
  readonly isDeaf: boolean;
}

/** What a process has of a server. */
function valuesAt(server: GroupValues, clock: FakeClock, { ms, isDeaf }: Distance): GroupValues {
  const travel = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
    await sleep(clock, ms);
    const answer = await ask();
    await sleep(clock, ms);
    return answer;
  };
  const plain = (key: string) => key.replace('§', '!');
  return {
    maxValueBytes: 1_000_000,
    get: (key) => travel(async () => (isDeaf && key.endsWith('!') ? undefined : server.get(plain(key)))),
    set: (key, ...rest) => travel(() => server.set(plain(key), ...rest)),
    add: (key, ...rest) => travel(() => server.add(plain(key), ...rest)),
    cas: (key, ...rest) => travel(() => server.cas(plain(key), ...rest)),
    deleteIf: (key, version) => travel(() => server.deleteIf(plain(key), version)),
  };
}

/** How many submits the far process gets in within 20 s, while the near one makes one after the other. */
async function farSubmits(isDeaf: boolean, seed: number): Promise<{ far: number; near: number }> {
  const clock = fakeClock({ seed });
  const server = memory({ clock }).values;
  const done = { far: 0, near: 0 };
  let isOver = false;
  const submitFrom = async (who: 'far' | 'near', ms: number) => {
    const rankings = new MemcachedRankings(valuesAt(server, clock, { ms, isDeaf }), clock, 1000);
    while (!isOver) {
      // One that gave up is no submit.
      const submitted = await rankings.submit([day], sum, [{ member: who, score: 1 }]).catch(() => undefined);
      if (submitted !== undefined) done[who] += 1;
    }
  };
  const processes = [submitFrom('near', 0.5), submitFrom('far', 8)];
  await clock.advance(20_000);
  isOver = true;
  await clock.advance(10_000);
  await Promise.all(processes);
  return done;
}

describe('a process that is far away', () => {
  it.each([1, 2, 3])('gets its submits in beside one that never pauses (seed %i)', async (seed) => {
    const { far, near } = await farSubmits(false, seed);
    expect(far).toBeGreaterThan(40);
    expect(near).toBeGreaterThan(far);
  });

  it('would not, if nobody made room for it (control)', async () => {
    const { far, near } = await farSubmits(true, 1);
    expect(far).toBeLessThan(10);
    expect(near).toBeGreaterThan(1000);
  });
});
