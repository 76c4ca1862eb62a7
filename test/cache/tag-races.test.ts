/** Shows that no entry outlives the invalidation of its tag, wherever a load, an invalidation, a mutate and a death meet. */

import { fakeClock } from 'hotshelf/testing';
import { describe, expect, it } from 'vitest';
import { gate, inTime, never, shelves, type Shelves } from './forms.ts';
import { forEachMoment, moments, mostMoments, namings, stepping, type Naming } from './steps.ts';

const tagKey = 'hs!tag=t';
const clockKey = 'hs!clock';

/** What there was before the story begins. */
const pasts: readonly (readonly [string, (shelf: Shelves, read: Naming) => Promise<unknown>])[] = [
  ['in a new backend', async () => {}],
  ['after an invalidation', ({ open }) => open().invalidateTags(['t', 'other'])],
  ['where entries with the tag are', (shelf, read) => read(shelf.open(), 'neighbour', () => 'n')],
];
const stories = namings.flatMap(([who, read]) => pasts.map(([when, prepare]) => [who, when, read, prepare] as const));

/** Every one of `caches`, and a new process, reads what is true. */
async function expectTruth(
  { clock, open }: Shelves,
  read: Naming,
  truth: string,
  story: string,
  ...caches: readonly Shelves['cache'][]
): Promise<void> {
  for (const cache of [...caches, open()]) {
    await clock.advance(0);
    expect(
      await inTime(
        clock,
        read(cache, 'k', () => truth),
      ),
      story,
    ).toBe(truth);
  }
}

describe.each(stories)('a tag named by %s, %s,', (_, __, read, prepare) => {
  it('can be invalidated between any two commands of a load', async () => {
    const count = await forEachMoment(async (at) => {
      const shelf = shelves();
      await prepare(shelf, read);
      let truth = 'old';
      const changer = shelf.open();
      const step = moments(async (moment) => {
        if (moment !== at) return;
        truth = 'new';
        await changer.invalidateTags(['t']);
      });
      const reader = stepping(shelf, step);
      await inTime(
        shelf.clock,
        read(reader, 'k', () => truth),
      );
      await shelf.clock.advance(0);
      const came = step.count > at;
      if (came) await expectTruth(shelf, read, truth, `at ${at}`, reader, changer);
      return came;
    });
    expect(count).toBeGreaterThanOrEqual(5);
  });

  it('can be invalidated while a load ends between any two commands of the invalidation', async () => {
    const count = await forEachMoment(async (at) => {
      const shelf = shelves();
      await prepare(shelf, read);
      const reader = shelf.open();
      const slow = gate<string>();
      const load = read(reader, 'k', () => slow.passed);
      await shelf.clock.advance(0);
      const step = moments(async (moment) => {
        if (moment !== at) return;
        slow.open('old');
        await load;
        await shelf.clock.advance(0);
      });
      const changer = stepping(shelf, step);
      await changer.invalidateTags(['t']);
      slow.open('old');
      await load;
      await expectTruth(shelf, read, 'new', `at ${at}`, reader, changer);
      return step.count > at;
    });
    expect(count).toBeGreaterThanOrEqual(4);
  });

  it.each([
    ['the stamp of the tag', [tagKey]],
    ['the clock', [clockKey]],
    ['both', [tagKey, clockKey]],
  ])('can lose %s between any two commands of a load, also right after an invalidation', async (_what, lost) => {
    await forEachMoment(async (at) => {
      let came = false;
      await forEachMoment(async (later) => {
        const shelf = shelves();
        await prepare(shelf, read);
        let truth = 'old';
        const changer = shelf.open();
        const step = moments(async (moment) => {
          if (moment === at) {
            truth = 'new';
            await changer.invalidateTags(['t']);
          }
          if (moment === at + later) await shelf.backend.values.delete(lost);
        });
        const reader = stepping(shelf, step);
        await inTime(
          shelf.clock,
          read(reader, 'k', () => truth),
        );
        await shelf.clock.advance(0);
        came ||= step.count > at;
        if (came) await expectTruth(shelf, read, truth, `at ${at} and ${at + later}`, reader, changer);
        return step.count > at + later;
      });
      return came;
    });
  });
});

/** Where a load begins, where another process invalidates, where the load ends: moments of a `mutate` with the tag. */
interface Meeting {
  readonly begins: number;
  readonly invalidates: number;
  readonly ends: number;
}

