/** P1: once an invalidation resolved, no later read anywhere returns what was loaded before it. */
import { appendFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { seededRandom } from '../kit/random.ts';
import { sleep } from '../kit/wait.ts';
import { type BackendName, type Fleet, startFleet } from './fleet.ts';
import { violations } from './history.ts';
import type { SubjectName } from './subject.ts';

const seed = Number(process.env.HOTSHELF_SEED ?? Math.floor(Math.random() * 1_000_000));
const backends: readonly BackendName[] = ['memory', 'redis', 'memcached'];

async function fleetOf(backend: BackendName, subject: SubjectName, originDelayMs?: number): Promise<Fleet> {
  const fleet = await startFleet({ backend, subject, processes: 3, seed, ...(originDelayMs && { originDelayMs }) });
  onTestFinished(() => fleet.stop());
  return fleet;
}

/** Three processes (or caches), each with six readers and two writers, on four keys. */
async function playAtRandom(backend: BackendName, subject: SubjectName) {
  const fleet = await fleetOf(backend, subject);
  const readers = backend === 'memory' ? 18 : 6;
  const history = await fleet.play({
    keys: ['a', 'b', 'c', 'd'],
    readers,
    writers: backend === 'memory' ? 6 : 2,
    readsEach: 300,
  });
  return { history, found: violations(history), loads: fleet.origin.reads() };
}

/**
 * A cold read is on its way to the origin when the row is written and invalidated 1 to 7 ms later; whatever the first read put
 * into the cache would stay there for an hour. Returns how many of the trials ended with the old row.
 */
async function stuckTrials(backend: BackendName, subject: SubjectName, trials: number): Promise<number> {
  const fleet = await fleetOf(backend, subject, 10);
  const random = seededRandom(seed);
  const playerAt = (index: number) => fleet.players[index % fleet.players.length] ?? fleet.players[0];
  const trial = async (index: number): Promise<boolean> => {
    const key = `trial-${index}`;
    const cold = playerAt(index)?.call('read', { key, cache: index });
    await sleep(1 + random() * 6);
    const version = await playerAt(index + 1)?.call('write', { key, cache: index + 1 });
    const first = await playerAt(index + 2)?.call('read', { key, cache: index + 2 });
    await cold;
    const second = await playerAt(index)?.call('read', { key, cache: index });
    return first !== version || second !== version;
  };
  let stuck = 0;
  for (let index = 0; index < trials; index += 10) {
    const batch = await Promise.all(Array.from({ length: 10 }, (_, offset) => trial(index + offset)));
    stuck += batch.filter(Boolean).length;
  }
  return stuck;
}

/** Adds a row to the file that `HOTSHELF_STALE_TABLE` names, for the README. */
function report(...cells: readonly (string | number)[]): void {
  const table = process.env.HOTSHELF_STALE_TABLE;
  if (table !== undefined) appendFileSync(table, `| ${cells.join(' | ')} |\n`);
}

describe.each(backends)('on %s', (backend) => {
  it(`gives no stale read in 5,400 random ones (seed ${seed})`, { timeout: 120_000 }, async () => {
    const { history, found, loads } = await playAtRandom(backend, 'hotshelf');
    report(backend, 'hotshelf', history.reads.length, history.writes.length, found.length);
    expect(found).toEqual([]);
    expect(history.reads.length).toBeGreaterThanOrEqual(5000);
    // Without hits, and without writes between them, nothing would have been shown.
    expect(history.writes.length).toBeGreaterThan(100);
    expect(loads).toBeLessThan(history.reads.length * 0.9);
  });

  it('leaves no old row behind in 200 trials of a write against a load in flight', { timeout: 120_000 }, async () => {
    expect(await stuckTrials(backend, 'hotshelf', 200)).toBe(0);
  });

  it('catches the naive cache in both (control)', { timeout: 120_000 }, async () => {
    const { history, found } = await playAtRandom(backend, 'naive');
    const stuck = await stuckTrials(backend, 'naive', 50);
    report(backend, 'naive', history.reads.length, history.writes.length, found.length, `${stuck} of 50 stuck`);
    expect(found.length).toBeGreaterThan(0);
    expect(stuck).toBeGreaterThan(0);
  });
});
