/** What a leaderboard of a million members costs on Redis, beside the bare commands and redis-rank; and how many bytes it takes. */
import { readFileSync } from 'node:fs';
import type { RankingRules } from '../src/backend/rankings.ts';
import { type RedisServer, startRedis } from '../test/kit/servers.ts';
import { connect, leaderboard, Redis } from './hotshelf.ts';
import { memoryOfBoards, ranksInMemory } from './leaderboard-memory.ts';
import { load, memberAt, rulesOf, scoreOf } from './leaderboard-members.ts';
import { openPeer } from './leaderboard-peers.ts';
import { compare, type Contender, type Effort, grid, median } from './measure.ts';

const windows = ['all', 'day', 'week'] as const;
const concurrencies = [1, 64] as const;
/** Rows of a page. */
const count = 25;

/** Does the thing for a member, chosen by chance. */
type Work = (member: string, place: number) => Promise<unknown>;

/** What the main thread of a server has spent so far, in ns. */
function cpuOf({ pid }: RedisServer): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[0]);
}

/** Keeps `concurrency` calls in flight; notes what they cost the server. */
class Calls implements Contender {
  readonly #server: RedisServer;
  readonly #members: number;
  readonly #concurrency: number;
  readonly #work: Work;
  readonly #spent: number[] = [];
  #startedAt = 0;
  readonly name: string;

  constructor(name: string, server: RedisServer, members: number, concurrency: number, work: Work) {
    this.name = name;
    this.#server = server;
    this.#members = members;
    this.#concurrency = concurrency;
    this.#work = work;
  }

  async before(): Promise<void> {
    this.#startedAt = cpuOf(this.#server);
  }

