/** Shows that several processes that write the same leaderboards lose nothing, with a control that does. */

import { describe, expect, it, onTestFinished } from 'vitest';
import { startWorker, type Worker } from '../../kit/workers.ts';
import type { Opening, Told, WriterHandlers } from './rankings.worker.ts';
import { type Address, day, server, sum, week } from './support.ts';

const boards = [day, week];
const submits = 50;
const rounds = 5;

type Writer = Worker<WriterHandlers>;

async function writersOn(address: Address, kind: Opening['kind'], count: number): Promise<readonly Writer[]> {
  const file = new URL('./rankings.worker.ts', import.meta.url);
  const writers = await Promise.all(Array.from({ length: count }, () => startWorker<WriterHandlers>(file)));
  onTestFinished(async () => {
    await Promise.all(writers.map((writer) => writer.stop()));
  });
  const { host, port } = address;
  await Promise.all(writers.map((writer) => writer.call('open', { address: { host, port }, kind })));
  return writers;
}

interface Count {
  readonly acknowledged: number;
  readonly ambiguous: number;
  readonly codes: string;
}

function countOf(told: readonly Told[]): Count {
  const count = (code: string) => told.reduce((total, one) => total + (one[code]?.length ?? 0), 0);
  const codes = [...new Set(told.flatMap((one) => Object.keys(one)))].join(' ');
  return { acknowledged: count('done'), ambiguous: count('OUTCOME_UNKNOWN'), codes };
}

/** All writers add 1 to the member `all` with each submit, and to one of their own; together, again and again. */
async function rush(writers: readonly Writer[]): Promise<Count> {
  const told: Told[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const loads = writers.map((writer, index) =>
      writer.call('load', { boards, rules: sum, members: ['all', `writer-${index}`], submits, callers: 5 }),
    );
    told.push(...(await Promise.all(loads)));
  }
  return countOf(told);
}

/** What the boards hold by now, by the count of `all` and by the sum of the counts of each writer. */
async function sumsOf(writers: readonly Writer[]): Promise<readonly { all: number; own: number }[]> {
  const members = ['all', ...writers.map((_, index) => `writer-${index}`)];
  const scores = await Promise.all(
    boards.map(async ({ key }) => writers[0]?.call('scores', { key, rules: sum, members })),
  );
  return scores.map((found) => {
    const [all = 0, ...own] = found ?? [];
    return { all, own: own.reduce((total, score) => total + score, 0) };
  });
}

describe('four processes that submit to the same boards', () => {
  it('lose none of the submits that were acknowledged, on no board', async () => {
    const writers = await writersOn(await server(), 'hotshelf', 4);
    const { acknowledged, ambiguous, codes } = await rush(writers);
    expect(acknowledged + ambiguous, codes).toBe(4 * rounds * submits);
    for (const { all, own } of await sumsOf(writers)) {
      expect(all).toBeGreaterThanOrEqual(acknowledged);
      expect(all).toBeLessThanOrEqual(acknowledged + ambiguous);
      // Each submit is one step: all of it is there, or none of it.
      expect(own).toBe(all);
    }
  });

  it('lose many where a value is stored over whatever is there by now (control)', async () => {
    const writers = await writersOn(await server(), 'heedless', 4);
    const { acknowledged } = await rush(writers);
    for (const { all } of await sumsOf(writers)) expect(all).toBeLessThan(acknowledged - submits);
  });
});
