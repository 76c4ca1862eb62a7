/** Fetches Debian packages, and the libraries that they need and the system lacks, into a folder without installing them. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const limits = { timeout: 720_000, maxBuffer: 16 * 1024 * 1024 };

/**
 * Unpacks the packages `names` below `folder`.
 *
 * Uses the system's package lists, or private ones in `folder` when those are empty or too old.
 */
export async function fetchPackages(names: readonly string[], folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  const downloads = join(folder, 'downloads');
  await mkdir(downloads, { recursive: true });
  try {
    await download(names, downloads, []);
  } catch {
    const lists = join(folder, 'lists');
    const caches = join(folder, 'caches');
    await mkdir(join(lists, 'partial'), { recursive: true });
    await mkdir(join(caches, 'archives', 'partial'), { recursive: true });
    const options = ['-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${caches}`];
    await apt('apt-get', [...options, 'update'], downloads);
    await download(names, downloads, options);
    await Promise.all([lists, caches].map((path) => rm(path, { recursive: true, force: true })));
  }
  for (const file of await readdir(downloads)) await run('dpkg', ['-x', join(downloads, file), folder], limits);
  await rm(downloads, { recursive: true, force: true });
}

async function download(names: readonly string[], folder: string, options: readonly string[]): Promise<void> {
  const wanted = (await Promise.all(names.map((name) => release(name, folder, options)))).flat();
  const libraries = await missingLibraries(wanted, folder, options);
  await apt('apt-get', [...options, 'download', ...new Set([...wanted, ...libraries])], folder);
}

/** `postgresql` stands for the version of this release, such as `postgresql-15`. */
async function release(name: string, folder: string, options: readonly string[]): Promise<string> {
  if (name !== 'postgresql') return name;
  const depends = await apt('apt-cache', [...options, 'depends', name], folder);
  return /postgresql-\d+/.exec(depends)?.[0] ?? name;
}

/** The libraries that an installation would bring along; not LLVM, which PostgreSQL needs only to compile queries. */
async function missingLibraries(
  names: readonly string[],
  folder: string,
  options: readonly string[],
): Promise<string[]> {
  const simulate = [...options, 'install', '--simulate', '--no-install-recommends', ...names];
  const plan = await apt('apt-get', simulate, folder).catch(() => '');
  const installed = [...plan.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? '');
  return installed.filter((name) => name.startsWith('lib') && !/llvm|perl|z3/.test(name));
}

async function apt(command: string, args: readonly string[], cwd: string): Promise<string> {
  // Root would otherwise hand the download to the user `_apt`, who may not write into a private folder.
  const sandbox = ['-o', 'APT::Sandbox::User=root'];
  const { stdout } = await run(command, [...sandbox, ...args], {
    ...limits,
    cwd,
    env: { ...process.env, LC_ALL: 'C' },
  });
  return stdout;
}
