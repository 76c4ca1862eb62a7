/** Keeps the house in order: who may import whom, no cycles, and files that say what they are. */

import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = new URL('..', import.meta.url);

/** Which rooms the files of a room may import besides their own; and which packages. Node's own modules are free to all. */
const rules: Readonly<Record<string, { readonly rooms: readonly string[]; readonly packages?: readonly string[] }>> = {
  'src/support': { rooms: [] },
  'src/backend': { rooms: ['src/support'] },
  'src/codec': { rooms: ['src/support'] },
  'src/observe': { rooms: ['src/support'] },
  'src/http': { rooms: ['src/support'] },
  'src/cache': { rooms: ['src/backend', 'src/codec', 'src/observe', 'src/support'] },
  'src/sessions': { rooms: ['src/backend', 'src/codec', 'src/observe', 'src/support'], packages: ['express-session'] },
  'src/limits': { rooms: ['src/backend', 'src/observe', 'src/support'] },
  'src/leaderboards': { rooms: ['src/backend', 'src/codec', 'src/support'] },
  'src/decorators': { rooms: ['src/cache', 'src/support'] },
  'src/express': {
    rooms: ['src/backend', 'src/cache', 'src/codec', 'src/http', 'src/limits', 'src/observe', 'src/support'],
  },
  'src/testing': { rooms: ['src/backend', 'src/support'] },
  'adapters/memory': { rooms: ['src/backend', 'src/support'] },
  'adapters/redis': { rooms: ['src/backend', 'src/support'], packages: ['connect-redis', 'ioredis'] },
  'adapters/memcached': { rooms: ['src/backend', 'src/support'], packages: ['memjs'] },
  'src/connect.ts': { rooms: ['src/backend', 'src/support'] },
  'src/index.ts': { rooms: ['src/backend', 'src/cache', 'src/codec', 'src/connect.ts', 'src/observe', 'src/support'] },
};

/** Files that a user imports by a name of the package. */
const frontDoors =
  /^(?:src|src\/(?:decorators|express|http|leaderboards|limits|observe|sessions|testing)|adapters\/[^/]+)\/index\.ts$|^adapters\/redis\/connect-redis\.ts$/;

interface Import {
  /** A path from the root of the repository, or the name of a package. */
  readonly target: string;
  readonly kind: 'static' | 'type' | 'dynamic';
}

type Files = ReadonlyMap<string, string>;

