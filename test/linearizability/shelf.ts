/** Hotshelf as a subject: pages of rows that are cached and invalidated in every way that there is. */
import { inspect } from 'node:util';
import {
  type BackendWith,
  type Cache,
  type CacheEvent,
  createCache,
  type CacheOptions,
  type Duration,
  type EntryOptions,
  type Key,
  UnconfirmedError,
} from 'hotshelf';
import { insist } from './insist.ts';
import type { Account, SubjectMaker } from './subject.ts';

/** How a page of a row comes by its tag: it has none, or the tag is known before, named by the loader, or made from the value. */
export type Page = 'plain' | 'known' | 'named' | 'derived' | 'batched';
export type How =
  | 'invalidate'
  | 'soft'
  | 'clear'
  | 'invalidateTags'
  | 'softTags'
  | 'mutate'
  | 'mutateTags'
  | 'mutateNamed';

/** All pages that have tags. */
export const everyPage: readonly Page[] = ['known', 'named', 'derived', 'batched'];
export const everyHow: readonly How[] = [
  'invalidate',
  'soft',
  'clear',
  'invalidateTags',
  'softTags',
  'mutate',
  'mutateTags',
  'mutateNamed',
];

export interface Recipe {
  readonly pages: readonly Page[];
  /** Each as likely as the others. */
  readonly hows: readonly How[];
  readonly options?: Partial<CacheOptions>;
  readonly read?: EntryOptions<number>;
  readonly settle?: Duration;
  /** Beside each read goes one without the options of `read`, so that it finds what such reads leave. @default false */
  readonly warms?: boolean;
}

type Reader = (cache: Cache, key: string, load: Load, options: EntryOptions<number>) => Promise<number>;
type Load = (key: string) => Promise<number>;

const readers: Record<Page, Reader> = {
  plain: (cache, key, load, options) => cache.get(['plain', key], () => load(key), options),
  known: (cache, key, load, options) =>
    cache.get(['known', key], () => load(key), { ...options, tags: [['row', key]] }),
  named: (cache, key, load, options) =>
    cache.get<number>(
      ['named', key],
      async (context) => {
        const version = await load(key);
        context.tag(['row', key]);
        return version;
      },
      options,
    ),
  derived: (cache, key, load, options) =>
    cache.get(['derived', key], () => load(key), { ...options, tags: () => [['row', key]] }),
  async batched(cache, key, load, options) {
    const [version] = await cache.getMany<string, number>(
      'batched',
      [key],
      async (keys, context) => {
        for (const one of keys) context.of(one).tag(['row', one]);
        return Promise.all(keys.map(load));
      },
      options,
    );
    if (version === undefined) throw new Error(`The batch gave nothing for ${key}.`);
    return version;
  },
};

/** Returns what makes a subject over `disguise(backend)`. */
export function shelf(
  { pages, hows, options, read = {}, settle = 0, warms = false }: Recipe,
  disguise: (backend: BackendWith<'values'>) => BackendWith<'values'> = (backend) => backend,
): SubjectMaker {
  return ({ backend, origin, clock }) => {
    const cache = createCache({ ttl: '1h', ...options, backend: disguise(backend), clock });
    const account = accountOf(cache);
    const readPage = (key: string, chance: number, how: EntryOptions<number>) =>
      readers[pick(pages, chance)](cache, key, (one) => origin.read(one), how);
    return {
      account,
      close: () => cache.close(),
      async read(key, chance) {
        const [version] = await Promise.all([readPage(key, chance, read), warms && readPage(key, chance, {})]);
        return version;
      },
      write(key, chance) {
        const target = { keys: pages.map((page) => [page, key]), tags: [['row', key]], settle };
        const how = pick(hows, chance);
        const write = () => origin.write(key);
        return isMutation(how) ? mutate(cache, how, target, write) : invalidate(cache, how, target, write);
      },
    };
  };
}

function pick<One>(list: readonly One[], chance: number): One {
  const one = list[Math.floor(chance * list.length)];
  if (one === undefined) throw new Error(`a chance of ${chance}`);
  return one;
}

interface Target {
  readonly keys: readonly Key[];
  readonly tags: readonly Key[];
  readonly settle: Duration;
}

type Mutation = Extract<How, `mutate${string}`>;

function isMutation(how: How): how is Mutation {
  return how.startsWith('mutate');
}

async function mutate(cache: Cache, how: Mutation, target: Target, write: () => Promise<number>): Promise<number> {
  const { keys, tags, settle } = target;
  const options = { settle, strict: true, ...(how === 'mutateTags' && { tags }) };
  try {
    return await cache.mutate(
      how === 'mutate' ? keys : [],
      async (mutation) => {
        if (how === 'mutateNamed') await mutation.invalidateTags(...tags);
        return write();
      },
      options,
    );
  } catch (error) {
    if (!(error instanceof UnconfirmedError)) throw error;
    await insist(() => cache.invalidate(...keys));
    return Number(error.result);
  }
}

async function invalidate(
  cache: Cache,
  how: Exclude<How, Mutation>,
  { keys, tags }: Target,
  write: () => Promise<number>,
): Promise<number> {
  const version = await write();
  const soft = how === 'soft' || how === 'softTags';
  await insist(() => {
    if (how === 'clear') return cache.clear();
    const byKeys = how === 'invalidate' || how === 'soft';
    return byKeys ? cache.invalidate(...keys, { soft }) : cache.invalidateTags(tags, { soft });
  });
  return version;
}

function accountOf(cache: Cache): () => Account {
  const told: string[] = [];
  const counts: Partial<Record<CacheEvent['type'], number>> = {};
  cache.on((event) => {
    counts[event.type] = (counts[event.type] ?? 0) + 1;
    if (event.type === 'failed' || event.type === 'unconfirmed') told.push(inspect(event));
  });
  return () => ({ stats: cache.stats(), events: counts, told: told.slice(0, 5) });
}
