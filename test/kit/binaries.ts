/** Finds the servers that the tests need: on the PATH, else among Debian's packages in a private cache folder. */
import { execFile } from 'node:child_process';
import { constants, existsSync } from 'node:fs';
import { access, mkdir, readdir, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { fetchPackages } from './debian.ts';
import { renamed, withLock } from './lock.ts';

export type BinaryName = 'redis-server' | 'memcached' | 'postgres' | 'saslpasswd2';

export interface Binary {
  readonly path: string;
  /** Environment that the program needs: its library and plugin paths when it was fetched. */
  readonly env: Readonly<Record<string, string>>;
  /** Folder of the fetched packages; undefined for a program of the system. */
  readonly root: string | undefined;
}

const run = promisify(execFile);
const packages: Record<BinaryName, readonly string[]> = {
  'redis-server': ['redis-server', 'redis-tools', 'libjemalloc2', 'liblzf1'],
  memcached: ['memcached'],
  postgres: ['postgresql'],
  saslpasswd2: ['sasl2-bin', 'libsasl2-modules', 'libsasl2-modules-db'],
};
const found = new Map<BinaryName, Promise<Binary>>();

/**
 * Returns the program `name`, fetching it on the first use on a machine that lacks it.
 *
 * @throws {Error} one line that says what is missing and how to get it.
 */
export function findBinary(name: BinaryName): Promise<Binary> {
  const known = found.get(name) ?? find(name);
  found.set(name, known);
  return known;
}

/** The folder that fetched servers are kept in, from one run to the next. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env['HOTSHELF_SERVERS_DIR'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'hotshelf', 'servers');
}

async function find(name: BinaryName): Promise<Binary> {
  const path = await firstExecutable([...pathFolders(), ...(await versioned('/usr/lib/postgresql'))], name);
  return path === undefined ? fetchBinary(name, cacheFolder()) : { path, env: {}, root: undefined };
}

/** Returns the program `name` from `cache`, after fetching it there if need be. */
export async function fetchBinary(name: BinaryName, cache: string): Promise<Binary> {
  const root = join(cache, name);
  const cached = await fetched(name, root);
  if (cached) return cached;
  try {
    await mkdir(cache, { recursive: true });
    return await withLock(`${root}.lock`, async () => (await fetched(name, root)) ?? (await fetchInto(name, root)));
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ').trim();
    const [main] = packages[name];
    throw new Error(
      `${name} is missing: install it (apt-get install ${main}) or put it on the PATH; fetching it into ${cache} failed: ${reason}`,
      { cause: error },
    );
  }
}

async function fetchInto(name: BinaryName, root: string): Promise<Binary> {
  const work = `${root}.${process.pid}.new`;
  const old = `${root}.${process.pid}.old`;
  try {
    await fetchPackages(packages[name], work);
    // A folder that is there but does not run is left over from another release of the system.
    await renamed(root, old);
    await renamed(work, root);
  } finally {
    await Promise.all([work, old].map((folder) => rm(folder, { recursive: true, force: true })));
  }
  const binary = await fetched(name, root);
  if (!binary) throw new Error(`the packages ${packages[name].join(' ')} were fetched, but ${name} does not run`);
  return binary;
}

async function fetched(name: BinaryName, root: string): Promise<Binary | undefined> {
  const folders = ['usr/bin', 'usr/sbin'].map((folder) => join(root, folder));
  const path = await firstExecutable([...folders, ...(await versioned(join(root, 'usr/lib/postgresql')))], name);
  if (path === undefined) return undefined;
  const libraries = await triplets(join(root, 'usr/lib'), join(root, 'lib'));
  const plugins = libraries.map((folder) => join(folder, 'sasl2')).filter((folder) => existsSync(folder));
  const env = {
    LD_LIBRARY_PATH: libraries.join(delimiter),
    ...(plugins.length > 0 && { SASL_PATH: plugins.join(delimiter) }),
  };
  const { stdout } = await run('ldd', [path], { env: { ...process.env, ...env } }).catch(() => ({
    stdout: 'not found',
  }));
  return stdout.includes('not found') ? undefined : { path, env, root };
}

function pathFolders(): string[] {
  return [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'].filter((folder) => folder);
}

/** The `bin` folders of every PostgreSQL version below `folder`, the newest first. */
async function versioned(folder: string): Promise<string[]> {
  const versions = await readdir(folder).catch(() => []);
  return versions.sort((one, other) => Number(other) - Number(one)).map((version) => join(folder, version, 'bin'));
}

async function triplets(...folders: string[]): Promise<string[]> {
  const lists = folders.map(async (folder) => {
    const names = await readdir(folder).catch(() => []);
    return names.filter((name) => name.includes('-linux-')).map((name) => join(folder, name));
  });
  return (await Promise.all(lists)).flat();
}

async function firstExecutable(folders: readonly string[], name: string): Promise<string | undefined> {
  for (const folder of folders) {
    const path = join(folder, name);
    const executable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (executable) return path;
  }
  return undefined;
}