const statement =
  /(?:^|\n)\s*(?:import|export)\s+(type\s)?[^'"`;]*?\bfrom\s*'([^']+)'|(?:^|\n)\s*import\s*'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/g;

function importsOf(path: string, source: string): Import[] {
  return Array.from(withoutComments(source).matchAll(statement), ([, type, from, bare, dynamic]) => {
    const name = from ?? bare ?? dynamic ?? '';
    return {
      target: name.startsWith('.') ? posix.join(posix.dirname(path), name) : name,
      kind: dynamic !== undefined ? 'dynamic' : type !== undefined ? 'type' : 'static',
    };
  });
}

function withoutComments(source: string): string {
  return source.replaceAll(/\/\*\*?\s[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
}

function roomOf(path: string): string {
  return path in rules ? path : path.split('/').slice(0, 2).join('/');
}

/** Says what is wrong with the imports of each file. */
function violations(files: Files): string[] {
  return Array.from(files, ([path, source]) =>
    importsOf(path, source)
      .map(({ target, kind }) => ({ target, why: forbidden(path, target, kind) }))
      .filter(({ why }) => why !== undefined)
      .map(({ target, why }) => `${path} imports ${target}: ${why}`),
  ).flat();
}

function forbidden(path: string, target: string, kind: Import['kind']): string | undefined {
  if (target.startsWith('node:')) return undefined;
  const isFile = /^(?:src|adapters|examples|test|bench|\.\.)\//.test(target);
  if (path.startsWith('bench/')) return undefined;
  if (path.startsWith('examples/')) {
    return isFile && !target.startsWith('examples/') ? 'examples import the package by its name' : undefined;
  }
  if (path.startsWith('test/')) {
    return frontDoors.test(target) ? 'tests import by name what has a name' : undefined;
  }
  const room = roomOf(path);
  const rule = rules[room];
  if (rule === undefined) return 'this room is not in the table';
  if (!isFile) return rule.packages?.includes(target) ? undefined : 'this package is not allowed here';
  if (roomOf(target) === room || rule.rooms.includes(roomOf(target))) return undefined;
  if (path === 'src/connect.ts' && kind === 'dynamic' && target.startsWith('adapters/')) return undefined;
  return `${room} may not know ${roomOf(target)}`;
}

/** Returns the first cycle of imports that exist at run time, or `undefined`. */
function cycle(files: Files): string[] | undefined {
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): string[] | undefined => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return undefined;
    for (const { target, kind } of importsOf(path, files.get(path) ?? '')) {
      const found = kind !== 'type' && files.has(target) ? visit(target, [...way, path]) : undefined;
      if (found !== undefined) return found;
    }
    done.add(path);
    return undefined;
  };
  for (const path of files.keys()) {
    const found = visit(path, []);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What a file that only re-exports holds besides. */
function besidesReExports(source: string): string {
  return withoutComments(source)
    .replaceAll(/export (?:type )?\{[^}]*\} from '[^']+';/g, '')
    .trim();
}

const opening = /^\/\*\*(?: |\n \* )[^\s*]/;
const fileName = /^[a-z\d]+(?:-[a-z\d]+)*(?:\.(?:test|worker|d))?\.ts$/;

function read(...folders: readonly string[]): Files {
  const paths = folders.flatMap(filesIn).filter((path) => path.endsWith('.ts'));
  return new Map(paths.map((path) => [path, readFileSync(new URL(path, root), 'utf8')]));
}

function filesIn(folder: string): string[] {
  return readdirSync(new URL(folder, root), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (!entry.isDirectory()) return [path];
    return entry.name === 'node_modules' ? [] : filesIn(path);
  });
}

const product = read('src', 'adapters');
const everything = read('src', 'adapters', 'examples', 'test', 'bench');

describe('the house', () => {
  it('has every room in the table, and nothing in the table that is no room', () => {
    const rooms = new Set(Array.from(product.keys(), roomOf));
    expect([...rooms].toSorted()).toEqual(Object.keys(rules).toSorted());
  });

  it('keeps to the table of imports', () => {
    // This file quotes bad imports.
    const others = Array.from(everything).filter(([path]) => path !== 'test/architecture.test.ts');
    expect(violations(new Map(others))).toEqual([]);
  });

  it('has no cycle of imports', () => {
    expect(cycle(everything)).toBeUndefined();
  });

  it('loads adapters in connect.ts alone, and there only when they are asked for', () => {
    const loaders = Array.from(product, ([path, source]) => ({ path, imports: importsOf(path, source) }))
      .filter(({ path, imports }) =>
        imports.some(({ target }) => roomOf(target) !== roomOf(path) && target.startsWith('adapters/')),
      )
      .map(({ path }) => path);
    expect(loaders).toEqual(['src/connect.ts']);
    const adapters = importsOf('src/connect.ts', product.get('src/connect.ts') ?? '').filter(({ target }) =>
      target.startsWith('adapters/'),
    );
    expect(adapters.map(({ kind }) => kind)).toEqual(['dynamic', 'dynamic', 'dynamic']);
  });

  it('has front doors that only re-export', () => {
    for (const path of ['src/index.ts', 'src/http/index.ts', 'src/testing/index.ts'])
      expect(besidesReExports(product.get(path) ?? 'missing'), `in ${path}`).toBe('');
  });

  it('has files that open with a sentence', () => {
    const silent = Array.from(everything)
      .filter(([path, source]) => !path.startsWith('test/examples/') && !opening.test(source))
      .map(([path]) => path);
    expect(silent).toEqual([]);
  });

  it('has files with names in kebab-case', () => {
    expect(Array.from(everything.keys()).filter((path) => !fileName.test(posix.basename(path)))).toEqual([]);
  });
});

describe('these rules', () => {
  const wrong = (path: string, source: string) => violations(new Map([[path, source]]));

  it.each([
    ['src/support/x.ts', "import { a } from '../backend/values.ts';"],
    ['src/support/x.ts', "import type { A } from '../codec/codec.ts';"],
    ['src/backend/x.ts', "import { a } from '../codec/json.ts';"],
    ['src/codec/x.ts', "export { a } from '../cache/key.ts';"],
    ['src/http/x.ts', "import {\n  a,\n  b,\n} from '../cache/lookup.ts';"],
    ['src/cache/x.ts', "const a = await import('../testing/index.ts');"],
    ['src/cache/x.ts', "import '../connect.ts';"],
    ['src/cache/x.ts', "import { memory } from '../../adapters/memory/index.ts';"],
    ['src/cache/x.ts', "import Redis from 'ioredis';"],
    ['src/cache/x.ts', "import { a } from 'hotshelf';"],
    ['src/testing/x.ts', "import { a } from '../cache/cache.ts';"],
    ['src/connect.ts', "import { memory } from '../adapters/memory/index.ts';"],
    ['src/index.ts', "export { memory } from '../adapters/memory/index.ts';"],
    ['src/new-room/x.ts', "import { a } from '../support/clock.ts';"],
    ['adapters/redis/x.ts', "import { a } from '../memory/store.ts';"],
    ['adapters/redis/x.ts', "import { a } from '../../src/cache/key.ts';"],
    ['adapters/redis/x.ts', "import memjs from 'memjs';"],
    ['adapters/memory/x.ts', "import Redis from 'ioredis';"],
    ['examples/x.ts', "import { createCache } from '../src/index.ts';"],
    ['examples/atlas/x.ts', "import { a } from '../../src/cache/key.ts';"],
    ['test/cache/x.test.ts', "import { createCache } from '../../src/index.ts';"],
    ['test/x.test.ts', "import { memory } from '../adapters/memory/index.ts';"],
  ])('find a bad import in %s: %s', (path, source) => {
    expect(wrong(path, source)).toHaveLength(1);
  });

  it.each([
    ['src/cache/x.ts', "import { b } from './y.ts';\nimport { a } from '../support/clock.ts';\nimport 'node:fs';"],
    ['src/cache/x.ts', "/** Example:\n * import { redis } from 'hotshelf/redis';\n */\n// import a from 'b';"],
    ['src/connect.ts', "const a = () => import('../adapters/memory/index.ts');"],
    ['adapters/redis/x.ts', "import type { Redis } from 'ioredis';\nimport { a } from './keys.ts';"],
    ['test/cache/x.test.ts', "import { a } from '../../src/cache/key.ts';\nimport { b } from 'hotshelf/memory';"],
    ['examples/x.ts', "import { a } from './atlas/y.ts';\nimport express from 'express';"],
  ])('let good imports pass in %s', (path, source) => {
    expect(wrong(path, source)).toEqual([]);
  });

  it('find a cycle, and none where only types go round', () => {
    const files = (kind: string) =>
      new Map([
        ['src/cache/a.ts', "import { b } from './b.ts';"],
        ['src/cache/b.ts', "import { c } from './c.ts';"],
        ['src/cache/c.ts', `import ${kind}{ b } from './b.ts';`],
      ]);
    expect(cycle(files(''))).toEqual(['src/cache/b.ts', 'src/cache/c.ts', 'src/cache/b.ts']);
    expect(cycle(files('type '))).toBeUndefined();
  });

  it('find anything but a re-export in a front door', () => {
    expect(besidesReExports("/** Door. */\nexport { a } from './a.ts';\nexport const b = 1;")).toBe(
      'export const b = 1;',
    );
    expect(besidesReExports("/** Door. */\nexport {\n  a,\n} from './a.ts';\nexport type { B } from './b.ts';")).toBe(
      '',
    );
  });

  it('find a file that opens with no sentence, and a name that is not in kebab-case', () => {
    for (const source of ["import a from 'a';", '// A comment.', '/* A comment. */', '/** */', '/**\n * */', ''])
      expect(source).not.toMatch(opening);
    for (const source of ['/** Says it. */', '/**\n * Says it.\n */']) expect(source).toMatch(opening);
    for (const name of ['S3Fifo.ts', 's3_fifo.ts', 'readFile.test.ts', '-a.ts', 'a--b.ts'])
      expect(name).not.toMatch(fileName);
    for (const name of ['s3-fifo.ts', 'a.ts', 'player.worker.ts', 'memjs.d.ts', 'hash64.test.ts'])
      expect(name).toMatch(fileName);
  });
});
