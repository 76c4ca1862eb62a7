/** Plays a fleet at random on a network that delays, fails and forgets, and looks for a read of what was invalidated. */

import { describe, expect, it } from 'vitest';
import { HotshelfError, type BackendWith, type Cache, type Clock, type Key } from 'hotshelf';
import { seededRandom } from '../kit/random.ts';
import { sleep } from '../../src/support/clock.ts';
import { forms, shelves, type Form, type Wire } from './forms.ts';

/** What a player needs of a cache. */
interface Subject {
  read(key: string, load: () => Promise<number>, how: number): Promise<number>;
  /** Changes the truth by `write`; resolves with whether the backend confirmed that the old value is gone. */
  change(key: string, write: () => Promise<void>, how: number): Promise<'confirmed' | 'cleared' | 'unconfirmed'>;
}

type MakeSubject = (cache: Cache, backend: BackendWith<'values'>) => Subject;

interface Faults {
  /** Share of commands that are not sent. */
  readonly refused: number;
  /** Share of commands that are given up after 40 ms, and carried out up to 400 ms later all the same. */
  readonly late: number;
}

interface Report {
  readonly reads: number;
  readonly stale: string[];
  readonly loads: number;
}

const keys = ['a', 'b', 'c'];

function hotshelf(cache: Cache): Subject {
  const space = cache.namespace('rows');
  return {
    read: (key, load) => space.get(['row', key], load, { ttl: '2s' }),
    async change(key, write, how) {
      try {
        if (how < 0.4) {
          await space.mutate([['row', key]], write, { strict: true, settle: how < 0.1 ? 30 : 0 });
          return 'confirmed';
        }
        await write();
        if (how < 0.8) await space.invalidate(['row', key]);
        else if (how < 0.9) await space.delete(['row', key]);
        else await (how < 0.95 ? cache : space).clear();
        return how < 0.9 ? 'confirmed' : 'cleared';
      } catch (error) {
        if (error instanceof HotshelfError) return 'unconfirmed';
        throw error;
      }
    },
  };
}

/** Every entry has a tag of its own and one that all have, named by whoever; no key is ever invalidated. */
function tagged(cache: Cache): Subject {
  const space = cache.namespace('rows');
  const tagsOf = (key: string): Key[] => [['row', key], 'rows'];
  return {
    read(key, load, how) {
      if (how < 0.25) return space.get(key, load, { ttl: '2s', tags: tagsOf(key) });
      if (how < 0.5) return space.get(key, load, { ttl: '2s', tags: () => tagsOf(key) });
      const [own = key, all = key] = tagsOf(key);
      // The loader names one before it asks or after; the other one is named by the caller or of the value.
      return space.get<number>(
        key,
        async (context) => {
          if (how < 0.75) context.tag(own);
          const value = await load();
          if (how >= 0.75) context.tag(own);
          return value;
        },
        { ttl: '2s', tags: how < 0.6 || how > 0.9 ? [all] : () => [all] },
      );
    },
    async change(key, write, how) {
      const isAll = how % 0.1 < 0.02;
      const tag = isAll ? 'rows' : ['row', key];
      const mutating = { strict: true, settle: how < 0.1 ? 30 : 0 } as const;
      try {
        if (how < 0.2) await space.mutate([], write, { ...mutating, tags: [tag] });
        else if (how < 0.4) {
          await space.mutate(
            ['another key'],
            async (mutation) => {
              await mutation.invalidateTags('nobody has it', tag);
              await write();
            },
            mutating,
          );
        } else {
          await write();
          await cache.invalidateTags(['nobody has it', tag], { soft: how > 0.8 });
        }
        return isAll && how >= 0.4 ? 'cleared' : 'confirmed';
      } catch (error) {
        if (error instanceof HotshelfError) return 'unconfirmed';
        throw error;
      }
    },
  };
}

/** Cache-aside as it is commonly written: the same play must catch it. */
function naive(_: Cache, { values }: BackendWith<'values'>): Subject {
  return {
    async read(key, load) {
      const stored = await values.get(`n${key}`);
      if (stored !== undefined) return Number(Buffer.from(stored.bytes).toString());
      const value = await load();
      await values.set(`n${key}`, Buffer.from(String(value)), 2000);
      return value;
    },
    async change(key, write) {
      await write();
      await values.delete([`n${key}`]);
      return 'confirmed';
    },
  };
}

/** A network with delays, where a command that was given up can still arrive. */
function network(random: () => number, clock: Clock, { refused, late }: Faults): Wire['carry'] {
  return async (command) => {
    const fate = random();
    if (fate < refused) throw new HotshelfError('BACKEND_DOWN', 'The command was not sent.');
    if (fate < refused + late) {
      void sleep(clock, random() * 400).then(command);
      await sleep(clock, 40);
      throw new HotshelfError('OUTCOME_UNKNOWN', 'The answer did not come.');
    }
    await sleep(clock, random() * 8);
    const answer = await command();
    await sleep(clock, random() * 8);
    return answer;
  };
}

