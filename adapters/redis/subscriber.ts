/** Keeps one connection of the bus's own alive, notices at once when it is not, and moves on to another server. */

import type { Clock, Timer } from '../../src/support/clock.ts';
import { afterAwake } from '../../src/support/awake.ts';
import { end, muteSentinels, sever, type Connection, type Listener } from './client.ts';
import { connectionProblem } from './errors.ts';
import { hardenClient } from './harden.ts';
import { backoffMs } from './options.ts';

export interface SubscriberOptions {
  readonly clock: Clock;
  /** Makes a connection that is not yet connected. */
  readonly open: (attempt: number, overrides: Readonly<Record<string, unknown>>) => Connection | undefined;
  /** Asked with every heartbeat: a server that left its cluster hears no messages any more. */
  readonly isMember: (client: Connection) => boolean;
  readonly onReady: (client: Connection) => void;
  readonly onLost: () => void;
  readonly onMessage: (topic: string, message: string) => void;
}

/** An idle connection that broke somewhere on the way looks alive until it is used: it is used this often, in ms. */
const beatEveryMs = 1000;
const beatWithinMs = 400;
const readyWithinMs = 1000;

/** A connection that is lost is never made again by ioredis, but by us: with a look at the topics, and maybe elsewhere. */
const overrides: Readonly<Record<string, unknown>> = {
  lazyConnect: true,
  retryStrategy: null,
  sentinelRetryStrategy: null,
  sentinelCommandTimeout: 500,
  failoverDetector: true,
  sentinelReconnectStrategy: () => 1000,
  reconnectOnError: null,
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  enableReadyCheck: true,
  enableAutoPipelining: false,
  connectTimeout: 1000,
  disconnectTimeout: 100,
  commandTimeout: undefined,
  socketTimeout: undefined,
  blockingTimeout: undefined,
  connectionName: 'hotshelf-bus',
  disableClientInfo: true,
  keyPrefix: '',
  readOnly: false,
  monitor: false,
  protocol: 2,
};

export class Subscriber {
  readonly #options: SubscriberOptions;
  #client: Connection | undefined;
  #letGo = () => {};
  #ready = false;
  #attempt = 0;
  #failures = 0;
  #timer: Timer | undefined;
  #closed = false;
  #problem = 'the connection is being made';

  constructor(options: SubscriberOptions) {
    this.#options = options;
  }

  /** The connection, while it works. */
  get client(): Connection | undefined {
    return this.#ready ? this.#client : undefined;
  }

  /** Why there is no connection. */
  get problem(): string {
    return this.#problem;
  }

  /** Connects, unless that is done or under way. */
  start(): void {
    if (this.#client === undefined && this.#timer === undefined && !this.#closed) this.#connect();
  }

  /** Gives the connection up and makes another one. */
  reconnect(problem: string): void {
    if (this.#client !== undefined) this.#gone(this.#client, problem);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    const client = this.#client;
    this.#letGo();
    if (client !== undefined) end(client);
  }

  #connect(): void {
    const client = this.#options.open(this.#attempt, overrides);
    this.#attempt += 1;
    if (client === undefined) {
      this.#retry();
      return;
    }
    this.#client = client;
    let problem = 'the connection was closed';
    const listeners: Record<string, Listener> = {
      connect: () => muteSentinels(client),
      ready: () => this.#isReady(client),
      error: (error) => (problem = connectionProblem(error)),
      close: () => this.#gone(client, problem),
      end: () => this.#gone(client, problem),
      message: (topic, message) => this.#options.onMessage(String(topic), String(message)),
    };
    for (const [event, listener] of Object.entries(listeners)) client.on(event, listener);
    hardenClient(client, () => sever(client));
    this.#letGo = () => {
      for (const [event, listener] of Object.entries(listeners)) client.off(event, listener);
      client.on('error', () => {});
      this.#client = undefined;
      this.#ready = false;
      this.#letGo = () => {};
    };
    this.#timer = afterAwake(this.#options.clock, readyWithinMs, () =>
      this.#gone(client, `no connection within ${readyWithinMs} ms`),
    );
    client.connect().catch(() => {});
  }

  #isReady(client: Connection): void {
    if (client !== this.#client) return;
    this.#ready = true;
    this.#failures = 0;
    this.#beatLater(client);
    this.#options.onReady(client);
  }

  #beatLater(client: Connection): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(beatEveryMs, () => this.#beat(client), { background: true });
  }

  #beat(client: Connection): void {
    if (!this.#options.isMember(client)) {
      this.#gone(client, 'the server left the cluster');
      return;
    }
    const problem = `no answer within ${beatWithinMs} ms`;
    this.#timer = afterAwake(this.#options.clock, beatWithinMs, () => this.#gone(client, problem));
    client.ping().then(
      () => {
        if (client === this.#client) this.#beatLater(client);
      },
      () => this.#gone(client, problem),
    );
  }

  #gone(client: Connection, problem: string): void {
    if (client !== this.#client) return;
    const wasReady = this.#ready;
    this.#problem = problem;
    this.#timer?.cancel();
    this.#letGo();
    sever(client);
    end(client);
    this.#retry();
    if (wasReady) this.#options.onLost();
  }

  #retry(): void {
    if (this.#closed) return;
    this.#failures += 1;
    const { clock } = this.#options;
    this.#timer = clock.after(backoffMs(this.#failures, clock), () => this.#connect());
  }
}
