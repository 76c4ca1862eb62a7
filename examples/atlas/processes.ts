/** Runs each instance in a process of its own, and starts another one when it dies. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Database } from './database/database.ts';
import { serveDatabase } from './database/over-ipc.ts';
import { within } from './deadline.ts';
import type { Fleet } from './fleet.ts';
import type { Front, Target } from './front.ts';
import { proxyTo } from './proxy.ts';

/** What a worker says, and what it is told. */
type FromWorker = { readonly kind: 'listening'; readonly port: number } | { readonly kind: 'query' };
export type ToWorker = { readonly kind: 'drain' | 'close' | 'answer' };

export interface ProcessesOptions {
  readonly count: number;
  /** Is served to the workers; without it they open their own. */
  readonly database: Database | undefined;
  /** The command line. */
  readonly args: readonly string[];
  /** Sign the cookies of sessions: a session of one worker is one of all. */
  readonly secrets: readonly string[];
  readonly report: (problem: unknown) => void;
}

const workerFile = fileURLToPath(new URL('worker.ts', import.meta.url));
/** A worker ends by itself within this, unless it hangs. */
const closeLimitMs = 5000;
/** A worker that did not live this long is not replaced before this time has passed. */
const restartPauseMs = 1000;

/** Resolves when every worker listens. */
export async function startProcesses(front: Front, options: ProcessesOptions): Promise<Fleet> {
  const workers = Array.from({ length: options.count }, (_unused, index) => new Worker(front, options, index + 1));
  await Promise.all(workers.map((worker) => worker.start()));
  return {
    drain: () => workers.forEach((worker) => worker.tell('drain')),
    close: async () => {
      await Promise.all(workers.map((worker) => worker.close()));
      await options.database?.close();
    },
  };
}

class Worker {
  readonly #front: Front;
  readonly #options: ProcessesOptions;
  readonly #number: number;
  #child: ChildProcess | undefined;
  #ending = false;

  constructor(front: Front, options: ProcessesOptions, number: number) {
    this.#front = front;
    this.#options = options;
    this.#number = number;
  }

  /** Resolves when the worker listens; one that dies before that is started again, and again. */
  start(): Promise<void> {
    return new Promise((resolve) => this.#fork(resolve));
  }

  tell(kind: ToWorker['kind']): void {
    if (kind === 'drain') this.#ending = true;
    if (this.#child?.connected) this.#child.send({ kind });
  }

  async close(): Promise<void> {
    const child = this.#child;
    this.#ending = true;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    this.tell('close');
    const timely = await within(closeLimitMs, ended, undefined);
    if (timely !== undefined) return;
    child.kill('SIGKILL');
    await ended;
  }

  #fork(onListening: () => void): void {
    const startedAt = performance.now();
    const { database, args, secrets, report } = this.#options;
    const env = { ...process.env, SESSION_SECRET: secrets.join(',') };
    const child = fork(workerFile, [String(this.#number), database?.name ?? '', ...args], { env });
    this.#child = child;
    let target: Target | undefined;
    if (database !== undefined) serveDatabase(child, database);
    child.on('message', (message: FromWorker) => {
      if (message.kind !== 'listening') return;
      target = proxyTo(message.port);
      this.#front.add(target);
      onListening();
    });
    // A message to a worker that is just dying; its exit tells the rest.
    child.on('error', () => {});
    child.once('exit', (code, signal) => {
      if (target !== undefined) this.#front.remove(target);
      if (this.#ending) return;
      const pauseMs = performance.now() - startedAt < restartPauseMs ? restartPauseMs : 0;
      report(`Instance ${this.#number} ended (${signal ?? `code ${code}`}); starting it again`);
      setTimeout(() => !this.#ending && this.#fork(onListening), pauseMs);
    });
  }
}