  async run(operations: number): Promise<void> {
    const each = Math.ceil(operations / this.#concurrency);
    const loop = async () => {
      for (let done = 0; done < each; done += 1) {
        const place = Math.floor(Math.random() * this.#members);
        await this.#work(memberAt(place), place);
      }
    };
    await Promise.all(Array.from({ length: this.#concurrency }, loop));
  }

  wrong(operations: number): undefined {
    this.#spent.push((cpuOf(this.#server) - this.#startedAt) / operations);
  }

  /** For each operation, in ns. */
  get serverNs(): number {
    return median(this.#spent.slice(2));
  }
}

/** A table of ways to do one thing, of which the first is the floor. */
async function section(
  title: string,
  { server, members }: Site,
  works: Readonly<Record<string, Work>>,
  effort: Effort,
): Promise<string> {
  const parts: string[] = [];
  for (const concurrency of concurrencies) {
    const calls = Object.entries(works).map(([name, work]) => new Calls(name, server, members, concurrency, work));
    const results = await compare(calls, concurrency === 1 ? 2000 : 12_000, effort);
    const rows = results.map(({ name, cpuNs, wallNs, ratio }, place) => {
      const times = [cpuNs, calls[place]?.serverNs ?? Number.NaN, wallNs].map((ns) => (ns / 1000).toFixed(1));
      return [name, ...times, ratio.toFixed(2)];
    });
    const head = [`${concurrency} in flight`, 'CPU µs/op', 'CPU of the server µs/op', 'wall µs/op', 'CPU ratio'];
    parts.push(grid(head, rows));
  }
  return `### ${title}\n\n${parts.join('\n\n')}\n`;
}

interface Site {
  readonly server: RedisServer;
  readonly members: number;
}

/** The keys that a leaderboard has made on the server, in the order of `windows`. */
async function keysOf(server: RedisServer): Promise<string[]> {
  const keys = ((await server.cli('KEYS', '*')) as string[]).filter((key) => key.startsWith('hs:{board:'));
  return windows.map((window) => keys.find((key) => key.includes(`}:${window}`)) ?? '');
}

async function onRedis(site: Site, effort: Effort): Promise<string[]> {
  const { server, members } = site;
  const bare = new Redis(server.port);
  const backend = await connect(`redis://127.0.0.1:${server.port}?deadline=5s`, { requireWithin: '10s' });
  const { rankings } = backend;
  if (rankings === undefined) throw new Error('no rankings');
  const board = leaderboard('players', { backend, windows });
  await board.submit(memberAt(0), 1);
  const keys = await keysOf(server);
  const boardsOf = (names: readonly string[]) => names.map((key) => ({ key, expiresAt: Date.now() + 86_400_000 }));
  const boards = boardsOf(keys);
  const sharing: Record<string, readonly { key: string; expiresAt: number }[]> = { competition: boards };
  for (const ties of ['competition', 'dense', 'earliest'] as const) {
    const own = sharing[ties] ?? boardsOf(windows.map((window) => `bench:{${ties}}:${window}`));
    sharing[ties] = own;
    await load(rankings, own.slice(0, 1), rulesOf(ties), members);
    for (const { key } of own.slice(1)) {
      for (const suffix of ['', ' scores', ' reached'])
        await server.cli('COPY', `${own[0]?.key}${suffix}`, `${key}${suffix}`, 'REPLACE');
    }
  }
  const peer = await openPeer(new Redis(server.port), keys);
  const [all = ''] = keys;
  const facet = (verb: (rules: RankingRules, key: string) => Work) =>
    Object.entries(sharing).map(([ties, own]): [string, Work] => {
      return [`**rankings**, ties \`${ties}\``, verb(rulesOf(ties as RankingRules['ties']), own[0]?.key ?? '')];
    });
  const submitting = Object.entries(sharing).map(([ties, own]): [string, Work] => {
    const rules = rulesOf(ties as RankingRules['ties']);
    return [`**rankings**, ties \`${ties}\``, (member) => rankings.submit(own, rules, [{ member, score: scoreOf() }])];
  });

  const sections = [
    await section(
      'A submit to three windows',
      site,
      {
        'ioredis, three bare `ZADD GT` (floor)': (member) => {
          const score = scoreOf();
          return Promise.all(keys.map((key) => bare.zadd(key, 'GT', score, member)));
        },
        ...Object.fromEntries(submitting),
        '**leaderboard()**': (member) => board.submit(member, scoreOf()),
        'redis-rank': (member) => peer.submit(member, scoreOf()),
      },
      effort,
    ),
    await section(
      'The rank of a member',
      site,
      {
        'ioredis, a bare `ZREVRANK` (floor)': (member) => bare.zrevrank(all, member),
        ...Object.fromEntries(facet((rules, key) => (member) => rankings.find(key, rules, [member]))),
        '**leaderboard()**, with score, size and percentile': (member) => board.get(member),
        'redis-rank, with the score': (member) => peer.find(member),
      },
      effort,
    ),
    await section(
      `The top ${count}`,
      site,
      {
        'ioredis, a bare `ZREVRANGE WITHSCORES` (floor)': () => bare.zrevrange(all, 0, count - 1, 'WITHSCORES'),
        ...Object.fromEntries(facet((rules, key) => () => rankings.page(key, rules, { from: 0, count }))),
        '**leaderboard()**': () => board.top(count),
        'redis-rank': () => peer.top(count),
      },
      effort,
    ),
    await section(
      `${count} rows at any place`,
      site,
      {
        'ioredis, a bare `ZREVRANGE WITHSCORES` (floor)': (_, from) =>
          bare.zrevrange(all, from, from + count - 1, 'WITHSCORES'),
        ...Object.fromEntries(facet((rules, key) => (_, from) => rankings.page(key, rules, { from, count }))),
        '**leaderboard()**': (_, from) => board.page({ from, count }),
        'redis-rank': (_, from) => peer.list(from + 1, from + count),
      },
      effort,
    ),
    await section(
      `${count} rows around a member`,
      site,
      {
        'ioredis, `ZREVRANK`, then `ZREVRANGE WITHSCORES` (floor)': async (member) => {
          const place = (await bare.zrevrank(all, member)) ?? 0;
          const from = Math.max(0, place - 12);
          return bare.zrevrange(all, from, from + count - 1, 'WITHSCORES');
        },
        ...Object.fromEntries(facet((rules, key) => (member) => rankings.page(key, rules, { around: member, count }))),
        '**leaderboard()**': (member) => board.around(member, 12),
        'redis-rank': (member) => peer.around(member, 12),
      },
      effort,
    ),
  ];
  board.close();
  await backend.close();
  peer.close();
  bare.disconnect();
  return sections;
}

export async function leaderboards(effort: Effort): Promise<string> {
  const members = Math.ceil(1_000_000 * effort.share);
  const server = await startRedis();
  try {
    const about = `One client process, one connection each, the server on the same machine; ${members.toLocaleString('en')} members in each window. CPU is that of the client; that of the server is its main thread's, with what it takes to read and to answer.`;
    const sections = await onRedis({ server, members }, effort);
    sections.push(await ranksInMemory(members, effort), await memoryOfBoards(members));
    return `## A leaderboard on Redis\n\n${about}\n\n${sections.join('\n')}`;
  } finally {
    await server.stop();
  }
}
