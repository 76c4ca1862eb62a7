/** Stands around a client: no command waits longer than a deadline, and a server that does not answer is not asked. */

import { afterAwake } from './awake.ts';
import { type Call, CallRing, PromisedCall } from './calls.ts';
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
  /** So many deadlines one after the other, with no answer between them, open the breaker. */
  readonly failuresToOpen: number;
  /** While the breaker is open, a probe is sent this often, in ms. */
  readonly probeEveryMs: number;
}

export const guardDefaults: GuardLimits = {
  deadlineMinMs: 100,
  deadlineMaxMs: 250,
  deadlineFactor: 8,
  failuresToOpen: 3,
  probeEveryMs: 200,
};

/**
 * One guard a server.
 *
 * The breaker opens when the connection closes or when `failuresToOpen` deadlines pass one after the other without any
 * answer (commands that wait side by side share one deadline: a short pause of the server is no outage), or when nothing
 * was answered for twice the longest deadline. It closes again when a probe is answered. While it is open, commands fail
 * at once with `BACKEND_DOWN` and nothing is sent. A command that was sent and is not answered in time fails with
 * `OUTCOME_UNKNOWN`. The guard never sends anything twice.
 */
export class Guard {
  readonly #options: GuardOptions;
  readonly #clock: Clock;
  readonly #limits: GuardLimits;
  readonly #pending = new CallRing();
  #peakMs: number;
  #failures = 0;
  /** When the last failure was counted: only a command sent after it can fail anew. */
  #struckAt = Number.NEGATIVE_INFINITY;
  /** When the first command was sent that waits in vain since the last answer. */
  #silentSince = Number.POSITIVE_INFINITY;
  #openReason: string | undefined;
  #deadlineTimer: Timer | undefined;
  #probeTimer: Timer | undefined;
  #endProbe: ((alive: boolean) => void) | undefined;
  #closed = false;
  /** Settles when the first connection was made, failed or took too long; `undefined` from then on. */
  #start: { readonly over: Promise<void>; readonly end: () => void } | undefined;
  #downAnnounced = false;

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#clock = options.clock;
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

  /** A promise while the first connection is still being made: wait for it before `begin`. */
  get starting(): Promise<void> | undefined {
    return this.#start?.over;
  }

