/** Tells whether a process is there, and what it does. */
import { existsSync, readFileSync } from 'node:fs';

/** The letter that Linux gives the state of a process (`T` is stopped, `Z` ended), or undefined elsewhere. */
export function processState(pid: number): string | undefined {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return undefined;
  try {
    const stat = readFileSync(file, 'utf8');
    // The name before it is in brackets, and may hold blanks and brackets itself.
    return stat.slice(stat.lastIndexOf(')') + 2)[0];
  } catch {
    return undefined;
  }
}

/** True while a process with this id runs, also one of another user; false when it ended and nobody asked how. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  return processState(pid) !== 'Z';
}
