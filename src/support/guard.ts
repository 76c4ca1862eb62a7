/** Stands around a client: no command waits longer than a deadline, and a server that does not answer is not asked. */

import type { Clock, Timer } from './clock.ts';
import { HotshelfError } from './errors.ts';

export interface GuardOptions {
  /** Host and port of what is guarded, without credentials; appears in messages. */
  readonly server: string;
  readonly clock: Clock;
  /** Asks the server for a sign of life; used while the breaker is open. */
  readonly probe: () => Promise<unknown>;
  /** Destroys the socket that does not answer, so that the client connects anew. Must not throw. */
  readonly reset: () => void;
  /** True if the first connection is still being made: commands then wait for it, at most `deadlineMaxMs`. */
  readonly connecting?: boolean;
  readonly onDown?: (reason: string) => void;
  readonly onUp?: () => void;
  readonly limits?: Partial<GuardLimits>;
}

export interface GuardLimits {
  /** The deadline of a command is `deadlineFactor` times the recent peak latency, between these two, in ms. */
  readonly deadlineMinMs: number;
  readonly deadlineMaxMs: number;
  readonly deadlineFactor: number;
  /** So many deadlines in a row open the breaker. */
  readonly failuresToOpen: number;
  /** While the breaker is open, a probe is sent this often, in ms. */
  readonly probeEveryMs: number;
}

export const guardDefaults: GuardLimits = {
  deadlineMinMs: 40,
  deadlineMaxMs: 250,
  deadlineFactor: 8,
  failuresToOpen: 3,
  probeEveryMs: 200,
};

interface Pending {
  sentAt: number;
  fail(error: HotshelfError): void;
}

/** A timer that fires this much late tells that the event loop was blocked, not that the server was slow. */
const blockedMs = 25;

/**
 * One guard a server.
 *
 * The breaker opens after `failuresToOpen` deadlines in a row or when the connection closes; it closes again when a probe
 * is answered. While it is open, commands fail at once with `BACKEND_DOWN` and nothing is sent. A command that was sent and
 * is not answered in time fails with `OUTCOME_UNKNOWN`. The guard never sends anything twice.
 */
