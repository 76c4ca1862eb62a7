/** Every TypeScript block of the documentation compiles against the package as it is. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
// Inside the package, so that the snippets import it by its name.
const folder = join(root, 'test', '.snippets');

afterAll(() => rm(folder, { recursive: true, force: true }));

interface Block {
  readonly name: string;
  readonly code: string;
}

async function pages(): Promise<string[]> {
  const docs = (await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`);
  return ['README.md', 'CONTRIBUTING.md', 'examples/atlas/README.md', ...docs];
}

async function blocksOf(page: string): Promise<Block[]> {
  const text = await readFile(join(root, page), 'utf8');
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = ''], index) => ({
    name: `${page.replaceAll(/\W/g, '-')}-${index + 1}.ts`,
    code,
  }));
}

/** Returns what the compiler says about `blocks`; empty if it has nothing to say. */
async function compile(blocks: readonly Block[]): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  // `export {}` makes a module of a block without imports; its line numbers stay those of the block.
  for (const { name, code } of blocks) await writeFile(join(folder, name), `${code}\nexport {};\n`);
  const config = { extends: '../../tsconfig.json', include: ['*.ts', '../../adapters/**/*.d.ts'], exclude: [] };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
  try {
    await promisify(execFile)(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder]);
    return '';
  } catch (error) {
    return String((error as { stdout?: unknown }).stdout ?? error);
  }
}

describe('the documentation', () => {
  it('has blocks that compile', async () => {
    const blocks = (await Promise.all((await pages()).map(blocksOf))).flat();
    expect(blocks.length).toBeGreaterThan(5);
    expect(await compile(blocks)).toBe('');
  });

  it('would be caught with a block that does not (control)', async () => {
    const wrong = "import { createCache } from 'hotshelf';\ncreateCache({ ttl: '5 parsecs' });\n";
    expect(await compile([{ name: 'wrong.ts', code: wrong }])).toContain('wrong.ts(2,');
  });

  it('names only files that exist', async () => {
    for (const page of await pages()) {
      const text = await readFile(join(root, page), 'utf8');
      const base = new URL(page, new URL('..', import.meta.url));
      for (const [, target = ''] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
        const file = fileURLToPath(new URL(target, base));
        await expect(readFile(file), `${page} names ${target}`).resolves.toBeDefined();
      }
    }
  });
});
