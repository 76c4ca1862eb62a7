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

  it('smoke: all is well with the atlas and all its 135,233 cities', async () => {
    const printed = await node(example('smoke.ts'));
    expect(printed).toContain('Loading cities: 135,233 of 135,233');
    expect(printed.trim()).toMatch(/All is well$/);
  }, 90_000);
});
