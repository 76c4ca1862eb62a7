/** Is the documentation true? Its blocks compile, its links lead somewhere, and it names every option. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (page: string) => readFile(join(root, page), 'utf8');
// Inside the package, so that the snippets import it by its name.
const folder = join(root, 'test', '.snippets');

afterAll(() => rm(folder, { recursive: true, force: true }));

interface Block {
  readonly name: string;
  readonly code: string;
}

async function docs(): Promise<string[]> {
  return (await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`);
}

async function pages(): Promise<string[]> {
  return ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'examples/atlas/README.md', ...(await docs())];
}

async function blocksOf(page: string): Promise<Block[]> {
  const text = await read(page);
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

/** Returns the anchors that GitHub gives to the headings of `text`. */
function anchorsOf(text: string): string[] {
  const headings = [...text.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.+)$/gm)];
  return headings.map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

/** Returns what is wrong with the links of `text`, which stands at `page`. */
async function brokenLinks(page: string, text: string): Promise<string[]> {
  const broken: string[] = [];
  for (const [link, target = '', anchor = ''] of text.matchAll(/\]\(([^)#:]*)(?:#([^)]*))?\)/g)) {
    const file = target === '' ? page : join(page, '..', target);
    const linked = await read(file).catch(() => undefined);
    if (linked === undefined || (anchor !== '' && !anchorsOf(linked).includes(anchor))) broken.push(`${page}${link}`);
  }
  return broken;
}

/** Returns the names and the defaults that the docblocks of an options file say, in their order, up to `end`. */
async function optionsOf(
  file: string,
  end: string,
): Promise<(readonly [name: string, byDefault: string | undefined])[]> {
  const [text = ''] = (await read(file)).split(end);
  const options: (readonly [string, string | undefined])[] = [];
  for (const [, comment = '', name = ''] of text.matchAll(
    /^  \/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n  (?:readonly )?(\w+)\??: /gm,
  )) {
    options.push([name, /@default (.+)/.exec(comment)?.[1]]);
  }
  return options;
}

/** Returns the first two cells of each row of the tables in `text` whose first cell is an option. */
function rowsOf(text: string): Map<string, string> {
  return new Map([...text.matchAll(/^\| `(\w+)` +\| ([^|]*?) +\|/gm)].map(([, name = '', cell = '']) => [name, cell]));
}

describe('the documentation', () => {
  it('has blocks that compile', async () => {
    const blocks = (await Promise.all((await pages()).map(blocksOf))).flat();
    expect(blocks.length).toBeGreaterThan(20);
    expect(await compile(blocks)).toBe('');
  });

  it('would be caught with a block that does not (control)', async () => {
    const wrong = "import { createCache } from 'hotshelf';\ncreateCache({ ttl: '5 parsecs' });\n";
    expect(await compile([{ name: 'wrong.ts', code: wrong }])).toContain('wrong.ts(2,');
  });

  it('has links that lead to files and headings', async () => {
    for (const page of await pages()) expect(await brokenLinks(page, await read(page))).toEqual([]);
  });

  it('would be caught with links that do not (control)', async () => {
    const wrong = '[a](no-such.md) [b](grace.md#no-such) [c](grace.md#early-refresh) [d](#no-such)\n';
    expect(await brokenLinks('docs/tags.md', wrong)).toEqual([
      'docs/tags.md](no-such.md)',
      'docs/tags.md](grace.md#no-such)',
      'docs/tags.md](#no-such)',
    ]);
  });

  it('has pages that open with two lines for the hurried, and that the README leads to', async () => {
    const readme = await read('README.md');
    for (const page of await docs()) {
      expect(await read(page), page).toMatch(/^# .+\n\n\S.+\n\S.+\n\n/);
      expect(readme).toContain(`](${page})`);
    }
  });

  it('names every option with its default', async () => {
    const readme = rowsOf(await read('README.md'));
    const options = await optionsOf('src/cache/options.ts', 'interface SetOptions');
    expect(options.length).toBeGreaterThan(15);
    expect([...readme.keys()].toSorted()).toEqual(options.map(([name]) => name).toSorted());
    for (const [name, byDefault] of options) {
      if (byDefault === undefined || !/^['\d]|^false$|^true$/.test(byDefault)) continue;
      expect(readme.get(name), name).toBe(`\`${byDefault.replace(/,.*/, '')}\``);
    }
    const board = rowsOf((await read('docs/leaderboards.md')).split('## Windows')[0] ?? '');
    const ofBoards = [
      ...(await optionsOf('src/leaderboards/options.ts', 'interface TopCacheOptions')),
      ...(await optionsOf('src/leaderboards/time/options.ts', 'const keepDefaults')),
    ].filter(([name]) => name !== 'backend' && name !== 'name');
    expect([...board.keys()].toSorted()).toEqual(ofBoards.map(([name]) => name).toSorted());
    for (const [name, byDefault] of ofBoards)
      if (board.get(name) !== '') expect(board.get(name), name).toBe(`\`${byDefault?.trim()}\``);
    const local = rowsOf(await read('docs/local-tier.md'));
    expect([...local.keys()]).toEqual(
      (await optionsOf('src/cache/local/options.ts', 'interface LocalPolicy')).map(([name]) => name),
    );
  });
});
