/** The leaderboards that ours are measured beside. */
import type { Redis as RedisClient } from 'ioredis';
import { type Class, installed } from './installed.ts';

export interface BoardPeer {
  submit(member: string, score: number): Promise<unknown>;
  find(member: string): Promise<unknown>;
  top(count: number): Promise<unknown>;
  list(first: number, last: number): Promise<unknown>;
  around(member: string, each: number): Promise<unknown>;
  close(): void;
}

type Pipeline = ReturnType<RedisClient['pipeline']>;

interface RankLeaderboard extends Pick<BoardPeer, 'find' | 'top' | 'list'> {
  updatePipe(entries: readonly { readonly id: string; readonly value: number }[], pipeline: Pipeline): void;
  around(id: string, distance: number, fillBorders: boolean): Promise<unknown>;
}

/** redis-rank on sorted sets that exist; a submit to several is what its `LeaderboardMatrix` does. */
export async function openPeer(client: RedisClient, keys: readonly string[]): Promise<BoardPeer> {
  const { Leaderboard } = await installed('redis-rank');
  const options = { sortPolicy: 'high-to-low', updatePolicy: 'best' };
  const boards = keys.map((key) => new (Leaderboard as Class)(client, key, options) as RankLeaderboard);
  const [first] = boards;
  if (first === undefined) throw new Error('no board');
  return {
    submit: async (id, value) => {
      const pipeline = client.pipeline();
      for (const board of boards) board.updatePipe([{ id, value }], pipeline);
      const answers = (await pipeline.exec()) ?? [];
      for (const [error] of answers) if (error !== null) throw error;
    },
    find: (member) => first.find(member),
    top: (count) => first.top(count),
    list: (from, to) => first.list(from, to),
    around: (member, each) => first.around(member, each, true),
    close: () => client.disconnect(),
  };
}
