/** Runs a program as a child process that never outlives the tests, and ends it by its process id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { processState } from './pids.ts';
import { until, withDeadline } from './wait.ts';

export interface LaunchOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** File that takes everything the program prints; a pipe could fill up while the test's event loop is blocked. */
  readonly logFile: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** Opens a message channel. @default false */
  readonly ipc?: boolean;
  /** What `end()` and the exit of the test process send. @default 'SIGKILL' */
  readonly endSignal?: NodeJS.Signals;
}

export interface Child {
  readonly pid: number;
  readonly process: ChildProcess;
  /** Resolves when the program has ended, with how: `exited with code 1`, `was ended by SIGKILL`. */
  readonly ended: Promise<string>;
  /** How the program ended, or undefined while it runs. */
  howItEnded(): string | undefined;
  /** The last lines that the program printed. */
  logTail(): string;
  /** Ends the program and waits until it is gone, whether or not it is stopped by SIGSTOP. */
  end(signal?: NodeJS.Signals): Promise<void>;
  /** SIGSTOP; resolves when the program really stands still. */
  pause(): Promise<void>;
  /** SIGCONT. */
  resume(): void;
}

const children = new Map<ChildProcess, NodeJS.Signals>();
const graceMs = 5000;
// The kernel ends the child even when the test process itself is killed with SIGKILL.
const leash = ['/usr/bin/setpriv', '/bin/setpriv'].find((file) => existsSync(file));

export function launch(options: LaunchOptions): Child {
  const { command, args, logFile, endSignal = 'SIGKILL' } = options;
  const child = start(options);
  if (children.size === 0) process.on('exit', endAll);
  children.set(child, endSignal);

  let how: string | undefined;
  const ended = new Promise<string>((resolve) => {
    const settle = (text: string): void => {
      how ??= text;
      children.delete(child);
      if (children.size === 0) process.off('exit', endAll);
      resolve(how);
    };
    child.once('exit', (code, signal) => settle(signal ? `was ended by ${signal}` : `exited with code ${code}`));
    child.once('error', (error) => settle(`could not be started: ${error.message}`));
  });

  const signalNow = (signal: NodeJS.Signals): void => {
    if (how !== undefined || !child.kill(signal)) {
      throw new Error(`Cannot send ${signal} to ${command} ${args.join(' ')}: it ${how ?? 'has ended'}`);
    }
  };

  return {
    pid: child.pid ?? -1,
    process: child,
    ended,
    howItEnded: () => how,
    logTail: () => tail(logFile),
    async end(signal = endSignal) {
      if (how !== undefined) return;
      child.kill(signal);
      child.kill('SIGCONT');
      if (signal !== 'SIGKILL') {
        await withDeadline(ended, graceMs, () => new Error('too slow')).catch(() => child.kill('SIGKILL'));
      }
      await ended;
    },
    async pause() {
      signalNow('SIGSTOP');
      // The signal is delivered some time after kill() returned; only then do replies stop.
      if (process.platform !== 'linux') return;
      const stands = (): boolean => processState(child.pid ?? -1) === 'T';
      await until(stands, { what: `${command} to stop`, every: 1 });
    },
    resume: () => signalNow('SIGCONT'),
  };
}

function start({ command, args, logFile, env, cwd, uid, gid, ipc = false }: LaunchOptions): ChildProcess {
  const log = openSync(logFile, 'w');
  try {
    const [program, ...words] = leash ? [leash, '--pdeathsig', 'KILL', '--', command, ...args] : [command, ...args];
    return spawn(program ?? command, words, {
      env: { ...process.env, ...env },
      stdio: ipc ? ['ignore', log, log, 'ipc'] : ['ignore', log, log],
      serialization: 'advanced',
      ...(cwd !== undefined && { cwd }),
      ...(uid !== undefined && { uid }),
      ...(gid !== undefined && { gid }),
    });
  } finally {
    closeSync(log);
  }
}

function endAll(): void {
  for (const [child, signal] of children) {
    child.kill(signal);
    child.kill('SIGCONT');
  }
}

function tail(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(-25).join('\n').trim() : '';
}
