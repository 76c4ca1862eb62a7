/** One server as the facets see it: memjs's client over our transport, behind a guard. */

import { Client } from 'memjs';
import type { BackendEvent } from '../../src/backend/backend.ts';
import type { Stored, Version } from '../../src/backend/values.ts';
import type { Clock } from '../../src/support/clock.ts';
import { Guard, type GuardLimits } from '../../src/support/guard.ts';
import { statusError } from './errors.ts';
import type { TlsOptions } from './connection.ts';
import type { Login } from './handshake.ts';
import { encodeRequest, opcodes, statuses, type Reply, type RequestParts } from './protocol.ts';
import { Read } from './reads.ts';
import { Transport } from './transport.ts';

export interface ServerClientOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsOptions | undefined;
  readonly login: Login | undefined;
  readonly connectTimeoutMs: number;
  readonly limits: Partial<GuardLimits>;
  readonly clock: Clock;
  readonly onEvent: (event: BackendEvent) => void;
  /** Where requests begin to be numbered. @default 0 */
  readonly firstOpaque?: number;
}

export interface Command extends RequestParts {
  /** Statuses besides 0 that answer the command. */
  readonly answers?: readonly number[];
}

/** So many reads share a deadline. */
const readsPerBatch = 256;

// memjs's `retries: 2` applies an increment twice when its answer was lost. Failing over to another server is as bad: a
// delete that is applied elsewhere leaves the old value where it will be found again.
const memjsOptions = { retries: 1, failover: false, logger: { log: () => {} } } as const;

export class ServerClient {
  readonly server: string;
  readonly #transport: Transport;
  readonly #client: Client;
  readonly #guard: Guard;
  #reads: Read[] = [];
  #maxItemBytes: number | undefined;

  constructor(options: ServerClientOptions) {
    const { onEvent, clock, limits } = options;
    this.#transport = new Transport({
      ...options,
      beforeFlush: () => this.#sendReads(),
      onReady: (facts) => {
        this.#maxItemBytes = facts.maxItemBytes;
        this.#guard.connectionReady();
      },
      onLost: (reason) => this.#guard.connectionLost(reason),
      onWarning: (message) => onEvent({ type: 'warning', message }),
    });
    const { server } = this.#transport;
    this.server = server;
    this.#client = new Client([this.#transport], memjsOptions);
    this.#guard = new Guard({
      server,
      clock,
      limits,
      connecting: true,
      probe: () => this.#perform({ opcode: opcodes.noop, key: '' }),
      reset: () => this.#transport.reset(),
      onDown: (reason) => onEvent({ type: 'down', server, reason }),
      onUp: () => onEvent({ type: 'up', server }),
    });
  }

  /** The largest item that the server takes, once it said so. */
  get maxItemBytes(): number | undefined {
    return this.#maxItemBytes;
  }

  /** Asks for a value together with everything else that is asked in this tick. */
  read(key: string): Promise<Stored | undefined> {
    return new Promise((resolve, reject) => {
      this.#reads.push(new Read(key, resolve, reject));
      this.#transport.flushSoon();
    });
  }

  /** Sends a command; resolves with a reply whose status is 0 or one of its `answers`. */
  send(command: Command): Promise<Reply> {
    return this.#guard.run(() => this.#perform(command));
  }

  /** Sends many commands together; on an error it is not known which of them were applied. */
  sendAll(commands: readonly Command[]): Promise<Reply[]> {
    return this.#guard.run(() => Promise.all(commands.map((command) => this.#perform(command))));
  }

  /** Sends a command that must find the state that `version` names; `undefined` if that state is gone for certain. */
  async sendIf(version: Version, command: Command): Promise<Reply | undefined> {
    return this.#guard.run(() => {
      const { epoch } = this.#transport;
      if (typeof version !== 'string' || !version.startsWith(epoch)) return Promise.resolve(undefined);
      return this.#perform({ ...command, cas: version.slice(epoch.length) });
    });
  }

  /** The version of the state that a reply tells about. */
  versionOf(reply: Reply): Version {
    return (this.#transport.epoch + reply.header.cas.toString('hex')) as Version;
  }

  async ping(): Promise<void> {
    await this.send({ opcode: opcodes.noop, key: '' });
  }

  close(): void {
    this.#guard.close();
    this.#transport.close();
  }

  #sendReads(): void {
    const all = this.#reads;
    if (all.length === 0) return;
    this.#reads = [];
    for (let start = 0; start < all.length; start += readsPerBatch) {
      const batch = all.length <= readsPerBatch ? all : all.slice(start, start + readsPerBatch);
      this.#guard
        .run(() => this.#transport.read(batch))
        .catch((error) => {
          for (const read of batch) read.fail(error);
        });
    }
  }

  #perform(command: Command): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const opaque = this.#transport.nextOpaque();
      this.#client.perform(command.key, encodeRequest(command, opaque), opaque, (error, reply) => {
        const status = reply?.header.status;
        if (reply === null || status === undefined) reject(error);
        else if (status === statuses.ok || command.answers?.includes(status)) resolve(reply);
        else reject(statusError(this.server, status));
      });
    });
  }
}
