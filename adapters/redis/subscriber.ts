/** Keeps one connection for messages alive, notices at once when it is not, and moves on to another server. */

import type { Clock, Timer } from '../../src/support/clock.ts';
import { backoffMs, Patience } from '../../src/support/reconnecting.ts';
import { end, muteSentinels, progressOf, sever, type Connection, type Listener } from './client.ts';
import { connectionProblem } from './errors.ts';
import { hardenClient } from './harden.ts';
import { Heartbeat } from './heartbeat.ts';
import type { Nodes } from './nodes.ts';

export interface SubscriberOptions {
  readonly clock: Clock;
  readonly nodes: Nodes;
  /** What `CLIENT LIST` shows. */
  readonly connectionName: string;
  /** How often the connection is asked for a sign of life, in ms; may change. */
  readonly beatEveryMs: () => number;
  readonly onReady: (client: Connection) => void;
  readonly onLost: () => void;
  readonly onMessage: (channel: string, payload: unknown) => void;
  /**
   * Called when the server is asked for a sign of life. What it returns is called when everything that was published by then
   * has been heard, with how long ago that was.
   */
  readonly onBeat: () => (sentAgoMs: number) => void;
}

/** The longest that a connection may take, in ms. */
const readyWithinMs = 1000;
const wrongPlace = 'messages go through another server now';

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
  disableClientInfo: true,
  keyPrefix: '',
  readOnly: false,
  monitor: false,
  protocol: 2,
};

export class Subscriber {
  readonly #options: SubscriberOptions;
  readonly #patience: Patience;
  #client: Connection | undefined;
  #letGo = () => {};
  #heartbeat: Heartbeat | undefined;
  #attempt = 0;
  #failures = 0;
  #startedAt = 0;
  #timer: Timer | undefined;
  #closed = false;
  #problem = 'the connection is being made';

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.#patience = new Patience(options.clock, readyWithinMs);
  }

  /** The connection, while it works. */
  get client(): Connection | undefined {
    return this.#heartbeat === undefined ? undefined : this.#client;
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

  /** Asks for a sign of life at once. */
  beat(): void {
    this.#heartbeat?.beat();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    const client = this.#client;
    this.#letGo();
    if (client !== undefined) end(client);
  }

  #connect(): void {
    const { nodes, connectionName, onMessage } = this.#options;
    const client = nodes.connection(this.#attempt, { ...overrides, connectionName });
    this.#attempt += 1;
    if (client === undefined) {
      this.#retry();
      return;
    }
    this.#client = client;
    let problem = 'the connection was closed';
    const listeners: Record<string, Listener> = {
      connect: () => muteSentinels(client),
      ready: () => void this.#isReady(client),
      error: (error) => (problem = connectionProblem(error)),
      close: () => this.#gone(client, problem),
      end: () => this.#gone(client, problem),
      messageBuffer: (channel, payload) => onMessage(String(channel), payload),
    };
    for (const [event, listener] of Object.entries(listeners)) client.on(event, listener);
    hardenClient(client, () => sever(client));
    this.#letGo = () => {
      for (const [event, listener] of Object.entries(listeners)) client.off(event, listener);
      client.on('error', () => {});
      this.#client = undefined;
      this.#heartbeat?.stop();
      this.#heartbeat = undefined;
      this.#letGo = () => {};
    };
    this.#startedAt = this.#options.clock.monotonic();
    this.#timer = this.#patience.watch({
      progress: () => progressOf(client),
      giveUp: (ms) => this.#gone(client, `no connection within ${ms} ms`),
    });
    client.connect().catch(() => {});
  }

  async #isReady(client: Connection): Promise<void> {
    const { clock, nodes, beatEveryMs, onReady } = this.#options;
    const meets = await nodes.isMeetingPoint(client).catch(() => false);
    if (client !== this.#client) return;
    if (!meets) {
      this.#gone(client, wrongPlace);
      return;
    }
    this.#timer?.cancel();
    this.#patience.succeeded(clock.monotonic() - this.#startedAt);
    this.#failures = 0;
    this.#heartbeat = new Heartbeat({
      clock,
      everyMs: beatEveryMs,
      ask: () => this.#ask(client),
      onSilence: (problem) => this.#gone(client, problem),
    });
    this.#heartbeat.beat();
    onReady(client);
  }

  #ask(client: Connection): Promise<unknown> {
    const { clock, nodes, onBeat } = this.#options;
    const sentAt = clock.monotonic();
    const heard = onBeat();
    const answered = client.ping();
    // Sent after the same publications as the question: they all were made here if this is the place to make them now.
    Promise.all([answered, nodes.isMeetingPoint(client)]).then(
      ([, meets]) => {
        if (client !== this.#client) return;
        if (meets) heard(clock.monotonic() - sentAt);
        else this.#gone(client, wrongPlace);
      },
      // Silence is noticed by the heartbeat; a server that cannot be asked otherwise makes no promise this time.
      () => {},
    );
    return answered;
  }

  #gone(client: Connection, problem: string): void {
    if (client !== this.#client) return;
    const wasReady = this.#heartbeat !== undefined;
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
