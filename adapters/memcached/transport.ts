/** Keeps one server connected: the transport that stands in for memjs's own, which neither times out nor recovers well. */

import { Utils } from 'memjs';
import type { Clock, Timer } from '../../src/support/clock.ts';
import { backoffMs, Patience } from '../../src/support/reconnecting.ts';
import { Connection, type Request, type TlsOptions } from './connection.ts';
import { notSent, failureOf } from './errors.ts';
import { greet, type Login, type ServerFacts } from './handshake.ts';
import { at, type Reply } from './protocol.ts';
import { encodeReads, type Read, type ReadPlace } from './reads.ts';

export interface TransportOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsOptions | undefined;
  readonly login: Login | undefined;
  /** For the first connection, TLS, the login and the first answers together; later ones are given less. */
  readonly connectTimeoutMs: number;
  readonly clock: Clock;
  /** Called before the requests of a tick leave: the last moment to add some. */
  readonly beforeFlush: () => void;
  readonly onReady: (facts: ServerFacts) => void;
  readonly onLost: (reason: string) => void;
  readonly onWarning: (message: string) => void;
  /** @default 0 */
  readonly firstOpaque?: number;
}

/** A connection that lasted this long starts the backoff anew when it is lost. */
const provenAfterMs = 1000;

/** Has the shape that `memjs.Client` expects of its servers: `onResponse`, `onError`, `write` and `close`. */
export class Transport implements ReadPlace {
  readonly host: string;
  readonly port: number;
  readonly server: string;
  readonly #options: TransportOptions;
  readonly #patience: Patience;
  #connection: Connection | undefined;
  #isReady = false;
  #startedAt = 0;
  #readyAt = 0;
  #attempts = 0;
  #opaque: number;
  #flushing = false;
  #closed = false;
  #resetting = false;
  #warned = false;
  #watchdog: Timer | undefined;
  #life: string | undefined;
  #lives = 0;
  /** What memjs gives in two calls before it writes the request that they belong to. */
  #onResponse: ((reply: Reply) => void) | undefined;
  #onError: ((error: Error) => void) | undefined;
  /**
   * What versions of this server's present life begin with. A server that was started again counts its CAS ids from 1, so
   * that an old id may name a new state: a version of an earlier life is refused without asking.
   */
  epoch = '';

  readonly #flush = (): void => {
    this.#options.beforeFlush();
    this.#flushing = false;
    this.#connection?.flush();
  };

  constructor(options: TransportOptions) {
    const { host, port } = options;
    this.host = host;
    this.port = port;
    this.server = serverName(host, port);
    this.#options = options;
    this.#patience = new Patience(options.clock, options.connectTimeoutMs);
    this.#opaque = options.firstOpaque ?? 0;
    this.#connect();
  }

  /** Wraps at 2^32: a number that memjs's own counter does not survive. */
  nextOpaque(): number {
    this.#opaque = (this.#opaque + 1) >>> 0;
    return this.#opaque;
  }

  onResponse(_opaque: number, listener: (reply: Reply) => void): void {
    this.#onResponse = listener;
  }

  onError(_opaque: number, listener: (error: Error) => void): void {
    this.#onError = listener;
  }

  /** Sends what memjs made; `onResponse` and `onError` were called just before. */
  write(bytes: Buffer): void {
    const onResponse = this.#onResponse;
    const onError = this.#onError;
    this.#send(bytes, [
      {
        opcode: bytes[at.opcode] ?? 0,
        opaque: bytes.readUInt32BE(at.opaque),
        quiet: false,
        settle(reply) {
          const parsed = reply !== undefined && Utils.parseMessage(reply);
          if (parsed !== false) onResponse?.(parsed);
          return true;
        },
        fail: (error) => onError?.(error),
      },
    ]);
  }

  /** Sends all of `reads` in one piece. Settles when the last of them is over; each of them says how it went itself. */
  read(reads: readonly Read[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const last = reads.at(-1);
      if (last !== undefined) last.onOver = (error) => (error === undefined ? resolve() : reject(error));
      this.#send(encodeReads(reads, this), reads);
    });
  }

  /**
   * Has everything sent at the end of this tick. While answers are awaited anyway, the event loop first runs what else is
   * due, so that what many callers ask leaves together.
   */
  flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    if (this.#connection?.isIdle === true) process.nextTick(this.#flush);
    else this.#options.clock.turn(this.#flush);
  }

  /** Destroys the socket, without `onLost`; another one is made. */
  reset(): void {
    this.#resetting = true;
    this.#connection?.end('the connection was given up');
    this.#resetting = false;
  }

  close(): void {
    this.#closed = true;
    this.#connection?.end('the connection was closed by its user');
  }

  #send(bytes: Buffer, requests: readonly Request[]): void {
    if (!this.#isReady || this.#connection === undefined) {
      const error = notSent(this.server, 'not connected');
      for (const request of requests) request.fail(error);
      return;
    }
    this.#connection.queue(bytes, requests);
    this.flushSoon();
  }

  #connect(): void {
    if (this.#closed) return;
    const { host, port, tls } = this.#options;
    const connection = new Connection({
      server: this.server,
      host,
      port,
      tls,
      onOpen: () => void this.#greet(connection),
      onEnd: (reason) => this.#lost(reason),
    });
    this.#connection = connection;
    this.#watch(connection);
  }

  /** TCP alone proves nothing: a server that hangs accepts connections and never answers on them. */
  #watch(connection: Connection): void {
    this.#startedAt = this.#options.clock.monotonic();
    this.#watchdog = this.#patience.watch({
      progress: () => connection.progress,
      giveUp: (ms) => connection.end(`no connection within ${ms} ms`),
    });
  }

  async #greet(connection: Connection): Promise<void> {
    try {
      const facts = await greet(
        {
          nextOpaque: () => this.nextOpaque(),
          send(bytes, request) {
            connection.queue(bytes, [request]);
            connection.flush();
          },
          warn: (message) => this.#warn(message),
        },
        this.#options.login,
      );
      if (connection !== this.#connection) return;
      this.#watchdog?.cancel();
      if (facts.life === undefined || facts.life !== this.#life) this.#lives += 1;
      this.#life = facts.life;
      this.epoch = `${this.#lives}.`;
      this.#isReady = true;
      this.#readyAt = this.#options.clock.monotonic();
      this.#patience.succeeded(this.#readyAt - this.#startedAt);
      this.#options.onReady(facts);
    } catch (error) {
      connection.end(error instanceof Error ? failureOf(error) : 'the handshake failed');
    }
  }

  /** Once, not at every connection. */
  #warn(message: string): void {
    if (!this.#warned) this.#options.onWarning(`${this.server} ${message}.`);
    this.#warned = true;
  }

  #lost(reason: string): void {
    const { clock, onLost } = this.#options;
    this.#watchdog?.cancel();
    const wasProven = this.#isReady && clock.monotonic() - this.#readyAt > provenAfterMs;
    this.#connection = undefined;
    this.#isReady = false;
    if (this.#closed) return;
    // After what waited was told exactly whether it was sent: the guard would call it all unknown.
    if (!this.#resetting) queueMicrotask(() => onLost(reason));
    this.#attempts = wasProven ? 1 : this.#attempts + 1;
    clock.after(backoffMs(this.#attempts, clock), () => this.#connect(), { background: true });
  }
}

/** Host and port as they are written, with brackets around an IPv6 address. */
function serverName(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
