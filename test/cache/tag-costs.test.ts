/** Counts what tags cost over a network: commands, and trips that somebody waits for. */

import { describe, expect, it } from 'vitest';
import { sleep } from '../../src/support/clock.ts';
import { isSettled, never, shelves } from './forms.ts';
import { namings } from './steps.ts';

/** Runs `work` with one ms for each command; returns how many it sent and how many trips it waited for. */
async function trips({ wire, clock }: ReturnType<typeof shelves>, work: () => Promise<unknown>) {
  wire.sent.length = 0;
  wire.carry = async (command) => {
    await sleep(clock, 1);
    return command();
  };
  const startedAt = clock.monotonic();
  const running = work();
  let passedMs = 0;
  void running.then(() => void (passedMs = clock.monotonic() - startedAt));
  while (!(await isSettled(running))) await clock.advance(1);
  await clock.advance(20);
  wire.carry = (command) => command();
  return { trips: passedMs, sent: wire.sent.length };
}

describe('over a network', () => {
  it('a read whose tags the caller names is one trip', async () => {
    const shelf = shelves();
    const options = { tags: ['t', 'u', ['country', 'fr']] };
    await shelf.cache.get('k', () => 'v', options);
    for (const reader of [shelf.cache, shelf.open()]) {
      await shelf.clock.advance(1000);
      expect(await trips(shelf, () => reader.get('k', never, options))).toEqual({ trips: 1, sent: 1 });
      expect(shelf.wire.sent).toEqual(['get hs=k hs!tag=t hs!tag=u hs!tag:country:fr hs!epoch']);
    }
  });

  it('a read whose tags nobody names is two trips in a process that never saw the key, and one from then on', async () => {
    const shelf = shelves();
    await shelf.cache.get('k', () => 'v', { tags: ['t', 'u'] });
    const reader = shelf.open();
    expect(await trips(shelf, () => reader.get('k', never))).toMatchObject({ trips: 2, sent: 2 });
    expect(await trips(shelf, () => reader.get('k', never))).toMatchObject({ trips: 1, sent: 1 });
  });

  it('a miss under tags that the caller names costs no more than one without', async () => {
    const shelf = shelves();
    await shelf.cache.get('experience', () => 1, { tags: ['t'] });
    const plain = await trips(shelf, () => shelf.cache.get('plain', () => 1));
    // The read and the lease; the fill behind.
    expect(plain).toEqual({ trips: 2, sent: 3 });
    expect(await trips(shelf, () => shelf.cache.get('tagged', () => 1, { tags: ['t'] }))).toEqual(plain);
  });

  it('a miss where loaders name tags asks for the clock before the load, and for the tags behind', async () => {
    const shelf = shelves();
    const [, , [, byLoader] = never()] = namings;
    for (const key of ['experience', 'more of it']) await byLoader(shelf.cache, key, () => 'e');
    await shelf.clock.advance(0);
    expect(await trips(shelf, () => byLoader(shelf.cache, 'k', () => 'v'))).toEqual({ trips: 3, sent: 5 });
    expect(shelf.wire.sent.map((command) => command.split(' ')[0])).toEqual(['get', 'get', 'add', 'get', 'cas']);
    expect(await trips(shelf, () => byLoader(shelf.cache, 'k', never))).toEqual({ trips: 1, sent: 1 });
  });

  it('an invalidation costs the same few commands for any number of entries', async () => {
    const shelf = shelves();
    const costs: unknown[] = [];
    for (const count of [10, 10_000]) {
      for (let index = 0; index < count; index += 1) await shelf.cache.set(['k', index], index, { tags: ['t'] });
      costs.push(await trips(shelf, () => shelf.open().invalidateTags(['t'])));
      for (let index = 0; index < count; index += count / 10) {
        expect(await shelf.cache.peek(['k', index])).toBeUndefined();
      }
    }
    expect(costs).toEqual([
      { trips: 3, sent: 4 },
      { trips: 3, sent: 4 },
    ]);
  });

  it('invalidations that come together share steps of the clock', async () => {
    const shelf = shelves();
    const tags = Array.from({ length: 20 }, (_, index) => `t${index}`);
    await shelf.cache.invalidateTags(tags);
    const cost = await trips(shelf, () => Promise.all(tags.map((tag) => shelf.cache.invalidateTags([tag]))));
    // Two steps of the clock, and two commands for each tag.
    expect(cost).toEqual({ trips: 5, sent: 44 });
  });
});
