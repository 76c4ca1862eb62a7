/** Shows that a missing server is fetched once, and that a machine that cannot fetch it is told what to do. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, readdir, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cacheFolder, fetchBinary, findBinary } from './binaries.ts';
import { removeFolder, temporaryFolder } from './folder.ts';
import { withLock } from './lock.ts';
import { deferred } from './wait.ts';

const run = promisify(execFile);
let folder: string;

beforeEach(async () => {
  folder = await temporaryFolder('cache');
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await removeFolder(folder);
});

describe('findBinary', () => {
  it.each(['redis-server', 'memcached', 'postgres'] as const)('finds a %s that runs', async (name) => {
    const { path, env } = await findBinary(name);
    const { stdout } = await run(path, ['--version'], { env: { ...process.env, ...env } });
    expect(stdout).toMatch(/\d+\.\d+/);
  });

  it('prefers the program on the PATH', async () => {
    const path = join(folder, 'saslpasswd2');
    await writeFile(path, '#!/bin/sh\n');
    await chmod(path, 0o755);
    vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`);
    expect(await findBinary('saslpasswd2')).toEqual({ path, env: {}, root: undefined });
  });
});

describe('fetchBinary', () => {
  it('fetches once for callers that ask at the same time, and not again', async () => {
    const cache = join(folder, 'cache');
    await pretendDebian(folder);
    const [one, other] = await Promise.all([fetchBinary('memcached', cache), fetchBinary('memcached', cache)]);
    expect(one).toEqual(other);
    expect(await fetchBinary('memcached', cache)).toMatchObject({ path: join(cache, 'memcached/usr/bin/memcached') });
    expect(await readdir(cache)).toEqual(['memcached']);
    expect(await readFile(join(folder, 'downloads'), 'utf8')).toBe('memcached libevent-2.1-7\n');
  });

  it('reads the package lists once more, into a folder of its own, when a download fails', async () => {
    const cache = join(folder, 'cache');
    await pretendDebian(folder, 'case "$*" in *lists=*) ;; *) exit 100 ;; esac');
    await fetchBinary('memcached', cache);
    expect(await readdir(join(cache, 'memcached'))).toEqual(['usr']);
    expect(await readFile(join(folder, 'downloads'), 'utf8')).toBe('memcached libevent-2.1-7\n');
  });

  it('says in one line what is missing and how to get it', async () => {
    vi.stubEnv('PATH', folder);
    const error = await fetchBinary('memcached', folder).catch((reason: unknown) => reason);
    expect(String(error)).toMatch(
      /^Error: memcached is missing: install it \(apt-get install memcached\) [^\n]*ENOENT$/,
    );
    expect(await readdir(folder)).toEqual([]);
  });

  it('keeps servers where the environment says', () => {
    expect(cacheFolder({ HOTSHELF_SERVERS_DIR: '/servers', XDG_CACHE_HOME: '/cache' })).toBe('/servers');
    expect(cacheFolder({ XDG_CACHE_HOME: '/cache' })).toBe('/cache/hotshelf/servers');
    expect(cacheFolder({})).toMatch(/\/\.cache\/hotshelf\/servers$/);
  });
});

describe('withLock', () => {
  it('lets one at a time in', async () => {
    const path = join(folder, 'lock');
    const gate = deferred();
    const steps: string[] = [];
    const first = withLock(path, async () => {
      steps.push('first in');
      await gate.promise;
      steps.push('first out');
    });
    const second = withLock(path, async () => steps.push('second'));
    gate.resolve();
    await Promise.all([first, second]);
    expect(steps.join()).toMatch(/^(first in,first out,second|second,first in,first out)$/);
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([
    ['the process that held it is gone', '2147483646', new Date()],
    ['it is older than five minutes', String(process.pid), new Date(Date.now() - 301_000)],
  ])('takes a lock over when %s', async (_why, owner, changed) => {
    const path = join(folder, 'lock');
    await mkdir(path);
    await writeFile(join(path, 'owner'), owner);
    await utimes(path, changed, changed);
    expect(await withLock(path, async () => 'done')).toBe('done');
    expect(await readdir(folder)).toEqual([]);
  });

  it('passes the error of the work on and gives the lock back', async () => {
    const path = join(folder, 'lock');
    await expect(withLock(path, () => rename(join(folder, 'no'), join(folder, 'yes')))).rejects.toThrow('ENOENT');
    expect(await readdir(folder)).toEqual([]);
  });
});

/** Puts an apt-get, a dpkg and an ldd on the PATH that need no network; `first` runs before each apt-get. */
async function pretendDebian(folder: string, first = ''): Promise<void> {
  const scripts = {
    'apt-get': `${first}
      case "$*" in
        *--simulate*) echo 'Inst memcached (1.6)'; echo 'Inst libevent-2.1-7 (2.1)'; echo 'Inst adduser (3)' ;;
        *' download '*) echo "\${*##* download }" >> ${folder}/downloads; : > memcached.deb ;;
      esac`,
    dpkg: `mkdir -p "$3/usr/bin" && printf '#!/bin/sh\\n' > "$3/usr/bin/memcached" && chmod 755 "$3/usr/bin/memcached"`,
    ldd: 'exit 0',
  };
  for (const [name, text] of Object.entries(scripts)) {
    await writeFile(join(folder, name), `#!/bin/sh\n${text}\n`);
    await chmod(join(folder, name), 0o755);
  }
  vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`);
}
