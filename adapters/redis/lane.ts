/** One server as the facets see it: an ioredis connection behind a guard. */

import type { BackendEvent, Health } from '../../src/backend/backend.ts';
import type { Clock, Timer } from '../../src/support/clock.ts';
import { HotshelfError } from '../../src/support/errors.ts';
import { afterAwake } from '../../src/support/awake.ts';
import { Call } from '../../src/support/calls.ts';
import { Guard, type GuardLimits } from '../../src/support/guard.ts';
import { Patience } from '../../src/support/reconnecting.ts';
import {
  commandClass,
  isWritable,
  muteSentinels,
  progressOf,
  sever,
  type Command,
  type CommandConstructor,
  type Connection,
  type Listener,
  type Reply,
  type Stream,
} from './client.ts';
import { commandError, connectionProblem, replyCode, wrongServer } from './errors.ts';
import { hardenClient } from './harden.ts';
import { makeCommand, type Arguments } from './written.ts';

export interface LaneOptions {
  readonly clock: Clock;
  readonly limits: Partial<GuardLimits>;
  /** How long the first connection may take from when the server accepted it until it is ready, in ms. */
  readonly readyWithinMs: number;
  readonly onEvent: (event: BackendEvent) => void;
}

/** A command on its way and who waits for it. */
export abstract class Errand extends Call {
  abstract answer(reply: Reply): void;
}

/** An errand that somebody waits for with a promise. */
export class PromisedErrand extends Errand {
  readonly answer: (reply: Reply) => void;
  readonly fail: (error: HotshelfError) => void;

  constructor(resolve: (reply: Reply) => void, reject: (error: HotshelfError) => void) {
    super();
    this.answer = resolve;
    this.fail = reject;
  }
}

const ignore = () => {};

/** A server that says it is the wrong one is left at most this often, in ms: there may be no better one. */
const leaveEveryMs = 500;
const healthWithinMs = 250;

export class Lane {
  readonly server: string;
  readonly #options: LaneOptions;
  readonly #guard: Guard;
  readonly #patience: Patience;
  #client: Connection | undefined;
  #Command: CommandConstructor | undefined;
  /** What waits for a reply, on a client that would send it again after a lost connection. */
  #sent: Set<Command> | undefined;
  #detach = () => {};
  #lastProblem: string | undefined;
  #severing = false;
  #retired = false;
  #leftAt = Number.NEGATIVE_INFINITY;
  /** The server said that it is the wrong one: a probe must find a master before anything is sent again. */
  #suspect = false;
  #corked: Stream | undefined;
  /** What waits for the first connection. */
  #held: (() => void)[] | undefined;
  #onMissing: () => void;

  /** @param onMissing called when a probe finds that there is no connection at all */
  constructor(server: string, client: Connection | undefined, options: LaneOptions, onMissing = () => {}) {
    this.server = server;
    this.#options = options;
    this.#onMissing = onMissing;
    this.#patience = new Patience(options.clock, options.readyWithinMs);
    this.#guard = new Guard({
      server,
      clock: options.clock,
      limits: options.limits,
      connecting: client === undefined || client.status !== 'ready',
      probe: () => (this.#suspect ? this.#findMaster() : this.#ping()),
      reset: () => this.#sever(),
      onDown: (reason) => {
        if (!this.#retired) options.onEvent({ type: 'down', server, reason });
      },
      onUp: () => options.onEvent({ type: 'up', server }),
    });
    if (client !== undefined) this.attach(client);
  }

  get isUp(): boolean {
    return this.#guard.isUp;
  }