/** Tags as they are commonly done, with a list of keys for each: caught likewise. */
function naivelyTagged(_: Cache, { values }: BackendWith<'values'>): Subject {
  const listed = new Map<string, Set<string>>();
  return {
    async read(key, load) {
      const stored = await values.get(`n${key}`);
      if (stored !== undefined) return Number(Buffer.from(stored.bytes).toString());
      const value = await load();
      listed.set(key, (listed.get(key) ?? new Set()).add(`n${key}`));
      await values.set(`n${key}`, Buffer.from(String(value)), 2000);
      return value;
    },
    async change(key, write) {
      await write();
      await values.delete([...(listed.get(key) ?? [])]);
      return 'confirmed';
    },
  };
}

async function play(form: Form, seed: number, faults: Faults, make: MakeSubject): Promise<Report> {
  const { clock, wire, backend, open } = shelves(form);
  const random = seededRandom(seed);
  wire.carry = network(random, clock, faults);
  const pick = (): string => keys[Math.floor(random() * keys.length)] ?? '';
  const pause = (ms: number) => sleep(clock, random() * ms);
  const caches = Array.from({ length: 3 }, () => open());
  const truth = new Map<string, number>();
  /** The least that a read may return which begins now: everywhere, and in the process whose invalidation was not confirmed. */
  const floor = new Map<string, number>();
  const stale: string[] = [];
  let reads = 0;
  let loads = 0;

  const load = async (key: string): Promise<number> => {
    loads += 1;
    await pause(15);
    const value = truth.get(key) ?? 0;
    await pause(random() < 0.1 ? 600 : 15);
    return value;
  };
  const raise = (place: string, value: number) => floor.set(place, Math.max(floor.get(place) ?? 0, value));
  const member = async (cache: Cache, index: number) => {
    const player = make(cache, backend);
    for (let turn = 0; turn < 30; turn += 1) {
      const key = pick();
      await pause(20);
      if (random() < 0.8) {
        const least = Math.max(floor.get(key) ?? 0, floor.get(`${index} ${key}`) ?? 0);
        const value = await player.read(key, () => load(key), random());
        reads += 1;
        if (value < least) stale.push(`seed ${seed}: ${key} was ${value}, not ${least}, at ${clock.monotonic()} ms`);
        continue;
      }
      let written = 0;
      let all = new Map<string, number>();
      const write = async () => {
        await pause(10);
        written = (truth.get(key) ?? 0) + 1;
        truth.set(key, written);
        all = new Map(truth);
        await pause(10);
      };
      const outcome = await player.change(key, write, random());
      if (outcome === 'cleared') for (const [each, value] of all) raise(each, value);
      else raise(outcome === 'confirmed' ? key : `${index} ${key}`, written);
    }
  };

  let playing = true;
  const everybody = Promise.all(caches.flatMap((cache, index) => [1, 2, 3].map(() => member(cache, index))));
  const end = () => void (playing = false);
  everybody.then(end, end);
  while (playing) await clock.advance(100);
  await everybody;
  return { reads, stale, loads };
}

const seeds = Array.from({ length: 8 }, (_, index) => index + 1);
const calm: Faults = { refused: 0, late: 0 };
const weather: Record<string, Faults> = {
  'a network that only delays': calm,
  'a network that refuses': { refused: 0.1, late: 0 },
  'a network where commands arrive after they were given up': { refused: 0.02, late: 0.05 },
};

const subjects: Record<string, MakeSubject> = { 'by keys': hotshelf, 'by tags': tagged };
const plays = (places: readonly string[]) =>
  places.flatMap((place) => Object.entries(subjects).map(([how, make]) => [place, how, make] as const));

describe.each(plays(Object.keys(weather)))('a fleet on %s, that invalidates %s,', (network, _, make) => {
  it.each(seeds)('never reads what was invalidated, seed %i', async (seed) => {
    const faults = weather[network] ?? calm;
    const { reads, stale, loads } = await play('over a network', seed, faults, make);
    expect(stale).toEqual([]);
    expect(reads).toBeGreaterThan(150);
    expect(loads).toBeLessThan(reads);
  });
});

describe.each(plays(['in memory']))('a fleet %s, that invalidates %s,', (_, __, make) => {
  it.each(seeds)('never reads what was invalidated, seed %i', async (seed) => {
    const { reads, stale, loads } = await play('in memory', seed, calm, make);
    expect(stale).toEqual([]);
    expect(loads).toBeLessThan(reads);
  });
});

describe('the same play', () => {
  it.each(forms.flatMap((form) => [naive, naivelyTagged].map((make) => [form, make.name, make] as const)))(
    'catches, %s, a cache that is %s',
    async (form, _, make) => {
      const found: string[] = [];
      for (const seed of seeds) found.push(...(await play(form, seed, calm, make)).stale);
      expect(found.length).toBeGreaterThan(3);
    },
  );
});
