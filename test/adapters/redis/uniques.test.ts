/** Shows what uniques are on a real Redis: one trip a tick for a key, a lifetime from the start, and nobody else's key. */

import { afterEach, expect, it } from 'vitest';
import { startRedisCluster } from '../../kit/cluster.ts';
import { backendOn, cleanUp, errorOf, later, server } from './support.ts';

afterEach(cleanUp);

it('notes the members of a tick in one trip for each key, and still knows each caller', async () => {
  const real = await server();
  const { uniques } = await backendOn(real.url);
  await uniques.add('warm', ['x'], Infinity);
  const before = String(await real.cli('INFO', 'commandstats'));
  await real.cli('SET', 'taken', 'x');
  const outcomes = await Promise.allSettled(
    Array.from({ length: 300 }, (_, at) => uniques.add(at % 3 === 0 ? 'taken' : `day${at % 3}`, [`m${at}`], 60_000)),
  );
  expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(100);
  expect(await uniques.count(['day1'])).toBe(100);
  const calls = (stats: string) => Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  expect(calls(String(await real.cli('INFO', 'commandstats'))) - calls(before)).toBe(3);
});

it('starts the lifetime with the key, whoever comes later', async () => {
  const real = await server();
  const { uniques } = await backendOn(real.url);
  await uniques.add('k', ['a'], 1_000_000);
  const at = await real.cli('PEXPIRETIME', 'k');
  await Promise.all([uniques.add('k', ['b'], 9_000_000), uniques.add('k', ['c'], Infinity)]);
  expect(await real.cli('PEXPIRETIME', 'k')).toBe(at);
  expect(await uniques.count(['k'])).toBe(3);
});

it('leaves a key alone that holds something else', async () => {
  const real = await server();
  const { uniques } = await backendOn(real.url);
  await real.cli('SET', 'text', 'x');
  await real.cli('RPUSH', 'list', 'x');
  for (const key of ['text', 'list']) {
    for (const work of [() => uniques.add(key, ['a'], 1000), () => uniques.count([key])]) {
      const { code, message } = await errorOf(work());
      expect([code, message]).toEqual(['BACKEND_REFUSED', expect.stringContaining('keys of its own')]);
    }
    expect(await real.cli('PTTL', key)).toBe(-1);
  }
  expect(await real.cli('GET', 'text')).toBe('x');
  expect(await real.cli('LLEN', 'list')).toBe(1);
});

it('survives that the server forgets its scripts', async () => {
  const real = await server();
  const { uniques } = await backendOn(real.url);
  for (let round = 0; round < 10; round += 1) {
    await uniques.add('k', [`m${round}`], Infinity);
    await real.cli('SCRIPT', 'FLUSH');
  }
  expect(await uniques.count(['k'])).toBe(10);
});

it('counts keys of one slot of a Cluster together', async () => {
  const cluster = later((one) => one.stop(), await startRedisCluster());
  const [node] = cluster.masters;
  const { uniques } = await backendOn(`redis+cluster://${node?.host}:${node?.port}`);
  for (let page = 0; page < 12; page += 1) {
    await Promise.all([uniques.add(`{${page}}:1`, ['a', 'b'], 60_000), uniques.add(`{${page}}:2`, ['b', 'c'], 60_000)]);
    expect(await uniques.count([`{${page}}:1`, `{${page}}:2`, `{${page}}:none`])).toBe(3);
  }
});