/** Returns how many moments the `mutate` had. */
async function meetMutate(read: Naming, meeting: Meeting): Promise<number> {
  const shelf = shelves();
  const say = JSON.stringify(meeting);
  await shelf.open().invalidateTags(['t']);
  const [reader, changer] = [shelf.open(), shelf.open()];
  await read(reader, 'experience', () => 'e');
  const slow = gate<string>();
  let truth = 'old';
  let load: Promise<string> | undefined;
  const step = moments(async (moment) => {
    if (moment === meeting.begins) {
      const seen = truth;
      load = read(reader, 'k', async () => `${await slow.passed}${seen}`);
      await shelf.clock.advance(0);
    }
    if (moment === meeting.invalidates) {
      truth = `changed, ${truth}`;
      await changer.invalidateTags(['t']);
    }
    if (moment !== meeting.ends) return;
    slow.open('');
    await load;
    await shelf.clock.advance(0);
    // The mutate goes on, but the other invalidation was confirmed.
    const outcome = await inTime(
      shelf.clock,
      read(reader, 'k', () => truth),
    );
    expect(outcome, say).toBe(truth);
  });
  await stepping(shelf, step).mutate(
    [],
    async () => {
      await step();
      truth = `written, ${truth}`;
      await step();
    },
    { tags: ['t'] },
  );
  slow.open('');
  await load;
  await expectTruth(shelf, read, truth, say, reader, changer);
  return step.count;
}

describe.each(namings)('a load under a tag named by %s', (_, read) => {
  it('is not stored when the tag is invalidated while somebody mutates, wherever the three meet', async () => {
    const none = { begins: mostMoments, invalidates: mostMoments, ends: mostMoments };
    const count = await meetMutate(read, none);
    expect(count).toBeGreaterThanOrEqual(10);
    for (let begins = 0; begins < count; begins += 1) {
      for (let invalidates = begins; invalidates < count; invalidates += 1) {
        for (let ends = invalidates; ends <= count; ends += 1) await meetMutate(read, { begins, invalidates, ends });
      }
    }
  });

  it.each([
    ['at once', 0],
    ['when the hold is over', 12_000],
  ])('is not served when who mutates dies at any moment, and the load ends %s', async (_when, ms) => {
    let stories = 0;
    await forEachMoment(async (death) => {
      let died = false;
      for (let begins = 0; begins <= death; begins += 1) {
        const shelf = shelves();
        await shelf.open().invalidateTags(['t']);
        const reader = shelf.open();
        await read(reader, 'experience', () => 'e');
        const slow = gate();
        let truth = 'old';
        let load: Promise<string> | undefined;
        const step = moments(async (moment) => {
          if (moment === begins) {
            const seen = truth;
            load = read(reader, 'k', () => slow.passed.then(() => seen));
            await shelf.clock.advance(0);
          }
          if (moment >= death) await new Promise(() => {});
        });
        const dying = stepping(shelf, step, { clock: fakeClock() });
        const write = async () => {
          await step();
          truth = 'new';
          await step();
        };
        void dying.mutate([], write, { tags: ['t'] });
        await shelf.clock.advance(ms);
        slow.open();
        if (load !== undefined) await inTime(shelf.clock, load);
        await shelf.clock.advance(12_000);
        await expectTruth(shelf, read, truth, `death at ${death}, load at ${begins}`, reader);
        died = step.count > death;
        if (died) stories += 1;
      }
      return died;
    });
    expect(stories).toBeGreaterThan(30);
  });
});

it('a caller does not share what a read found that began before it came, if a tag was invalidated between', async () => {
  const { clock, backend, open } = shelves();
  const { values } = backend;
  const [, [, read] = never()] = namings;

  // As on a Cluster, where each node answers for itself: here the tags first.
  const [asked, answer] = [gate(), gate()];
  let asksSlowly = false;
  const getMany = async (keys: readonly string[]) => {
    const isSlow = asksSlowly;
    asksSlowly = false;
    const tags = await values.getMany(keys.slice(1));
    if (isSlow) {
      asked.open();
      await answer.passed;
    }
    return [await values.get(keys[0] ?? ''), ...tags];
  };
  const waiting = open({ backend: { ...backend, values: { ...values, getMany } } });
  const [filling, fill] = [gate(), gate()];
  let fillsSlowly = false;
  const cas: typeof values.cas = async (...args) => {
    if (fillsSlowly) {
      filling.open();
      await fill.passed;
    }
    return values.cas(...args);
  };
  const loading = open({ backend: { ...backend, values: { ...values, cas } } });
  // Both know which tags the key has, and the clock.
  for (const cache of [loading, waiting])
    await inTime(
      clock,
      read(cache, 'k', () => 'first'),
    );
  await read(loading, 'experience', () => 'e');
  await open().delete('k');

  const slow = gate<string>();
  const loaded = read(loading, 'k', () => slow.passed);
  await clock.advance(0);
  const first = read(waiting, 'k', () => 'new');
  await clock.advance(0);
  asksSlowly = true;
  await inTime(clock, asked.passed);
  fillsSlowly = true;
  slow.open('old');
  await Promise.all([loaded, filling.passed]);
  await open().invalidateTags(['t']);
  const second = read(waiting, 'k', () => 'new');
  await clock.advance(0);
  fill.open();
  await clock.advance(0);
  answer.open();
  expect(await inTime(clock, first)).toBe('old');
  expect(await inTime(clock, second)).toBe('new');
});
