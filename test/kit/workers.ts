/** Starts other Node processes that run TypeScript, and calls functions in them. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch } from './child.ts';
import { removeFolder, temporaryFolder } from './folder.ts';
import type { Call, Handlers, WorkerMessage } from './serve.ts';
import { type Deferred, deferred, withDeadline } from './wait.ts';

export interface WorkerOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** How long the worker may take until it calls `serve`, in ms. @default 30_000 */
  readonly within?: number;
}

export interface Worker<Own extends Handlers> {
  readonly pid: number;
  /** Runs a handler in the worker. Rejects with the handler's error, or with the worker's output when it died. */
  call<Name extends keyof Own & string>(
    name: Name,
    ...input: Parameters<Own[Name]>
  ): Promise<Awaited<ReturnType<Own[Name]>>>;
  /** Resolves when the process has ended, with how. */
  readonly ended: Promise<string>;
  logTail(): string;
  /** Lets the worker exit, with its own exit hooks; calls that still run reject. */
  stop(): Promise<void>;
  /** SIGKILL, and waits until the process is gone. */
  kill(): Promise<void>;
  /** SIGSTOP. */
  pause(): Promise<void>;
  /** SIGCONT. */
  resume(): void;
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const node = ['--conditions=hotshelf:source', '--import', 'tsx'];

/**
 * Starts the worker in `file` and resolves when it called `serve`.
 *
 * @example
 * const worker = await startWorker<Double>(new URL('./double.worker.ts', import.meta.url));
 * await worker.call('double', 21); // 42
 */
export async function startWorker<Own extends Handlers>(file: URL, options: WorkerOptions = {}): Promise<Worker<Own>> {
  const { args = [], env = {}, within = 30_000 } = options;
  const path = fileURLToPath(file);
  const folder = await temporaryFolder('worker');
  const child = launch({
    command: process.execPath,
    args: [...node, path, ...args],
    env,
    cwd: root,
    logFile: join(folder, 'log'),
    ipc: true,
  });
  const calls = new Map<number, Deferred<unknown>>();
  const ready = deferred();
  let count = 0;

  const died = (how: string): Error =>
    new Error(`The worker ${path} ${how}\nIts output ends with:\n${child.logTail() || '(nothing)'}`);
  child.process.on('message', (raw) => {
    const message = raw as WorkerMessage;
    if (message.kind === 'ready') return ready.resolve();
    const call = calls.get(message.id);
    calls.delete(message.id);
    if (message.kind === 'reply') return call?.resolve(message.value);
    return call?.reject(remoteError(message.error));
  });
  const ended = child.ended.then(async (how) => {
    const error = died(how);
    ready.reject(error);
    for (const call of calls.values()) call.reject(error);
    calls.clear();
    await removeFolder(folder);
    return how;
  });

  try {
    await withDeadline(ready.promise, within, () => died(`did not call serve() within ${within} ms`));
  } catch (error) {
    await child.end();
    throw error;
  }
  return {
    pid: child.pid,
    ended,
    logTail: () => child.logTail(),
    call(name, ...input) {
      const how = child.howItEnded();
      if (how !== undefined) return Promise.reject(died(how));
      const id = count++;
      const reply = deferred<unknown>();
      calls.set(id, reply);
      // A test may kill the worker first and look at its calls then: until that they are not unhandled.
      reply.promise.catch(() => undefined);
      const call: Call = { id, name, input: input[0] };
      child.process.send(call, (error) => error && reply.reject(error));
      return reply.promise as ReturnType<Worker<Own>['call']>;
    },
    async stop() {
      if (child.process.connected) child.process.disconnect();
      if (child.howItEnded() === undefined) child.resume();
      await withDeadline(ended, 5000, () => new Error('too slow')).catch(() => child.end('SIGKILL'));
      await ended;
    },
    async kill() {
      await child.end('SIGKILL');
      await ended;
    },
    pause: () => child.pause(),
    resume: () => child.resume(),
  };
}

function remoteError(error: unknown): Error {
  if (typeof error !== 'object' || error === null) return new Error(String(error));
  return Object.assign(new Error('in the worker'), error);
}
