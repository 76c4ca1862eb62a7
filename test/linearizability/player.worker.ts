/** One process of the fleet: reads and writes at random and records what it saw. */
import { seededRandom } from '../kit/random.ts';
import { sleep } from '../kit/wait.ts';
import { serve } from '../kit/serve.ts';
import type { History, Read, Write } from './history.ts';
import { originClient } from './origin.ts';
import { type How, openSubjects, type Subject, type SubjectName } from './subject.ts';

export interface OpenInput {
  readonly subject: SubjectName;
  readonly url: string;
  readonly originPort: number;
  /** So many caches, each as if it were a process of its own: for a backend that cannot be shared by processes. */
  readonly caches: number;
}

export interface PlayInput {
  readonly keys: readonly string[];
  readonly readers: number;
  readonly writers: number;
  readonly readsEach: number;
  readonly seed: number;
}

let subjects: Subject[] = [];

function subjectAt(index: number): Subject {
  const subject = subjects[index % subjects.length];
  if (subject === undefined) throw new Error('call open() first');
  return subject;
}

function pickHow(random: number): How {
  if (random < 0.1) return 'clear';
  return random < 0.55 ? 'invalidate' : 'mutate';
}

async function play({ keys, readers, writers, readsEach, seed }: PlayInput): Promise<History> {
  const random = seededRandom(seed);
  const reads: Read[] = [];
  const writes: Write[] = [];
  let reading = readers;
  const pick = () => keys[Math.floor(random() * keys.length)] ?? '';
  const readMany = async (subject: Subject) => {
    for (let count = 0; count < readsEach; count += 1) {
      const key = pick();
      const startedAt = process.hrtime.bigint();
      reads.push({ key, startedAt, version: await subject.read(key) });
      if (random() < 0.3) await sleep(random() * 3);
    }
    reading -= 1;
  };
  const writeMany = async (subject: Subject) => {
    while (reading > 0) {
      const key = pick();
      const version = await subject.write(key, pickHow(random()));
      writes.push({ key, version, resolvedAt: process.hrtime.bigint() });
      await sleep(random() * 12);
    }
  };
  await Promise.all([
    ...Array.from({ length: readers }, (_, index) => readMany(subjectAt(index))),
    ...Array.from({ length: writers }, (_, index) => writeMany(subjectAt(index + 1))),
  ]);
  return { reads, writes };
}

const handlers = serve({
  async open({ subject, url, originPort, caches }: OpenInput) {
    subjects = await openSubjects(subject, url, await originClient(originPort), caches);
  },
  /** Messages cannot carry bigints: times travel as text. */
  play: async (input: PlayInput) =>
    JSON.stringify(await play(input), (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)),
  read: ({ key, cache }: { key: string; cache: number }) => subjectAt(cache).read(key),
  readMany: async ({ key, callers }: { key: string; callers: number }) =>
    Promise.all(Array.from({ length: callers }, () => subjectAt(0).read(key))),
  account: () => subjects.map((subject) => subject.account()),
  write: ({ key, cache }: { key: string; cache: number }) =>
    subjectAt(cache).write(key, Math.random() < 0.5 ? 'invalidate' : 'mutate'),
});

export type PlayerHandlers = typeof handlers;
