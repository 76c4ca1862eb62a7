/** Gives the tests a process whose every command can be stopped at, and the ways to name a tag. */

import type { Cache, CacheOptions, LoadContext, Values } from 'hotshelf';
import type { Shelves } from './forms.ts';

/** Opens a cache as another process over a network has, which takes `step` before each command and waits for it. */
export function stepping(
  { backend, open }: Shelves,
  step: () => Promise<void> | void,
  options?: Partial<CacheOptions>,
): Cache {
  const take = async <Answer>(command: () => Promise<Answer>) => {
    await step();
    return command();
  };
  const { values } = backend;
  const stepped: Values = {
    maxValueBytes: values.maxValueBytes,
    get: (key) => take(() => values.get(key)),
    getMany: (keys) => take(() => values.getMany(keys)),
    take: (key) => take(() => values.take(key)),
    set: (key, bytes, ttlMs) => take(() => values.set(key, bytes, ttlMs)),
    add: (key, bytes, ttlMs) => take(() => values.add(key, bytes, ttlMs)),
    cas: (key, version, bytes, ttlMs) => take(() => values.cas(key, version, bytes, ttlMs)),
    touch: (key, ttlMs) => take(() => values.touch(key, ttlMs)),
    delete: (keys) => take(() => values.delete(keys)),
    deleteIf: (key, version) => take(() => values.deleteIf(key, version)),
  };
  return open({ backend: { ...backend, values: stepped }, ...options });
}

/** Reads `key`, loading by `load`, so that its entry has the tag `t`. */
export type Naming = (cache: Cache, key: string, load: () => Promise<string> | string) => Promise<string>;

/** By whom a tag may be named: before the load, after it, or while it runs. */
export const namings: readonly (readonly [who: string, read: Naming])[] = [
  ['the caller', (cache, key, load) => cache.get(key, load, { tags: ['t'] })],
  ['the value', (cache, key, load) => cache.get(key, load, { tags: () => ['t'] })],
  [
    'the loader',
    (cache, key, load) =>
      cache.get(key, (context: LoadContext<string>) => {
        context.tag('t');
        return load();
      }),
  ],
];

/** Returns a step that does `what[n]` at the n-th moment it is called, and the count of moments so far. */
export function moments(what: (moment: number) => Promise<void> | void) {
  const step = Object.assign(
    async () => {
      const moment = step.count;
      step.count += 1;
      await what(moment);
    },
    { count: 0 },
  );
  return step;
}

/** No story has more moments than this. */
export const mostMoments = 40;

/** Tells `story` for 0, 1, 2… until it says that there was no such moment; returns how many there were. */
export async function forEachMoment(story: (at: number) => Promise<boolean>): Promise<number> {
  for (let at = 0; at < mostMoments; at += 1) if (!(await story(at))) return at;
  throw new Error('The story did not end.');
}
