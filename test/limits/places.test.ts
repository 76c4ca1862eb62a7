/** Places among those that may work at the same time: how many there are, and when they end. */

import { describe, expect, it } from 'vitest';
import { memory } from 'hotshelf/memory';
import { chaos, fakeClock } from 'hotshelf/testing';
import { type Held, Places, type WhenDown } from '../../src/limits/places.ts';
import { seededRandom } from '../kit/random.ts';

const leaseMs = 1000;

/** Processes that share one store. */
function fleet(size: number, { whenDown = 'local' }: { whenDown?: WhenDown } = {}) {
  const clock = fakeClock();
  const backend = chaos(memory({ clock }), { clock });
  const member = () => new Places({ values: backend.values, clock, leaseMs, instances: size, whenDown });
  return { clock, backend, members: Array.from({ length: size }, member), first: member() };
}

async function takeAll(places: Places | undefined, key: string, max: number, times: number): Promise<Held[]> {
  if (places === undefined) throw new Error('There is no such process.');
  const taken = await Promise.all(Array.from({ length: times }, () => places.take(key, max)));
  return taken.filter((place) => typeof place === 'object');
}

function releaseAll(held: readonly Held[]): void {
  for (const place of held) place.release();
}

describe('places', () => {
  it('are as many as allowed, whoever asks for them', async () => {
    const { members } = fleet(2);
    const held = await Promise.all(members.map((places) => takeAll(places, 'a', 5, 10)));
    expect(held.flat()).toHaveLength(5);
    expect(await takeAll(members[0], 'b', 5, 10)).toHaveLength(5);
  });

  it('are free again once they are released, and only once', async () => {
    const { first } = fleet(1);
    const [one] = await takeAll(first, 'a', 2, 3);
    one?.release();
    one?.release();
    expect(first.heldHere('a')).toBe(1);
    expect(await takeAll(first, 'a', 2, 2)).toHaveLength(1);
  });

  it('end by themselves when their process dies, and not before', async () => {
    const { clock, backend, first } = fleet(1);
    for (const key of ['a:0', 'a:1']) await backend.values.add(key, new Uint8Array([1]), leaseMs);
    for (let time = 0; time < 9; time += 1) {
      expect(await takeAll(first, 'a', 2, 1)).toHaveLength(0);
      await clock.advance(leaseMs / 10);
    }
    await clock.advance(leaseMs / 10 + 20);
    expect(await takeAll(first, 'a', 2, 3)).toHaveLength(2);
  });

  it('are held for longer than a lease by who lives, and leave no timer behind', async () => {
    const { clock, members } = fleet(2);
    const held = await takeAll(members[0], 'a', 3, 3);
    for (let time = 0; time < 50; time += 1) {
      await clock.advance(leaseMs / 7);
      expect(await takeAll(members[1], 'a', 3, 1)).toHaveLength(0);
    }
    releaseAll(held);
    await clock.advance(leaseMs / 7);
    const next = await takeAll(members[1], 'a', 3, 5);
    expect(next).toHaveLength(3);
    releaseAll(next);
    await clock.advance(leaseMs);
    expect(clock.timers).toBe(0);
  });

  it('are never more than allowed, in any order of takes, releases, renewals and slow answers', async () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const random = seededRandom(seed);
      const { clock, backend, members } = fleet(3);
      backend.chaos.set({ delayMs: [0, 10] });
      const held = new Set<Held>();
      let most = 0;
      const asking: Promise<void>[] = [];
      for (let step = 0; step < 60; step += 1) {
        const places = members[Math.floor(random() * members.length)];
        for (let time = 0; time < 3; time += 1) {
          asking.push(
            takeAll(places, 'a', 4, 1).then(([place]) => {
              if (place !== undefined) held.add(place);
              most = Math.max(most, held.size);
            }),
          );
        }
        for (const place of held) {
          if (random() > 0.15) continue;
          held.delete(place);
          place.release();
        }
        await clock.advance(random() * 150);
      }
      await clock.advance(200);
      await Promise.all(asking);
      expect(most).toBe(4);
      releaseAll([...held]);
      backend.chaos.set({ delayMs: [0, 0] });
      await clock.advance(200);
      expect(await takeAll(members[0], 'a', 4, 5)).toHaveLength(4);
    }
  });

  it('are shared out among the processes while the store does not answer, and the store hears of them later', async () => {
    const { clock, backend, members } = fleet(2);
    const before = await takeAll(members[0], 'a', 8, 3);
    expect(before).toHaveLength(3);
    backend.chaos.set({ throws: 1 });
    const held = [await takeAll(members[0], 'a', 8, 10), await takeAll(members[1], 'a', 8, 10)];
    expect(held.map((places) => places.length)).toEqual([1, 4]);
    backend.chaos.set({ throws: 0 });
    await clock.advance(leaseMs / 5);
    expect(await takeAll(members[0], 'a', 8, 1)).toHaveLength(0);
    releaseAll([...before, ...held.flat()]);
    await clock.advance(20);
    expect(await takeAll(members[1], 'a', 8, 10)).toHaveLength(8);
  });

  it.each([
    ['open', 20],
    ['closed', 0],
  ] as const)('are %s to that many, if so wished, while the store does not answer', async (whenDown, passed) => {
    const { backend, first } = fleet(1, { whenDown });
    backend.chaos.set({ throws: 1 });
    expect(await takeAll(first, 'a', 2, 20)).toHaveLength(passed);
    expect(await first.take('a', 2)).toEqual(whenDown === 'closed' ? 'down' : expect.anything());
  });

  it.each([
    ['is given back', true],
    ['is the place that was taken without it', false],
  ])('do not wait for a store that hangs, and what it grants too late %s', async (_what, early) => {
    const { clock, backend, members } = fleet(2);
    backend.chaos.set({ delayMs: [300, 300] });
    let taken: Held | undefined;
    void takeAll(members[0], 'a', 2, 1).then(([place]) => (taken = place));
    await clock.advance(99);
    expect(taken).toBeUndefined();
    await clock.advance(2);
    expect(members[0]?.heldHere('a')).toBe(1);
    backend.chaos.set({ delayMs: [0, 0] });
    if (early) taken?.release();
    await clock.advance(600);
    expect(await takeAll(members[1], 'a', 2, 3)).toHaveLength(early ? 2 : 1);
    taken?.release();
    await clock.advance(20);
    expect(await takeAll(members[0], 'a', 2, 3)).toHaveLength(early ? 0 : 1);
  });

  it('are asked for anew by a process that stood still for longer than a lease', async () => {
    const { clock, backend, members } = fleet(2);
    const [mine] = await takeAll(members[0], 'a', 1, 1);
    await backend.values.delete(['a:0']);
    const [theirs] = await takeAll(members[1], 'a', 1, 1);
    await clock.advance(leaseMs);
    expect(await takeAll(members[0], 'a', 1, 1)).toHaveLength(0);
    theirs?.release();
    await clock.advance(leaseMs / 5);
    expect(await takeAll(members[1], 'a', 1, 1)).toHaveLength(0);
    mine?.release();
    await clock.advance(20);
    expect(await takeAll(members[1], 'a', 1, 1)).toHaveLength(1);
  });

  it('are no answer to a mistake', async () => {
    const { first } = fleet(1);
    await expect(first.take('a key', 2)).rejects.toMatchObject({ code: 'KEY_INVALID' });
  });
});
