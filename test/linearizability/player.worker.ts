/** One process of the fleet: reads and writes at random and records what it saw. */
import { seededRandom } from '../kit/random.ts';
import { sleep } from '../kit/wait.ts';
import { serve } from '../kit/serve.ts';
import { type History, machineNow, type Read, type Write } from './history.ts';
import { originClient } from './origin.ts';
import type { Subject } from './subject.ts';
import { type Opened, openSubjects, type Place, type SubjectName } from './subjects.ts';

export interface OpenInput extends Omit<Place, 'origin'> {
  readonly subject: SubjectName;
  readonly originPort: number;
}

export interface PlayInput {
  readonly keys: readonly string[];
  readonly readers: number;
  readonly writers: number;
  /** @default no end */
  readonly readsEach?: number;
  /** @default no end */
  readonly forMs?: number;
  /** The longest that a writer rests between two writes, in ms. @default 12 */
  readonly restMs?: number;
  readonly seed: number;
}

export interface Act {
  readonly key: string;
  /** Which of the caches of this process. */
  readonly cache: number;
  readonly chance: number;
}

/** After every few reads a reader rests: hits in this process would leave no time for anything else. */
const restShare = 0.3;

let opened: Opened | undefined;

function subjectAt(index: number): Subject {
  const subject = opened?.subjects[index % opened.subjects.length];
  if (subject === undefined) throw new Error('call open() first');
  return subject;
}

async function play(input: PlayInput): Promise<History> {
  const { keys, readers, writers, readsEach = Infinity, forMs = Infinity, restMs = 12, seed } = input;
  const random = seededRandom(seed);
  const reads: Read[] = [];
  const writes: Write[] = [];
  const endsAt = machineNow() + forMs;
  let reading = readers;
  const pick = () => keys[Math.floor(random() * keys.length)] ?? '';
  const readMany = async (subject: Subject) => {
    for (let count = 0; count < readsEach && machineNow() < endsAt; count += 1) {
      const key = pick();
      const startedAt = machineNow();
      const version = await subject.read(key, random());
      reads.push({ key, startedAt, version });
      if (random() < restShare) await sleep(random() * 3);
    }
    reading -= 1;
  };
  const writeMany = async (subject: Subject) => {
    while (reading > 0) {
      const key = pick();
      const version = await subject.write(key, random());
      writes.push({ key, version, resolvedAt: machineNow() });
      await sleep(random() * restMs);
    }
  };
  await Promise.all([
    ...Array.from({ length: readers }, (_, index) => readMany(subjectAt(index))),
    ...Array.from({ length: writers }, (_, index) => writeMany(subjectAt(index + 1))),
  ]);
  return { reads, writes };
}

const handlers = serve({
  async open({ subject, originPort, ...place }: OpenInput) {
    opened = await openSubjects(subject, { ...place, origin: await originClient(originPort) });
  },
  play,
  read: ({ key, cache, chance }: Act) => subjectAt(cache).read(key, chance),
  write: ({ key, cache, chance }: Act) => subjectAt(cache).write(key, chance),
  readMany: async ({ key, callers }: { key: string; callers: number }) =>
    Promise.all(Array.from({ length: callers }, () => subjectAt(0).read(key, 0))),
  account: () => opened?.subjects.map((subject) => subject.account()) ?? [],
  close: () => opened?.close(),
});

export type PlayerHandlers = typeof handlers;
