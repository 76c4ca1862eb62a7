/** Caches as they are commonly written, each with the fault that a test must catch. */
import { insist } from './insist.ts';
import type { Subject, SubjectParts } from './subject.ts';

const lifetimeMs = 3_600_000;

const silent = { account: () => undefined, close: async () => {} };

type Values = SubjectParts['backend']['values'];

async function readTexts(values: Values, keys: readonly string[]): Promise<(string | undefined)[]> {
  const stored = await insist(() => values.getMany(keys));
  return stored.map((one) => one && Buffer.from(one.bytes).toString());
}

function writeText(values: Values, key: string, ...words: readonly (string | number | undefined)[]): Promise<unknown> {
  return insist(() => values.set(key, Buffer.from(words.join(' ')), lifetimeMs));
}

/** Get, load, set; and delete after a write. */
export function naive({ backend: { values }, origin }: SubjectParts): Subject {
  return {
    ...silent,
    async read(key) {
      const [stored] = await readTexts(values, [`naive:${key}`]);
      if (stored !== undefined) return Number(stored);
      const version = await origin.read(key);
      await writeText(values, `naive:${key}`, version);
      return version;
    },
    async write(key) {
      const version = await origin.write(key);
      await insist(() => values.delete([`naive:${key}`]));
      return version;
    },
  };
}

/** A tag has a name of its own for each time; an entry takes the one that it finds when it is stored, not before its load. */
export function naiveTags({ backend: { values }, origin }: SubjectParts): Subject {
  return {
    ...silent,
    async read(key, chance) {
      const page = `naive:${Math.floor(chance * 4)}:${key}`;
      const [stored, stamp] = await readTexts(values, [page, `tag:${key}`]);
      const [kept, seen] = stored?.split(' ') ?? [];
      if (stored !== undefined && seen === String(stamp)) return Number(kept);
      const version = await origin.read(key);
      const [now] = await readTexts(values, [`tag:${key}`]);
      await writeText(values, page, version, String(now));
      return version;
    },
    async write(key) {
      const version = await origin.write(key);
      await writeText(values, `tag:${key}`, Math.random());
      return version;
    },
  };
}

/** A tag has the time of its last invalidation, an entry that of its load, each by the clock of its process. */
export function clockStampedTags({ backend: { values }, origin, clock }: SubjectParts): Subject {
  return {
    ...silent,
    async read(key, chance) {
      const page = `clock:${Math.floor(chance * 4)}:${key}`;
      const [stored, stamp = '0'] = await readTexts(values, [page, `tag:${key}`]);
      const [kept, loadedAt] = stored?.split(' ') ?? [];
      if (Number(loadedAt) > Number(stamp)) return Number(kept);
      const startedAt = clock.now();
      const version = await origin.read(key);
      await writeText(values, page, version, startedAt);
      return version;
    },
    async write(key) {
      const version = await origin.write(key);
      await writeText(values, `tag:${key}`, clock.now());
      return version;
    },
  };
}
