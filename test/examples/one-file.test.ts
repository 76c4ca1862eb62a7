import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);
const example = (name: string): string => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));
const node = async (...args: string[]): Promise<string> => {
  const env = { ...process.env, HOTSHELF_URL: '', DATABASE_URL: '' };
  const { stdout } = await run(process.execPath, ['--conditions=hotshelf:source', '--import', 'tsx', ...args], { env });
  return stdout;
};

describe('the examples of one file', () => {
  it('cache-aside: a hundred callers are one query, and a change is seen at once', async () => {
    expect((await node(example('cache-aside.ts'))).trim().split('\n')).toEqual([
      '100 callers got Nizza: 1 query',
      'After the change: Nice, 2 queries',
      'Hits 0, misses 2, collapsed 99',
    ]);
  });

  it('decorators: one query for many calls, a change is seen at once, and the grace helps while the database is down', async () => {
    expect((await node(example('decorators.ts'))).trim().split('\n')).toEqual([
      'Nizza: four calls, 1 query',
      'Nice: the new name at once',
      'Nice: from the grace, while the database is down',
    ]);
  });

  it('tags: what a tag ends is loaded again, and nothing else', async () => {
    expect((await node(example('tags.ts'))).trim().split('\n')).toEqual([
      'Antibes 76393 | Anzio 59187 | Nice 338620: 3 loads',
      'Antibes 76393 | Anzio 59187 | Nice 338620: 0 loads',
      'Antibes 76393 | Anzio 59187 | Nice 338621: 2 loads',
      'Antibes 76393, Antwerp 459805 | Anzio 59187 | Nice 338621: 3 loads',
    ]);
  });

  it('leaderboard: ranks, neighbours and friends, and a change that is seen', async () => {
    expect((await node(example('leaderboard.ts'))).trim().split('\n')).toEqual([
      'Top: 1. Anna 120, 2. Chloé 90, 2. Bob 90',
      'Dov: from 40 to 100, today 2nd, in all 2nd',
      'Dov again: improved false',
      'Bob: rank 3 of 4, at least as good as 50 %',
      'Around Bob: 2. Dov 100, 3. Chloé 90, 3. Bob 90',
      'Friends: 1. Dov, 2. Bob',
      'Seen: 1. Chloé 150',
    ]);
  });

  it('smoke: all is well with the atlas and all its 135,233 cities', async () => {
    const printed = await node(example('smoke.ts'));
    expect(printed).toContain('Loading cities: 135,233 of 135,233');
    expect(printed.trim()).toMatch(/All is well$/);
  }, 270_000);
});