  /** Uses this connection from now on. */
  attach(client: Connection): void {
    if (client === this.#client) return;
    this.#detach();
    this.#client = client;
    this.#Command = commandClass(client);
    this.#sent = client.options['maxRetriesPerRequest'] === 0 ? undefined : new Set();
    const { clock } = this.#options;
    let readyTimer: Timer | undefined;
    let startedAt: number | undefined;
    const listeners: Record<string, Listener> = {
      connecting: () => {
        startedAt = clock.monotonic();
        // For the first connection that is up to the `connectTimeout` of the client.
        if (this.#patience.isInformed) readyTimer = this.#watchAttempt(client);
      },
      connect: () => {
        muteSentinels(client);
        readyTimer?.cancel();
        readyTimer = this.#watchAttempt(client);
      },
      ready: () => {
        readyTimer?.cancel();
        // Of a connection that was begun before it was ours nobody knows what it took.
        if (startedAt !== undefined) this.#patience.succeeded(clock.monotonic() - startedAt);
        this.#lastProblem = undefined;
        this.#severing = false;
        this.#guard.connectionReady();
      },
      close: () => {
        readyTimer?.cancel();
        this.#lost();
      },
      end: () => this.#lost(),
      error: (error) => {
        this.#lastProblem = connectionProblem(error);
        // ioredis waits for the other side to agree after a reply that it cannot read.
        if (client.status === 'ready') this.#sever();
      },
    };
    for (const [event, listener] of Object.entries(listeners)) client.on(event, listener);
    const soften = hardenClient(client, () => this.#sever('a reply came that nothing had asked for'));
    this.#detach = () => {
      readyTimer?.cancel();
      soften();
      for (const [event, listener] of Object.entries(listeners)) client.off(event, listener);
      this.#client = undefined;
      this.#detach = () => {};
    };
    if (client.status === 'wait') client.connect().catch(() => {});
    else if (client.status === 'connect') readyTimer = this.#watchAttempt(client);
    else if (client.status === 'ready') this.#guard.connectionReady();
  }

  /** Gives up this connection, if it is the one in use: it is gone. */
  drop(client: Connection): void {
    if (client !== this.#client) return;
    this.#lost();
    this.#detach();
  }

  /** Sends a command behind the guard, in the order of the calls; `answer` or `fail` of the errand is called once. */
  send(name: string, args: Arguments, errand: Errand): void {
    const { starting } = this.#guard;
    if (starting !== undefined && this.#held === undefined) {
      this.#held = [];
      void starting.then(() => this.#release());
    }
    // Also between the end of the start and the release: what was called first goes first.
    if (this.#held === undefined) this.#send(name, args, errand);
    else this.#held.push(() => this.#send(name, args, errand));
  }

  #release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const send of held) send();
  }

  #send(name: string, args: Arguments, errand: Errand): void {
    const refusal = this.#guard.begin(errand);
    if (refusal !== undefined) {
      errand.fail(refusal);
      return;
    }
    const client = this.#client;
    if (client === undefined || this.#Command === undefined || !isWritable(client)) {
      if (this.#guard.end(errand, false)) errand.fail(this.#notSent());
      return;
    }
    const command = makeCommand(this.#Command, name, args);
    this.#sent?.add(command);
    client.sendCommand(command).then(
      (reply) => {
        this.#sent?.delete(command);
        if (this.#guard.end(errand, true)) errand.answer(reply);
      },
      (error: unknown) => {
        this.#sent?.delete(command);
        this.#failed(errand, error);
      },
    );
  }

  /** Sends a command in one packet with all others of this tick. */
  run(name: string, args: Arguments, asking = false): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.cork();
      if (asking) this.send('asking', [], new PromisedErrand(ignore, ignore));
      this.send(name, args, new PromisedErrand(resolve, reject));
    });
  }

  /** Holds what is sent back until the end of this tick, to go in one packet. */
  cork(): void {
    const stream = this.#client?.stream;
    if (stream === undefined || this.#corked === stream) return;
    this.#corked = stream;
    stream.cork();
    process.nextTick(() => {
      stream.uncork();
      if (this.#corked === stream) this.#corked = undefined;
    });
  }

  /** Asks the server past the guard. Never rejects. */
  health(): Promise<Health> {
    const { clock } = this.#options;
    const askedAt = clock.monotonic();
    return new Promise((resolve) => {
      const report = (reason?: string) => {
        deadline.cancel();
        const latencyMs = clock.monotonic() - askedAt;
        resolve(reason === undefined ? { ok: true, latencyMs } : { ok: false, latencyMs, reason });
      };
      const deadline = afterAwake(clock, healthWithinMs, () => report(this.#reason()));
      this.#guard
        .started()
        .then(() => this.#ping())
        .then(
          () => report(),
          (error: unknown) => report(replyCode(error) ?? this.#reason()),
        );
    });
  }

  /** Ends the lane to a server that no key lives on any more. */
  retire(): void {
    this.#retired = true;
    this.#guard.connectionLost('it holds no slots any more');
    this.close();
  }

  /** Fails everything with `CLOSED` and lets go of the connection. */
  close(): void {
    this.#guard.close();
    this.#detach();
  }

  #ping(): Promise<Reply> {
    return this.#ask('ping');
  }

  /** Rejects while the server is a replica: what it holds may be older than what was invalidated on its master. */
  async #findMaster(): Promise<void> {
    let role: Reply;
    try {
      role = await this.#ask('role');
    } catch (error) {
      const code = replyCode(error);
      // A server that keeps its role to itself (NOPERM, or a managed one that has no such command) gets another chance.
      if (code === undefined || wrongServer.has(code)) throw error;
      role = null;
    }
    if (Array.isArray(role) && String(role[0]) !== 'master') {
      this.#leave();
      throw this.#notSent();
    }
    this.#suspect = false;
  }

  #ask(name: string): Promise<Reply> {
    const client = this.#client;
    if (client === undefined) {
      this.#onMissing();
      return Promise.reject(this.#notSent());
    }
    if (this.#Command === undefined || !isWritable(client)) return Promise.reject(this.#notSent());
    return client.sendCommand(new this.#Command(name, [])).catch((error: unknown) => {
      throw commandError(this.server, error);
    });
  }

  #failed(errand: Errand, raw: unknown): void {
    const error = commandError(this.server, raw);
    const code = replyCode(error);
    const inTime = this.#guard.end(errand, code !== undefined);
    if (inTime) errand.fail(error);
    if (code === undefined || !wrongServer.has(code)) return;
    this.#suspect = true;
    this.#lastProblem = `it answered ${code}`;
    this.#guard.connectionLost(this.#lastProblem);
    this.#leave();
  }

  /** Connects anew: behind the same name there may be a better server by now. */
  #leave(): void {
    const now = this.#options.clock.monotonic();
    if (now - this.#leftAt < leaveEveryMs) return;
    this.#leftAt = now;
    this.#sever();
  }

  #sever(problem?: string): void {
    const client = this.#client;
    if (client === undefined) return;
    if (problem !== undefined) this.#lastProblem = problem;
    // The guard knows better why, unless there is a problem to report.
    else this.#severing = !this.#guard.isUp;
    sever(client);
  }

  #lost(): void {
    if (this.#client !== undefined) this.#removeUnanswered(this.#client);
    if (this.#severing) return;
    this.#guard.connectionLost(this.#lastProblem ?? 'the connection was closed');
  }

  /** ioredis would send our commands again on the next connection, if its options say so: take them out of its queues. */
  #removeUnanswered(client: Connection): void {
    const sent = this.#sent;
    if (sent === undefined) return;
    for (const queue of [client.commandQueue, client.prevCommandQueue]) {
      if (queue === undefined || queue === null) continue;
      for (let index = queue.length - 1; index >= 0; index -= 1) {
        const command = queue.peekAt(index)?.command;
        if (command === undefined || !sent.has(command)) continue;
        queue.removeOne(index);
        command.reject(new Error('Connection is closed.'));
      }
    }
  }

  /** A server that accepts a connection and never answers keeps ioredis waiting for ever. */
  #watchAttempt(client: Connection): Timer {
    return this.#patience.watch({
      progress: () => progressOf(client),
      giveUp: (ms) => {
        const { status } = client;
        if (status === 'connect') this.#lastProblem = `it accepts connections but did not answer within ${ms} ms`;
        else if (status === 'connecting') this.#lastProblem = `no connection within ${ms} ms`;
        else return;
        sever(client);
      },
    });
  }

  #reason(): string {
    return this.#guard.reason ?? this.#lastProblem ?? 'no answer';
  }

  #notSent(): HotshelfError {
    const reason = this.#lastProblem ?? 'the connection is being made';
    return new HotshelfError('BACKEND_DOWN', `${this.server} is down (${reason}); the command was not sent.`);
  }
}
