import { until } from '../kit/wait.ts';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Database } from '../../examples/atlas/database/database.ts';
import { openSqlite } from '../../examples/atlas/database/sqlite.ts';
import { type RedisServer, startRedis } from '../kit/servers.ts';
import { watch } from './event-source.ts';
import { Player } from './player.ts';
import { startAtlas } from './process.ts';
import { connectTwice, createSite } from './site.ts';
import { openSite, type OpenSite, Visitor } from './visitor.ts';

const path = '/leaderboards/day/live';
const streamsOfAddress = 20;

describe('the live leaderboard of the atlas', () => {
  let database: Database;
  let redis: RedisServer;
  beforeAll(async () => {
    [database, redis] = await Promise.all([openSqlite({ limit: 500 }), startRedis()]);
  });
  afterAll(() => Promise.all([database.close(), redis.stop()]));

  const open = async (options: Parameters<typeof createSite>[1] = {}): Promise<OpenSite> => {
    const site = await openSite(createSite(database, options));
    onTestFinished(() => site.close());
    return site;
  };

  it('says now and then that it is still there', async () => {
    const stream = await watch((await open({ heartbeatMs: 20 })).url + path);
    await until(() => stream.comments.length > 1, { what: 'heartbeats' });
    stream.abort();
  });

  it('has no body for HEAD', async () => {
    const response = await fetch((await open()).url + path, { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([200, '']);
    expect(response.headers.get('Content-Type')).toMatch(/^text\/event-stream/);
    expect((await fetch(`${(await open()).url}/leaderboards/year/live`, { method: 'HEAD' })).status).toBe(400);
  });

  it('is open to an address twenty times at once, over both instances, and again when it has left', async () => {
    const { url } = await open();
    const streams = [];
    for (let count = 0; count < streamsOfAddress; count += 1) streams.push(await watch(url + path));
    expect(streams.map(({ status }) => status)).toEqual(streams.map(() => 200));
    expect((await fetch(url + path)).status).toBe(429);
    streams[0]?.abort();
    const again = await until(
      async () => {
        const stream = await watch(url + path);
        return stream.status === 200 && stream;
      },
      { what: 'a place that is free' },
    );
    for (const stream of [...streams, again]) stream.abort();
  });

  it('listens to the bus while somebody watches, and no longer', async () => {
    const site = await open({ backends: await connectTwice(redis.url) });
    const topics = async () => ((await redis.cli('PUBSUB', 'CHANNELS', '*atlas.quiz*')) as string[]).length;
    expect(await topics()).toBe(0);
    const streams = [await watch(site.url + path), await watch(site.url + path)];
    await until(async () => (await topics()) === 1, { what: 'both instances to listen' });
    for (const stream of streams) stream.abort();
    await until(async () => (await topics()) === 0, { what: 'both instances to listen no longer' });
  });

  it('reaches over processes, and ends in time with the atlas', { timeout: 120_000 }, async () => {
    // Patient with a machine that runs everything at once.
    const HOTSHELF_URL = `${redis.url}?deadline=2s`;
    const args = ['--limit', '500', '--instances', '2'];
    const atlas = await startAtlas({ args, env: { HOTSHELF_URL } });
    onTestFinished(() => atlas.remove());
    await atlas.untilInstancesAnswer(2);
    const streams = [await watch(atlas.url + path), await watch(atlas.url + path)];
    expect(new Set(streams.map(({ headers }) => headers['x-instance']))).toEqual(new Set(['1', '2']));
    const player = await Player.signedUp({ visitor: () => new Visitor(atlas.url) }, database);
    expect((await player.score()).body).toMatchObject({ right: true });
    for (const { events } of streams)
      await until(() => JSON.stringify(events.at(-1)).includes(player.name), { what: 'the player on a stream' });
    streams[0]?.abort();
    const live = async () => {
      const replies = [await atlas.get('/stats'), await atlas.get('/stats')];
      return replies.reduce((sum, { body }) => sum + Number(body['live']), 0);
    };
    await until(async () => (await live()) === 1, { what: 'the first stream to be forgotten, through the front' });
    atlas.process.kill('SIGTERM');
    await until(() => streams[1]?.ended, { what: 'the end of the other one' });
    await until(() => atlas.howItEnded(), { what: 'the atlas to end', within: 30_000 });
    expect(atlas.howItEnded()).toBe('exited with code 0');
  });
});