export class Guard {
  readonly #options: GuardOptions;
  readonly #limits: GuardLimits;
  readonly #pending = new Set<Pending>();
  #peakMs: number;
  #failures = 0;
  #openReason: string | undefined;
  #deadlineTimer: Timer | undefined;
  #probeTimer: Timer | undefined;
  #probing = false;
  #closed = false;
  /** Settles when the first connection was made, failed or took too long; `undefined` from then on. */
  #start: { readonly over: Promise<void>; readonly end: () => void } | undefined;
  #downAnnounced = false;

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#limits = { ...guardDefaults, ...options.limits };
    this.#peakMs = this.#limits.deadlineMaxMs / this.#limits.deadlineFactor;
    if (options.connecting === true) this.#awaitStart();
  }

  /** True while commands are sent. */
  get isUp(): boolean {
    return this.#openReason === undefined && !this.#closed;
  }

  /** Why commands are not sent, or `undefined` while they are. */
  get reason(): string | undefined {
    return this.#openReason;
  }

  /** How long the next command may take, in ms. */
  get deadlineMs(): number {
    const { deadlineMinMs, deadlineMaxMs, deadlineFactor } = this.#limits;
    return Math.min(deadlineMaxMs, Math.max(deadlineMinMs, this.#peakMs * deadlineFactor));
  }

  /**
   * Sends a command, unless the breaker is open.
   *
   * `send` must reject with a `HotshelfError`; a `BACKEND_REFUSED` counts as an answer.
   *
   * @throws {HotshelfError} `BACKEND_DOWN`, `OUTCOME_UNKNOWN`, `CLOSED`, or whatever `send` rejects with.
   */
  run<T>(send: () => Promise<T>): Promise<T> {
    if (!this.isUp) {
      if (this.#start !== undefined && !this.#closed) return this.#start.over.then(() => this.run(send));
      return Promise.reject(this.#downError());
    }
    return new Promise<T>((resolve, reject) => {
      const pending: Pending = { sentAt: this.#options.clock.monotonic(), fail: reject };
      this.#pending.add(pending);
      send().then(
        (answer) => {
          if (this.#pending.delete(pending)) this.#answered(pending);
          resolve(answer);
        },
        (error: unknown) => {
          const waited = this.#pending.delete(pending);
          if (waited && error instanceof HotshelfError && error.code === 'BACKEND_REFUSED') this.#answered(pending);
          reject(error);
        },
      );
      if (this.#deadlineTimer === undefined) this.#armDeadline(this.deadlineMs);
    });
  }

  /** To be called when the connection is gone: opens the breaker and fails what is in flight. */
  connectionLost(reason: string): void {
    this.#open(reason);
  }

  /** To be called when a connection is ready: probes at once instead of at the next interval. */
  connectionReady(): void {
    if (this.#openReason !== undefined) this.#probe();
  }

  /** Resolves when the first connection was made, failed or took too long. */
  started(): Promise<void> {
    return this.#start?.over ?? Promise.resolve();
  }

  /** Fails what is in flight and everything after it. */
  close(): void {
    this.#closed = true;
    this.#start?.end();
    this.#deadlineTimer?.cancel();
    this.#probeTimer?.cancel();
    this.#failPending(new HotshelfError('CLOSED', `The connection to ${this.#options.server} was closed by its user.`));
  }

  #awaitStart(): void {
    this.#openReason = 'still connecting';
    let settle = () => {};
    const over = new Promise<void>((resolve) => (settle = resolve));
    const end = () => {
      this.#start = undefined;
      timer.cancel();
      settle();
    };
    this.#start = { over, end };
    const timer = this.#options.clock.after(this.#limits.deadlineMaxMs, () => this.#open('no connection yet'));
  }

  #answered(pending: Pending): void {
    const latencyMs = this.#options.clock.monotonic() - pending.sentAt;
    // A peak that fades: one slow answer is remembered for some hundred commands.
    this.#peakMs = latencyMs > this.#peakMs ? latencyMs : this.#peakMs - (this.#peakMs - latencyMs) / 256;
    this.#failures = 0;
  }

  #armDeadline(ms: number): void {
    const { clock } = this.#options;
    const dueAt = clock.monotonic() + ms;
    this.#deadlineTimer = clock.after(
      ms,
      () => {
        const lateMs = clock.monotonic() - dueAt;
        // Answers that already lie in the socket get a turn before anything is called late.
        clock.turn(() => {
          this.#deadlineTimer = undefined;
          this.#expire(lateMs);
        });
      },
      { background: true },
    );
  }

  #expire(lateMs: number): void {
    if (lateMs > blockedMs) for (const pending of this.#pending) pending.sentAt += lateMs;
    const now = this.#options.clock.monotonic();
    const deadlineMs = this.deadlineMs;
    for (const pending of this.#pending) {
      const leftMs = pending.sentAt + deadlineMs - now;
      if (leftMs > 0) {
        this.#armDeadline(leftMs);
        return;
      }
      this.#pending.delete(pending);
      this.#failures += 1;
      pending.fail(this.#unknownError(`no answer within ${Math.round(deadlineMs)} ms`));
      if (this.#failures >= this.#limits.failuresToOpen) {
        this.#open(`${this.#failures} commands in a row were not answered within ${Math.round(deadlineMs)} ms`);
        this.#options.reset();
        return;
      }
    }
  }

  #open(reason: string): void {
    if (this.#closed) return;
    this.#openReason = reason;
    this.#start?.end();
    this.#failPending(this.#unknownError(reason));
    if (this.#downAnnounced) return;
    this.#downAnnounced = true;
    this.#options.onDown?.(reason);
    this.#scheduleProbe();
  }

  #scheduleProbe(): void {
    this.#probeTimer?.cancel();
    this.#probeTimer = this.#options.clock.after(this.#limits.probeEveryMs, () => this.#probe(), { background: true });
  }

  #probe(): void {
    if (this.#probing || this.#closed) return;
    this.#probing = true;
    let settled = false;
    const settle = (alive: boolean) => {
      if (settled) return;
      settled = true;
      this.#probing = false;
      deadline.cancel();
      if (this.#closed || this.#openReason === undefined) return;
      if (alive) this.#closeBreaker();
      else this.#scheduleProbe();
    };
    const deadline = this.#options.clock.after(
      this.#limits.deadlineMaxMs,
      () => {
        if (settled) return;
        this.#options.reset();
        settle(false);
      },
      { background: true },
    );
    this.#options.probe().then(
      () => settle(true),
      () => settle(false),
    );
  }

  #closeBreaker(): void {
    this.#probeTimer?.cancel();
    this.#openReason = undefined;
    this.#failures = 0;
    this.#peakMs = this.#limits.deadlineMaxMs / this.#limits.deadlineFactor;
    this.#start?.end();
    if (!this.#downAnnounced) return;
    this.#downAnnounced = false;
    this.#options.onUp?.();
  }

  #failPending(error: HotshelfError): void {
    const pending = [...this.#pending];
    this.#pending.clear();
    for (const command of pending) command.fail(error);
  }

  #downError(): HotshelfError {
    const { server } = this.#options;
    if (this.#closed) return new HotshelfError('CLOSED', `The connection to ${server} was closed by its user.`);
    return new HotshelfError(
      'BACKEND_DOWN',
      `${server} is down (${this.#openReason ?? ''}); the command was not sent.`,
    );
  }

  #unknownError(reason: string): HotshelfError {
    return new HotshelfError(
      'OUTCOME_UNKNOWN',
      `${this.#options.server}: ${reason}; the command may or may not have been applied.`,
    );
  }
}
