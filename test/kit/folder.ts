/** Gives a temporary folder that is gone when the tests are, even when they were killed. */
import { rmSync } from 'node:fs';
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning } from './pids.ts';

const prefix = 'hotshelf-test-';
const folders = new Set<string>();
let prepared: Promise<void> | undefined;

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export async function temporaryFolder(name: string, owner?: Owner): Promise<string> {
  prepared ??= prepare();
  await prepared;
  const folder = await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-${name}-`));
  folders.add(folder);
  if (owner) await chown(folder, owner.uid, owner.gid);
  return folder;
}

export async function removeFolder(folder: string): Promise<void> {
  folders.delete(folder);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function prepare(): Promise<void> {
  process.once('exit', () => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  // A run that was ended by SIGKILL could not tidy up after itself: the next run does.
  for (const name of await readdir(tmpdir())) {
    const pid = Number(name.startsWith(prefix) ? name.slice(prefix.length).split('-')[0] : Number.NaN);
    if (!Number.isInteger(pid) || isRunning(pid)) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
}
