/** A process that submits scores as fast as it can, for the tests of leaderboards that several processes write. */

import type { RankingBoard, RankingRules, Rankings, Values } from 'hotshelf';
import { memcached } from 'hotshelf/memcached';
import { MemcachedRankings } from '../../../adapters/memcached/rankings.ts';
import { systemClock } from '../../../src/support/clock.ts';
import { serve } from '../../kit/serve.ts';
import { until } from '../../kit/wait.ts';
import { outcomeOf } from './outcome.ts';

export interface Opening {
  readonly address: { readonly host: string; readonly port: number };
  /** `heedless` stores over whatever is there by now. */
  readonly kind: 'hotshelf' | 'heedless';
}

export interface Load {
  readonly boards: readonly RankingBoard[];
  readonly rules: RankingRules;
  /** What each submit adds 1 to; `#` becomes the number of the submit. */
  readonly members: readonly string[];
  /** How many submits, from which number on, and how many of them at a time. */
  readonly submits: number;
  readonly from?: number;
  readonly callers: number;
}

export interface Question {
  readonly key: string;
  readonly rules: RankingRules;
  readonly members: readonly string[];
}

/** The numbers of the submits, by what became of them: `done`, or the code of the error. */
export type Told = Readonly<Record<string, readonly number[]>>;

let rankings: Rankings | undefined;

const handlers = serve({
  async open({ address, kind }: Opening) {
    const { host, port } = address;
    const backend = memcached([{ host, port }], { deadline: '2s' });
    await until(async () => (await backend.health()).ok, { what: 'the server to answer', within: 20_000 });
    rankings = kind === 'hotshelf' ? backend.rankings : heedlessly(backend.values);
  },
  async load({ boards, rules, members, submits, from = 0, callers }: Load): Promise<Told> {
    const told: Record<string, number[]> = {};
    let next = from;
    const call = async () => {
      while (next < from + submits) {
        const number = next;
        next += 1;
        const submissions = members.map((member) => ({ member: member.replace('#', `${number}`), score: 1 }));
        const submitted = rankings?.submit(boards, rules, submissions) ?? Promise.reject(new Error('not open'));
        const { code = 'done' } = await outcomeOf(submitted);
        (told[String(code)] ??= []).push(number);
      }
    };
    await Promise.all(Array.from({ length: callers }, call));
    return told;
  },
  async scores({ key, rules, members }: Question): Promise<readonly number[]> {
    const found = await rankings?.find(key, rules, members);
    return members.map((_, index) => found?.standings[index]?.score ?? 0);
  },
});

export type WriterHandlers = typeof handlers;

/** The same leaderboards over values for which `add` and `cas` are a `set`. */
function heedlessly(values: Values): Rankings {
  const plain = (key: string) => key.replace('§', '!');
  const heedless: Pick<Values, 'get' | 'set' | 'add' | 'cas' | 'deleteIf' | 'maxValueBytes'> = {
    maxValueBytes: values.maxValueBytes,
    get: (key) => values.get(plain(key)),
    set: (key, bytes, ttlMs) => values.set(plain(key), bytes, ttlMs),
    add: (key, bytes, ttlMs) => values.set(plain(key), bytes, ttlMs),
    cas: (key, _version, bytes, ttlMs) => values.set(plain(key), bytes, ttlMs),
    deleteIf: async (key) => (await values.delete([plain(key)])) > 0,
  };
  return new MemcachedRankings(heedless, systemClock, 1000);
}
