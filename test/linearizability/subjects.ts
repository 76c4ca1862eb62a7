/** Names what is put to the test: hotshelf in each of its modes, and for each a cache that the same test must catch. */
import { connect, systemClock } from 'hotshelf';
import { credulous, deaf, withEars } from './buses.ts';
import { clockStampedTags, naive, naiveTags } from './naive.ts';
import type { OriginClient } from './origin.ts';
import { everyHow, everyPage, type Recipe, shelf } from './shelf.ts';
import type { Subject, SubjectMaker } from './subject.ts';

const tagged: Recipe = { pages: everyPage, hows: everyHow };
const local: Recipe = { ...tagged, options: { local: true } };
const localAck: Recipe = { ...tagged, options: { local: { ack: true } } };
/** Entries that end all the time and help on afterwards, and are loaded again behind. */
const lively = { ttl: 200, grace: '3h', swr: true, refresh: 0.5, timeout: { soft: '2ms' } } as const;
const held: Recipe = { pages: everyPage, hows: ['mutate', 'mutateTags', 'mutateNamed'] };

const subjects = {
  hotshelf: shelf({ pages: ['plain'], hows: ['invalidate', 'invalidate', 'mutate', 'mutate', 'clear'] }),
  naive,
  tags: shelf(tagged),
  'naive tags': naiveTags,
  local: shelf(local),
  'local fresh': shelf({ ...local, read: { fresh: true }, warms: true }),
  'local ack': shelf(localAck),
  'local timed': shelf({ ...tagged, options: { local: { maxLag: '200ms' } } }),
  'local timed ack': shelf({ ...tagged, options: { local: { maxLag: '200ms', ack: true } } }),
  'local deaf': shelf(local, deaf),
  'local credulous': shelf(local, credulous),
  'local ack credulous': shelf(localAck, credulous),
  'settled for replicas': shelf({ ...held, settle: '60ms' }),
  'not settled': shelf(held),
  // What is invalidated softly may help on within its grace: that is no case for this.
  lively: shelf({ pages: everyPage, hows: everyHow.filter((how) => !how.startsWith('soft')), options: lively }),
  'tags by wall clocks': clockStampedTags,
} satisfies Record<string, SubjectMaker>;

export type SubjectName = keyof typeof subjects;

export interface Place {
  readonly url: string;
  /** Where messages are heard, if on another way than commands go. */
  readonly busUrl?: string | undefined;
  readonly origin: OriginClient;
  /** One cache for each, with a wall clock that is off by so many ms. */
  readonly skewsMs: readonly number[];
}

export interface Opened {
  readonly subjects: readonly Subject[];
  close(): Promise<void>;
}

export async function openSubjects(name: SubjectName, { url, busUrl, origin, skewsMs }: Place): Promise<Opened> {
  const direct = await connect(url, { requireWithin: '5s' });
  const ears = busUrl === undefined ? undefined : await connect(busUrl);
  const backend = ears === undefined ? direct : withEars(direct, ears);
  const opened = skewsMs.map((skewMs) => {
    const clock = { ...systemClock, now: () => systemClock.now() + skewMs };
    return subjects[name]({ backend, origin, clock });
  });
  return {
    subjects: opened,
    async close() {
      await Promise.all(opened.map((subject) => subject.close()));
      await Promise.all([direct.close(), ears?.close()]);
      origin.close();
    },
  };
}
