/** Shows what a leaderboard does while its server is killed or stands still, and when it is back. */

import { connect, HotshelfError } from 'hotshelf';
import { leaderboard } from 'hotshelf/leaderboards';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startMemcached, startRedis } from '../kit/servers.ts';
import { until } from '../kit/wait.ts';

const servers = { Redis: startRedis, Memcached: startMemcached };
const faults = ['is killed and comes back empty', 'stands still for a while'] as const;

describe.each(Object.entries(servers))('a leaderboard on %s', (_name, start) => {
  it.each(faults)('that %s fails loudly, keeps its top, and is watched again', { timeout: 90_000 }, async (fault) => {
    const server = await start();
    onTestFinished(() => server.stop());
    const backend = await connect(server.url, { requireWithin: '15s' });
    const board = leaderboard('faults', {
      backend,
      cacheTop: { for: '20ms', grace: '10m' },
      live: { every: '50ms', poll: '200ms' },
    });
    onTestFinished(async () => {
      board.close();
      await backend.close();
    });
    const tops: string[] = [];
    const problems: unknown[] = [];
    board.subscribe(({ rows }) => tops.push(rows.map(({ member }) => member).join(' ')), {
      onProblem: (error) => problems.push(error),
    });
    const submitted = (member: string, score: number) =>
      until(() => board.submit(member, score), { what: `${member} on the board`, within: 20_000 });
    await submitted('anna', 1);
    await until(() => tops.at(-1) === 'anna', { what: 'anna at the top' });
    await until(async () => (await board.top(1)).rows.length, { what: 'a kept top' });

    const isKill = fault === faults[0];
    await (isKill ? server.kill() : server.pause());
    const error = await until(
      () =>
        board.submit('lost', 5).then(
          () => undefined,
          (error: unknown) => error,
        ),
      {
        what: 'a submit that fails',
        within: 20_000,
      },
    );
    expect(error).toBeInstanceOf(HotshelfError);
    expect((error as HotshelfError).code).toMatch(/^BACKEND_DOWN$|^OUTCOME_UNKNOWN$/);
    expect((error as HotshelfError).message).toMatch(/^Leaderboard "faults": /);
    const kept = await until(async () => (await board.top(1)).stale && board.top(1), {
      what: 'a stale top',
      within: 20_000,
    });
    expect(kept).toMatchObject({ rows: [{ member: 'anna', score: 1, rank: 1 }], stale: true });
    await expect(board.get('anna')).rejects.toThrow(/^Leaderboard "faults": /);
    await until(() => problems.length > 0, { what: 'a problem that the subscriber is told', within: 20_000 });

    if (isKill) await server.restart();
    else server.resume();
    await submitted('bob', 10);
    await until(() => tops.at(-1)?.startsWith('bob'), { what: 'bob at the top', within: 30_000 });
    await until(async () => !(await board.top(1)).stale, { what: 'a fresh top' });
    expect(await board.get('bob')).toMatchObject({ rank: 1 });
  });
});
