/** Starts one server of any kind on a free port, waits until it answers, and controls its process. */
import { join } from 'node:path';
import { type Child, type LaunchOptions, launch } from './child.ts';
import { type Owner, removeFolder, temporaryFolder } from './folder.ts';
import { freePort, host } from './port.ts';
import { sleep, until } from './wait.ts';

export interface Server {
  readonly host: string;
  readonly port: number;
  /** Address with scheme and credentials, as a user would put it into `HOTSHELF_URL`. */
  readonly url: string;
  /** Id of the server's process; a new one after `restart()`. */
  readonly pid: number;
  /** The last lines of the server's log. */
  logTail(): string;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
  /** SIGKILL, and waits until the process is gone. `restart()` brings it back. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open and nobody answers. Resolves when the process stands still. */
  pause(): Promise<void>;
  /** SIGCONT. */
  resume(): void;
  /** Ends the server with SIGKILL if it still runs, and starts it again on the same port, empty. */
  restart(): Promise<void>;
}

export interface Plan {
  /** Name for folders and errors. */
  readonly name: string;
  readonly url: (port: number) => string;
  readonly command: (port: number, folder: string) => Omit<LaunchOptions, 'logFile'>;
  /** Throws until the server with this process id answers on this port. */
  readonly ready: (port: number, pid: number) => Promise<void>;
  /** Runs once before the first start, for files that the server needs. */
  readonly prepare?: (folder: string) => Promise<void>;
  /** Owner of the folder. @default the user that runs the tests */
  readonly owner?: Owner | undefined;
}

const readyMs = 20_000;
const attempts = 50;
// Somebody else took the port, or PostgreSQL's other processes have not yet noticed that their parent was killed.
const occupied = /address already in use|shared memory block/i;

export async function startServer(plan: Plan): Promise<Server> {
  const folder = await temporaryFolder(plan.name, plan.owner);
  const boot = async (port: number): Promise<Child | undefined> => {
    const child = launch({ ...plan.command(port, folder), logFile: join(folder, 'log') });
    try {
      await answering(plan, child, port);
      return child;
    } catch (error) {
      const mayTryAgain = child.howItEnded() !== undefined && occupied.test(child.logTail());
      await child.end();
      if (mayTryAgain) return undefined;
      throw error;
    }
  };
  const bootOn = async (nextPort: () => number | Promise<number>): Promise<[number, Child]> => {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const port = await nextPort();
      const child = await boot(port);
      if (child) return [port, child];
      await sleep(50);
    }
    throw new Error(`${plan.name} found its port taken ${attempts} times`);
  };

  let port: number;
  let child: Child;
  try {
    await plan.prepare?.(folder);
    [port, child] = await bootOn(freePort);
  } catch (error) {
    await removeFolder(folder);
    throw error;
  }
  let stopped = false;
  return {
    host,
    port,
    url: plan.url(port),
    get pid() {
      return child.pid;
    },
    logTail: () => child.logTail(),
    async stop() {
      stopped = true;
      await child.end();
      await removeFolder(folder);
    },
    kill: () => child.end('SIGKILL'),
    pause: () => child.pause(),
    resume: () => child.resume(),
    async restart() {
      if (stopped) throw new Error(`${plan.name} was stopped and its folder removed: start a new one`);
      await child.end('SIGKILL');
      [, child] = await bootOn(() => port);
    },
  };
}

async function answering(plan: Plan, child: Child, port: number): Promise<void> {
  const failed = (why: string, cause?: unknown): Error =>
    new Error(`${plan.name} on port ${port} ${why}\nIts log ends with:\n${child.logTail() || '(nothing)'}`, { cause });
  const outcome = until(
    async () => {
      if (child.howItEnded() !== undefined) return true;
      await plan.ready(port, child.pid);
      return true;
    },
    { what: `${plan.name} to answer`, within: readyMs },
  );
  try {
    await Promise.race([outcome, child.ended]);
  } catch (error) {
    throw failed(error instanceof Error ? error.message : String(error), error);
  }
  const how = child.howItEnded();
  if (how !== undefined) throw failed(how);
}