  /**
   * Sends a command, unless the breaker is open.
   *
   * `send` must reject with a `HotshelfError`; a `BACKEND_REFUSED` counts as an answer.
   *
   * @throws {HotshelfError} `BACKEND_DOWN`, `OUTCOME_UNKNOWN`, `CLOSED`, or whatever `send` rejects with.
   */
  run<T>(send: () => Promise<T>): Promise<T> {
    if (this.#start !== undefined && !this.#closed) return this.#start.over.then(() => this.run(send));
    return new Promise<T>((resolve, reject) => {
      const call = new PromisedCall(reject);
      const refusal = this.begin(call);
      if (refusal !== undefined) return reject(refusal);
      const failed = (error: unknown) => {
        this.end(call, error instanceof HotshelfError && error.code === 'BACKEND_REFUSED');
        reject(error);
      };
      try {
        send().then((answer) => {
          this.end(call, true);
          resolve(answer);
        }, failed);
      } catch (error) {
        failed(error);
      }
    });
  }

  /**
   * Registers a command that is sent right after this, for those who do without the promises of `run`.
   *
   * Returns why it must not be sent, or `undefined`: then `end` must be called, or the guard calls `call.fail`.
   */
  begin(call: Call): HotshelfError | undefined {
    if (this.#openReason !== undefined || this.#closed) return this.#downError();
    call.sentAt = this.#clock.monotonic();
    this.#pending.add(call);
    if (this.#deadlineTimer === undefined) this.#armDeadline(this.deadlineMs);
    return undefined;
  }

  /**
   * Says that a command is over; `answered` if the server answered it, with whatever.
   *
   * Returns `false` if the command failed before: its answer then comes too late.
   */
  end(call: Call, answered: boolean): boolean {
    const inTime = this.#pending.remove(call);
    // An answer that comes too late still tells that the server lives, and how long it takes.
    if (answered) this.#sawAnswer(this.#clock.monotonic() - call.sentAt);
    return inTime;
  }

  /** To be called when the connection is gone: opens the breaker and fails what is in flight. */
  connectionLost(reason: string): void {
    this.#open(reason);
  }

  /** To be called when a connection is ready: probes at once instead of at the next interval. */
  connectionReady(): void {
    if (this.#openReason === undefined) return;
    // A probe that is under way went to the connection before this one.
    this.#endProbe?.(false);
    this.#probe();
  }

  /** Resolves when the first connection was made, failed or took too long. */
  started(): Promise<void> {
    return this.#start?.over ?? Promise.resolve();
  }

  /** Fails what is in flight and everything after it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#start?.end();
    this.#deadlineTimer?.cancel();
    this.#endProbe?.(false);
    this.#probeTimer?.cancel();
    this.#failPending(this.#downError());
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
    const timer = this.#clock.after(this.#limits.deadlineMaxMs, () => this.#open('no connection yet'));
  }

  #sawAnswer(latencyMs: number): void {
    // A peak that fades: one slow answer is remembered for some hundred commands.
    this.#peakMs = latencyMs > this.#peakMs ? latencyMs : this.#peakMs - (this.#peakMs - latencyMs) / 256;
    this.#failures = 0;
    this.#silentSince = Number.POSITIVE_INFINITY;
  }

  #armDeadline(ms: number): void {
    this.#deadlineTimer = afterAwake(this.#clock, ms, (heldUpMs) => {
      this.#deadlineTimer = undefined;
      this.#expire(heldUpMs);
    });
  }

  #expire(heldUpMs: number): void {
    if (heldUpMs > 0) {
      for (const call of this.#pending) call.sentAt += heldUpMs;
      this.#silentSince += heldUpMs;
    }
    const now = this.#clock.monotonic();
    const deadlineMs = this.deadlineMs;
    let struck = false;
    for (let call = this.#pending.first; call !== undefined; call = this.#pending.first) {
      const leftMs = call.sentAt + deadlineMs - now;
      if (leftMs > 0) {
        this.#armDeadline(leftMs);
        break;
      }
      this.#pending.remove(call);
      if (call.sentAt >= this.#struckAt) struck = true;
      this.#silentSince = Math.min(this.#silentSince, call.sentAt);
      call.fail(this.#unknownError(`no answer within ${Math.round(deadlineMs)} ms`));
    }
    if (!struck || this.#openReason !== undefined || this.#closed) return;
    this.#struckAt = now;
    this.#failures += 1;
    const silentMs = now - this.#silentSince;
    if (this.#failures < this.#limits.failuresToOpen && silentMs < 2 * this.#limits.deadlineMaxMs) return;
    this.#open(`no answer for ${Math.round(silentMs)} ms`);
    this.#options.reset();
  }

  #open(reason: string): void {
    if (this.#closed) return;
    this.#openReason = reason;
    this.#start?.end();
    this.#failPending(this.#unknownError(reason));
    this.#endProbe?.(false);
    if (this.#downAnnounced) return;
    this.#downAnnounced = true;
    this.#options.onDown?.(reason);
    this.#scheduleProbe();
  }

  #scheduleProbe(): void {
    this.#probeTimer?.cancel();
    this.#probeTimer = this.#clock.after(this.#limits.probeEveryMs, () => this.#probe(), { background: true });
  }

  #probe(): void {
    if (this.#endProbe !== undefined || this.#closed || this.#openReason === undefined) return;
    const end = (alive: boolean) => {
      if (this.#endProbe !== end) return;
      this.#endProbe = undefined;
      deadline.cancel();
      if (this.#closed || this.#openReason === undefined) return;
      if (alive) this.#closeBreaker();
      else this.#scheduleProbe();
    };
    this.#endProbe = end;
    const deadline = afterAwake(this.#clock, this.#limits.deadlineMaxMs, () => {
      if (this.#endProbe !== end) return;
      end(false);
      this.#options.reset();
    });
    const { probe } = this.#options;
    Promise.resolve()
      .then(probe)
      .then(
        () => end(true),
        () => end(false),
      );
  }

  #closeBreaker(): void {
    this.#probeTimer?.cancel();
    this.#openReason = undefined;
    this.#failures = 0;
    this.#struckAt = Number.NEGATIVE_INFINITY;
    this.#silentSince = Number.POSITIVE_INFINITY;
    this.#peakMs = this.#limits.deadlineMaxMs / this.#limits.deadlineFactor;
    this.#start?.end();
    if (!this.#downAnnounced) return;
    this.#downAnnounced = false;
    this.#options.onUp?.();
  }

  #failPending(error: HotshelfError): void {
    for (let call = this.#pending.first; call !== undefined; call = this.#pending.first) {
      this.#pending.remove(call);
      call.fail(error);
    }
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
