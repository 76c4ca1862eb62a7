/** Lets one of several processes at a time do something, also when the one that held the lock died. */
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRunning } from './pids.ts';
import { sleep } from './wait.ts';

const staleAfterMs = 5 * 60_000;
let count = 0;

/**
 * Runs `work` while this process holds the folder `path`.
 *
 * Two holders at a time remain possible in the moment in which a dead holder's lock is taken away, so `work` must end in
 * one atomic step (a rename) that tolerates a second runner.
 */
export async function withLock<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  const mine = `${path}.${process.pid}.${count++}`;
  await mkdir(mine, { recursive: true });
  await writeFile(join(mine, 'owner'), String(process.pid));
  try {
    // A folder with a file in it cannot be replaced by a rename: the rename takes the lock, or fails.
    while (!(await renamed(mine, path))) {
      if (await isStale(path)) {
        const old = `${mine}.old`;
        await renamed(path, old);
        await rm(old, { recursive: true, force: true });
      } else {
        await sleep(50);
      }
    }
    try {
      return await work();
    } finally {
      await rm(path, { recursive: true, force: true });
    }
  } finally {
    await rm(mine, { recursive: true, force: true });
  }
}

/** Renames a folder; false when the target exists or the source does not. */
export async function renamed(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOENT') return false;
    throw error;
  }
}

async function isStale(path: string): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(path);
    const owner = Number(await readFile(join(path, 'owner'), 'utf8'));
    return !isRunning(owner) || Date.now() - mtimeMs > staleAfterMs;
  } catch {
    return false;
  }
}
