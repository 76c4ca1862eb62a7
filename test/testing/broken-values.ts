/** Ways to break the values facet, and the cases that must notice each. */

import type { Stored, Values, Version } from 'hotshelf';

/** What is broken, how, and a part of the name of each case that must notice. */
export type Breakage<Facet> = readonly [what: string, (facet: Facet) => Partial<Facet>, ...noticedBy: string[]];

export const brokenValues: readonly Breakage<Values>[] = [
  [
    'cas ignores the version',
    (values) => ({ cas: (key, _version, bytes, ttlMs) => values.set(key, bytes, ttlMs) }),
    'by cas exactly',
    'refuses a cas once',
    'concurrent cas of one version',
    'loses no increment',
  ],
  [
    'cas looks before it writes, in two steps',
    (values) => ({
      async cas(key, version, bytes, ttlMs) {
        const stored = await values.get(key);
        await Promise.resolve();
        return stored?.version === version ? values.set(key, bytes, ttlMs) : undefined;
      },
    }),
    'concurrent cas of one version',
    'loses no increment',
  ],
  [
    'cas compares bytes instead of versions (ABA)',
    (values) => {
      const seen = new Map<Version, string>();
      const note = (version: Version, bytes: Uint8Array) => seen.set(version, Buffer.from(bytes).toString('hex'));
      return {
        async set(key, bytes, ttlMs) {
          const version = await values.set(key, bytes, ttlMs);
          note(version, bytes);
          return version;
        },
        async cas(key, version, bytes, ttlMs) {
          const stored = await values.get(key);
          if (stored === undefined || Buffer.from(stored.bytes).toString('hex') !== seen.get(version)) return undefined;
          return values.cas(key, stored.version, bytes, ttlMs);
        },
      };
    },
    'even with equal bytes',
  ],
  [
    'versions repeat',
    (values) => ({
      add: async (key, bytes, ttlMs) => ((await values.add(key, bytes, ttlMs)) && 1) as Version | undefined,
      set: async (key, bytes, ttlMs) => ((await values.set(key, bytes, ttlMs)) && 1) as Version,
    }),
    'a version of its own',
    'same version to the writer and to every reader',
  ],
  [
    'add always wins',
    (values) => ({ add: (key, bytes, ttlMs) => values.set(key, bytes, ttlMs) }),
    'adds only where nothing',
    'concurrent adds win',
    'empty bytes',
  ],
  [
    'add never wins',
    () => ({ add: async () => undefined }),
    'adds only where nothing',
    'concurrent adds win',
    'as one that was never stored',
  ],
  [
    'nothing expires',
    (values) => ({
      set: (key, bytes) => values.set(key, bytes, Infinity),
      add: (key, bytes) => values.add(key, bytes, Infinity),
      cas: (key, version, bytes) => values.cas(key, version, bytes, Infinity),
      touch: (key) => values.touch(key, Infinity),
    }),
    'value of set go',
    'value of add go',
    'value of cas go',
    'shortens a lifetime',
    'as one that was never stored',
  ],
  [
    'everything expires early',
    (values) => ({
      set: (key, bytes, ttlMs) => values.set(key, bytes, ttlMs * 0.9),
      add: (key, bytes, ttlMs) => values.add(key, bytes, ttlMs * 0.9),
      cas: (key, version, bytes, ttlMs) => values.cas(key, version, bytes, ttlMs * 0.9),
      touch: (key, ttlMs) => values.touch(key, ttlMs * 0.9),
    }),
    'value of set go',
    'value of add go',
    'value of cas go',
    'shortens a lifetime',
  ],
  [
    'everything stays three seconds too long',
    (values) => ({ set: (key, bytes, ttlMs) => values.set(key, bytes, ttlMs + 3000) }),
    'value of set go',
  ],
  [
    'touch does nothing',
    (values) => ({ touch: async (key) => (await values.get(key)) !== undefined }),
    'shortens a lifetime',
    'lengthens a lifetime',
  ],
  ['touch never finds anything', () => ({ touch: async () => false }), 'lengthens a lifetime', 'shortens a lifetime'],
  ['touch says yes to everything', () => ({ touch: async () => true }), 'touches nothing', 'shortens a lifetime'],
  [
    'take is a get and a delete',
    (values) => ({
      async take(key) {
        const stored = await values.get(key);
        await values.delete([key]);
        return stored;
      },
    }),
    'concurrent takes',
  ],
  ['take does not delete', (values) => ({ take: (key) => values.get(key) }), 'concurrent takes', 'refuses a cas once'],
  [
    'deleteIf ignores the version',
    (values) => ({ deleteIf: async (key) => (await values.delete([key])) === 1 }),
    'by deleteIf exactly',
    'refuses a cas once',
  ],
  [
    'delete counts keys instead of values',
    (values) => ({ delete: async (keys) => Math.max(keys.length, await values.delete(keys)) }),
    'counts what it deletes',
    'several concurrent deletes',
  ],
  [
    'bytes pass through text',
    (values) => ({
      set: (key, bytes, ttlMs) => values.set(key, Buffer.from(Buffer.from(bytes).toString()), ttlMs),
    }),
    'all 256 byte values',
  ],
  ['get mixes answers up', (values) => ({ get: mixedUp(values) }), '200 gets of one tick'],
  [
    'getMany leaves missing keys out',
    (values) => ({ getMany: async (keys) => (await values.getMany(keys)).filter((stored) => stored !== undefined) }),
    'answers getMany in the order',
  ],
  [
    'keys are cut at 200 characters',
    (values) => ({
      set: (key, bytes, ttlMs) => values.set(key.length > 240 ? key : key.slice(0, 200), bytes, ttlMs),
      get: (key) => values.get(key.length > 240 ? key : key.slice(0, 200)),
    }),
    'keys of 240 characters',
  ],
  [
    'any key is taken',
    (values) => ({ get: (key) => values.get(key.replaceAll(/[^!-~]/g, '_').slice(0, 240) || '_') }),
    'refuses an empty string as a key',
    'refuses a string of 241 characters',
    'refuses a string with a blank',
    'refuses a string with a line break',
    'refuses a string with a letter beyond',
  ],
  [
    'too large a value deletes the old one',
    (values) => ({
      async set(key, bytes, ttlMs) {
        if (bytes.length > values.maxValueBytes) await values.delete([key]);
        return values.set(key, bytes, ttlMs);
      },
    }),
    'one byte more',
  ],
  ['maxValueBytes promises too much', (values) => ({ maxValueBytes: values.maxValueBytes + 1 }), 'of maxValueBytes'],
  [
    'a list has keys twice',
    (values) => ({
      async *list(prefix) {
        for await (const keys of values.list?.(prefix) ?? []) yield* [keys, keys.slice(0, 1)];
      },
    }),
    'each once and no others',
    'whatever comes and goes',
  ],
  [
    'a list leaves its last key out',
    (values) => ({
      async *list(prefix) {
        for await (const keys of values.list?.(prefix) ?? []) yield keys.length < 10 ? keys : keys.slice(0, -1);
      },
    }),
    'each once and no others',
    'whatever comes and goes',
  ],
  [
    'the prefix of a list is a pattern',
    (values) => ({
      async *list(prefix) {
        const pattern = new RegExp(
          `^${prefix
            .replaceAll(/[{}^\\]/g, String.raw`\$&`)
            .replaceAll('*', '.*')
            .replaceAll('?', '.')}`,
        );
        const start = /^[\w:]+/.exec(prefix)?.[0] ?? prefix;
        for await (const keys of values.list?.(start) ?? []) yield keys.filter((key) => pattern.test(key));
      },
    }),
    'every letter of a prefix',
  ],
  [
    'a list tells of what was there once',
    (values) => {
      const ever = new Set<string>();
      return {
        set: (key, bytes, ttlMs) => values.set((ever.add(key), key), bytes, ttlMs),
        async *list(prefix) {
          for await (const _ of values.list?.(prefix) ?? []);
          yield Array.from(ever).filter((key) => key.startsWith(prefix));
        },
      };
    },
    'no key that was deleted',
  ],
  [
    'a list takes any prefix',
    (values) => ({
      async *list(prefix) {
        if (prefix !== '' && !prefix.includes(' ') && prefix.length <= 240) yield* values.list?.(prefix) ?? [];
      },
    }),
    'refuses a list without a prefix',
  ],
  [
    'a peek shows another version',
    (values) => ({
      resident: {
        peek: (key) => Object.assign(Object.create(values.resident?.peek(key) ?? null), { version: 'odd' }),
        drop: () => {},
      },
    }),
    'same state to a peek',
    'drops the keys that begin',
  ],
];

/** Hands the first of two gets of one tick the answer of the second. */
function mixedUp(values: Values): Values['get'] {
  let last: Promise<Stored | undefined> | undefined;
  return (key) => {
    const own = values.get(key);
    const other = last;
    last = own;
    queueMicrotask(() => (last = undefined));
    return other ?? own;
  };
}
