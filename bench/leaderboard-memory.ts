/** What leaderboards cost in this process, and how many bytes a member takes on each backend. */
import type { RankingRules, Rankings } from '../src/backend/rankings.ts';
import { startMemcached, startRedis } from '../test/kit/servers.ts';
import { connect, leaderboard, memory } from './hotshelf.ts';
import { load, memberAt, rulesOf, scoreOf } from './leaderboard-members.ts';
import { compare, type Effort, grid, table } from './measure.ts';

const ties: readonly RankingRules['ties'][] = ['competition', 'dense', 'earliest'];
const board = { key: 'bench:{players}:all', expiresAt: Infinity };

export async function ranksInMemory(members: number, effort: Effort): Promise<string> {
  const backend = memory({ maxRankedMembers: 4 * members });
  const players = leaderboard('players', { backend, windows: ['all', 'day', 'week'] });
  for (let from = 0; from < members; from += 10_000) {
    const length = Math.min(10_000, members - from);
    await players.submitMany(Array.from({ length }, (_, at) => ({ member: memberAt(from + at), score: scoreOf() })));
  }
  const map = new Map<string, number>();
  const works: Readonly<Record<string, (member: string, place: number) => Promise<unknown>>> = {
    'a Map behind an async function, without any order (floor)': async (member) => map.set(member, scoreOf()),
    '**leaderboard()**, a submit to three windows': (member) => players.submit(member, scoreOf()),
    '**leaderboard()**, the rank of a member': (member) => players.get(member),
    '**leaderboard()**, the top 25': () => players.top(25),
    '**leaderboard()**, 25 rows at any place': (_, from) => players.page({ from, count: 25 }),
    '**leaderboard()**, 25 rows around a member': (member) => players.around(member, 12),
  };
  const contenders = Object.entries(works).map(([name, work]) => ({
    name,
    run: async (count: number) => {
      for (let done = 0; done < count; done += 1) {
        const place = Math.floor(Math.random() * members);
        await work(memberAt(place), place);
      }
    },
  }));
  const results = await compare(contenders, 20_000, effort);
  players.close();
  await backend.close();
  return `### In this process\n\n${table(results, 'µs')}\n`;
}

/** How much `used` grows when `members` are loaded, for each of them. */
async function bytesEach(
  rankings: Rankings | undefined,
  tie: RankingRules['ties'],
  members: number,
  used: () => Promise<number>,
): Promise<string> {
  if (rankings === undefined) return '';
  const before = await used();
  await load(rankings, [board], rulesOf(tie), members);
  const after = await used();
  return ((after - before) / members).toFixed(0);
}

export async function memoryOfBoards(members: number): Promise<string> {
  const rows: (readonly string[])[] = [];
  const [redis, memcached] = await Promise.all([startRedis(), startMemcached({ args: ['-m', '512'] })]);
  try {
    const [onRedis, onMemcached] = await Promise.all(
      [redis, memcached].map(({ url }) => connect(`${url}?deadline=5s`, { requireWithin: '10s' })),
    );
    const few = Math.min(members, onMemcached?.rankings?.maxMembers ?? 0);
    for (const tie of ties) {
      const here = memory({ maxRankedMembers: members });
      const heap = async () => {
        globalThis.gc?.();
        const { heapUsed, external } = process.memoryUsage();
        return heapUsed + external;
      };
      const inHere = await bytesEach(here.rankings, tie, members, heap);
      await here.close();
      await redis.cli('FLUSHALL');
      const info = async () => Number(/used_memory:(\d+)/.exec(String(await redis.cli('INFO', 'memory')))?.[1]);
      const inRedis = await bytesEach(onRedis?.rankings, tie, members, info);
      await memcached.cli('flush_all');
      const stats = async () => {
        const size = (await onMemcached?.rankings?.page(board.key, rulesOf(tie), { from: 0, count: 1 }))?.size ?? 0;
        return size === 0 ? 0 : Number(/bytes (\d+)/.exec(await memcached.cli('stats'))?.[1]);
      };
      const inMemcached = await bytesEach(onMemcached?.rankings, tie, few, stats);
      rows.push([`ties \`${tie}\``, inHere, inRedis, inMemcached]);
    }
    await Promise.all([onRedis?.close(), onMemcached?.close()]);
  } finally {
    await Promise.all([redis.stop(), memcached.stop()]);
  }
  const about = `One window, names of ${memberAt(members - 1).length} characters, ${members.toLocaleString('en')} members; on Memcached as many as a board can have there.`;
  const head = ['bytes a member', 'memory', 'Redis', 'Memcached'];
  return `### Memory\n\n${about}\n\n${grid(head, rows)}\n`;
}
