/** Shows what submits to leaderboards come to when the server hangs, answers get lost, or the process dies. */

import { describe, expect, it, onTestFinished } from 'vitest';
import { startProxy } from '../../kit/proxy.ts';
import { until } from '../../kit/wait.ts';
import { startWorker } from '../../kit/workers.ts';
import type { WriterHandlers } from './rankings.worker.ts';
import { outcomeOf } from './outcome.ts';
import { backendOn, day, isUp, type MemcachedBackend, server, sum, week } from './support.ts';

const boards = [day, week];

/** The members of a board, with how often each was counted. */
async function scoresOf({ rankings }: MemcachedBackend, key: string): Promise<Map<string, number>> {
  const scores = new Map<string, number>();
  for await (const entries of rankings.scan(key, sum))
    for (const { member, score } of entries) scores.set(member, score);
  return scores;
}

/** Every member is submitted once: fails unless all that were acknowledged are there, and nobody was counted twice. */
async function expectOnce(
  backend: MemcachedBackend,
  acknowledged: readonly string[],
  ambiguous: readonly string[] | undefined,
): Promise<void> {
  for (const { key } of boards) {
    const scores = await scoresOf(backend, key);
    expect(acknowledged.filter((member) => !scores.has(member))).toEqual([]);
    expect([...scores].filter(([, score]) => score !== 1)).toEqual([]);
    if (ambiguous === undefined) continue;
    const explained = new Set([...acknowledged, ...ambiguous]);
    expect([...scores.keys()].filter((member) => !explained.has(member))).toEqual([]);
  }
  expect(await scoresOf(backend, day.key)).toEqual(await scoresOf(backend, week.key));
}

describe('a submit', () => {
  it('that was sent to a server that hangs is said to be unknown, and is counted once at the most', async () => {
    const real = await server();
    const backend = await backendOn(real, { deadline: '100ms' });
    const told: Record<string, string[]> = {};
    const count = (code: string) => told[code]?.length ?? 0;
    let next = 0;
    let isOver = false;
    const call = async () => {
      // Boards have room for 1000.
      while (!isOver && count('done') < 950) {
        const member = `m${(next += 1)}`;
        const { code = 'done' } = await outcomeOf(backend.rankings.submit(boards, sum, [{ member, score: 1 }]));
        (told[String(code)] ??= []).push(member);
        // While nobody answers, every call is refused at once.
        if (code !== 'done') await isUp(backend);
      }
    };
    const calls = Array.from({ length: 8 }, call);
    // What hangs is mostly the value itself, which this process stores over what it knows; now and then a read is in front.
    for (let pause = 1; pause <= 8 && count('OUTCOME_UNKNOWN') < 20; pause += 1) {
      await until(() => count('done') > pause * 100, { what: 'submits to be acknowledged', within: 20_000 });
      const before = count('OUTCOME_UNKNOWN') + count('BACKEND_DOWN');
      await real.pause();
      const hasFailed = () => count('OUTCOME_UNKNOWN') + count('BACKEND_DOWN') > before;
      await until(hasFailed, { what: 'a submit to fail' }).finally(() => real.resume());
    }
    expect(count('OUTCOME_UNKNOWN')).toBeGreaterThan(0);
    isOver = true;
    await Promise.all(calls);
    await isUp(backend);
    expect(Object.keys(told).filter((code) => !['done', 'OUTCOME_UNKNOWN', 'BACKEND_DOWN'].includes(code))).toEqual([]);
    await expectOnce(backend, told['done'] ?? [], told['OUTCOME_UNKNOWN']);
  });

  it('whose answer was lost is not sent again, nor are those that went with it', async () => {
    const real = await server();
    const proxy = await startProxy({ target: real });
    onTestFinished(() => proxy.stop());
    const [backend, witness] = [await backendOn(proxy, { deadline: '250ms' }), await backendOn(real)];
    const acknowledged: string[] = [];
    const ambiguous: string[] = [];
    for (let round = 0; round < 20; round += 1) {
      await isUp(backend);
      if (round % 2 === 1) proxy.truncateNextReply(round % 5, 'close');
      const members = [0, 1, 2].map((index) => `m${round}-${index}`);
      const outcomes = await Promise.all(
        members.map((member) => outcomeOf(backend.rankings.submit(boards, sum, [{ member, score: 1 }]))),
      );
      for (const [index, { code }] of outcomes.entries()) {
        // Whatever became of it, they went together.
        expect(code).toBe(outcomes[0]?.code);
        if (code === undefined) acknowledged.push(members[index] ?? '');
        else if (code === 'OUTCOME_UNKNOWN') ambiguous.push(members[index] ?? '');
      }
    }
    expect(ambiguous.length).toBeGreaterThan(10);
    await expectOnce(witness, acknowledged, ambiguous);
  });

  it('of a process that is killed is there whole or not at all, once', async () => {
    const real = await server();
    const witness = await backendOn(real);
    const writers = await Promise.all(
      [0, 1].map(() => startWorker<WriterHandlers>(new URL('./rankings.worker.ts', import.meta.url))),
    );
    onTestFinished(async () => {
      await Promise.all(writers.map((writer) => writer.stop()));
    });
    const { host, port } = real;
    await Promise.all(writers.map((writer) => writer.call('open', { address: { host, port }, kind: 'hotshelf' })));
    const acknowledged: string[] = [];
    const write = async (index: number, most: number) => {
      for (let from = 0; from < most; from += 10) {
        const load = { boards, rules: sum, members: [`${index}-#`], submits: 10, from, callers: 5 };
        const told = await writers[index]?.call('load', load);
        for (const number of told?.['done'] ?? []) acknowledged.push(`${index}-${number}`);
      }
    };
    // The first never ends by itself; the other goes on.
    const killed = write(0, 700).then(
      () => 'went on to the end',
      () => 'was killed',
    );
    const other = write(1, 250);
    await until(() => acknowledged.filter((member) => member.startsWith('0-')).length >= 30, { what: 'some submits' });
    await writers[0]?.kill();
    expect(await killed).toBe('was killed');
    await other;
    expect(acknowledged.filter((member) => member.startsWith('1-')).length).toBeGreaterThan(200);
    await expectOnce(witness, acknowledged, undefined);
  });

  it('that could not even read is not unknown: nothing was written', async () => {
    const real = await server();
    const backend = await backendOn(real, { deadline: '100ms' });
    await real.pause();
    const { code } = await outcomeOf(backend.rankings.submit(boards, sum, [{ member: 'ann', score: 1 }]));
    real.resume();
    expect(code).toBe('BACKEND_DOWN');
    await isUp(backend);
    expect((await backend.rankings.find(day.key, sum, ['ann'])).standings).toEqual([null]);
  });
});
