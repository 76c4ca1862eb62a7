/** Shows that the decorators compile and work as both kinds that TypeScript has, and that mistakes do not compile. */

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removeFolder, temporaryFolder } from '../kit/folder.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const fixtures = {
  program: fileURLToPath(new URL('./fixtures/program.ts', import.meta.url)),
  mistakes: fileURLToPath(new URL('./fixtures/mistakes.ts', import.meta.url)),
};
type Fixture = keyof typeof fixtures;
const tsc = join(root, 'node_modules/.bin/tsc');

describe.each([
  ['standard decorators', false],
  ['experimentalDecorators', true],
])('with %s', (kind, experimentalDecorators) => {
  let folder: string;

  beforeAll(async () => {
    folder = await temporaryFolder('decorators');
    // What tsc writes is a package of its own, which finds itself by its name.
    const exports = {
      '.': './src/index.js',
      './decorators': './src/decorators/index.js',
      './limits': './src/limits/index.js',
      './memory': './adapters/memory/index.js',
    };
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'hotshelf', type: 'module', exports }));
  });

  afterAll(() => removeFolder(folder));

  async function configure(name: Fixture): Promise<string> {
    const config = join(folder, `tsconfig.${name}.json`);
    const emit = { noEmit: false, rootDir: root, outDir: folder };
    const compilerOptions = { ...emit, experimentalDecorators, typeRoots: [join(root, 'node_modules/@types')] };
    const include = [fixtures[name], join(root, 'adapters/memcached/memjs.d.ts')];
    await writeFile(
      config,
      JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, include, exclude: [] }),
    );
    return config;
  }

  /** Returns what the compiler says; empty if it has nothing to say. */
  async function compile(name: Fixture): Promise<string> {
    const config = await configure(name);
    return run(tsc, ['-p', config]).then(
      () => '',
      (error: unknown) => String((error as { stdout?: unknown }).stdout ?? error),
    );
  }

  it('compile with tsc and run on node', async () => {
    expect(await compile('program')).toBe('');
    const { stdout } = await run(process.execPath, [join(folder, 'test/decorators/fixtures/program.js')]);
    expect(stdout).toBe(`all is well with ${kind}\n`);
  });

  it('run with tsx', async () => {
    const flags = ['--conditions=hotshelf:source', '--import', 'tsx'];
    const env = { ...process.env, TSX_TSCONFIG_PATH: await configure('program') };
    const { stdout } = await run(process.execPath, [...flags, fixtures.program], { cwd: root, env });
    expect(stdout).toBe(`all is well with ${kind}\n`);
  });

  it('do not compile with a mistake in them', async () => {
    // Each mistake is expected there; the compiler reports those that are none.
    expect(await compile('mistakes')).toBe('');
  });
});
