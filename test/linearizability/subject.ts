/** What is put to the test: hotshelf, and the naive cache that the same test must catch. */
import { inspect } from 'node:util';
import { connect, createCache, type BackendWith } from 'hotshelf';
import type { OriginClient } from './origin.ts';

export type How = 'invalidate' | 'mutate' | 'clear';

/** A cache in front of the origin. */
export interface Subject {
  read(key: string): Promise<number>;
  /** Changes the truth and resolves, with the new version, once no stale read may follow. */
  write(key: string, how: How): Promise<number>;
  /** What it has to say when a test fails. */
  account(): unknown;
}

export type SubjectName = 'hotshelf' | 'naive';

export async function openSubjects(
  name: SubjectName,
  url: string,
  origin: OriginClient,
  count = 1,
): Promise<Subject[]> {
  const backend = await connect(url, { requireWithin: '5s' });
  const make = name === 'hotshelf' ? hotshelf : naive;
  return Array.from({ length: count }, () => make(backend, origin));
}

function hotshelf(backend: BackendWith<'values'>, origin: OriginClient): Subject {
  const cache = createCache({ backend, ttl: '1h' });
  const events: unknown[] = [];
  cache.on((event) => {
    if (event.type === 'bypass' || event.type === 'failed' || event.type === 'refused') events.push(event);
  });
  return {
    account: () => ({ stats: cache.stats(), events: events.slice(0, 5).map((event) => inspect(event)) }),
    read: (key) => cache.get(['row', key], () => origin.read(key)),
    async write(key, how) {
      if (how === 'mutate') return cache.mutate([['row', key]], () => origin.write(key));
      const version = await origin.write(key);
      await (how === 'clear' ? cache.clear() : cache.invalidate(['row', key]));
      return version;
    },
  };
}

/** Cache-aside as it is commonly written: get, load, set; and delete after a write. */
function naive({ values }: BackendWith<'values'>, origin: OriginClient): Subject {
  return {
    account: () => undefined,
    async read(key) {
      const stored = await values.get(`naive:${key}`);
      if (stored !== undefined) return Number(Buffer.from(stored.bytes).toString());
      const version = await origin.read(key);
      await values.set(`naive:${key}`, Buffer.from(String(version)), 3_600_000);
      return version;
    },
    async write(key) {
      const version = await origin.write(key);
      await values.delete([`naive:${key}`]);
      return version;
    },
  };
}
