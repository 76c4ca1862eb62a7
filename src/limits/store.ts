/** Asks the store within a deadline, and knows whether it answers. */

import type { BackendWith } from '../backend/backend.ts';
import type { Limits, Plan } from '../backend/limits.ts';
import { Call } from '../support/calls.ts';
import type { Clock } from '../support/clock.ts';
import { Emitter } from '../support/emitter.ts';
import { HotshelfError, isUnconfirmed } from '../support/errors.ts';
import { Guard } from '../support/guard.ts';

export type LimiterEvent =
  | { readonly type: 'degraded'; readonly reason: string }
  /** The store decides again. */
  | { readonly type: 'restored' };

/** The deadline shrinks to this share while the store is quick. */
const shortestShare = 0.5;

/** Nothing is taken of this. */
const probeKeys = ['limits:{probe}'];
const probePlans: readonly Plan[] = [{ algorithm: 'fixed-window', limit: 1, windowMs: 1000 }];

/** What the store is asked, and what becomes of it. */
export interface Matter<Answer, Result> {
  send(): Promise<Answer>;
  heard(answer: Answer): Result;
  otherwise(error: HotshelfError): Result;
}

export class Store {
  readonly events = new Emitter<LimiterEvent>();
  readonly #guard: Guard;
  readonly #clock: Clock;
  readonly #unwatch: () => void;
  #isDegraded = false;
  #lastOutageAt: number | undefined;

  constructor(backend: BackendWith<'limits'>, limits: Limits, clock: Clock, deadlineMs: number) {
    this.#clock = clock;
    this.#guard = new Guard({
      server: `The ${backend.name} backend`,
      clock,
      // By the way that takes go: only so does the adapter learn that its connection is dead, while nothing else is sent.
      probe: () => limits.look(probeKeys, probePlans, 0),
      // The adapter looks after its connections itself.
      reset: () => {},
      // One deadline is enough: whoever asks next would wait in vain as well.
      limits: { deadlineMaxMs: deadlineMs, deadlineMinMs: deadlineMs * shortestShare, failuresToOpen: 1 },
    });
    // Rather than at the next probe.
    this.#unwatch = backend.watch(({ type }) => {
      if (type === 'up') this.#guard.connectionReady();
    });
  }

  /** When the store was last known not to answer, in epoch ms: it may have lost what it counted until then. */
  get lastOutageAt(): number | undefined {
    return this.#lastOutageAt;
  }

  /**
   * Resolves with what `heard` makes of the answer of the store, or with what `otherwise` makes of its failure.
   *
   * @throws {HotshelfError} what is wrong with the question.
   */
  ask<Answer, Result>(matter: Matter<Answer, Result>): Promise<Result> {
    // One promise and no more: every take comes through here.
    return new Promise((resolve, reject) => {
      const call = new Asking(this, matter, resolve, reject);
      const refusal = this.#guard.begin(call);
      if (refusal !== undefined) return call.fail(refusal);
      const failed = (error: unknown) => {
        const isAnswer = error instanceof HotshelfError && error.code === 'BACKEND_REFUSED';
        if (this.#guard.end(call, isAnswer)) call.fail(error);
      };
      try {
        matter.send().then((answer) => {
          if (this.#guard.end(call, true)) call.answer(answer);
        }, failed);
      } catch (error) {
        failed(error);
      }
    });
  }

  /** To be called when the store has answered in time. */
  hasAnswered(): void {
    if (this.#isDegraded) this.#restored();
  }

  /** Returns the error if it means that the store does not answer; throws it if it is about the question. */
  hasFailed(error: unknown): HotshelfError {
    // A backend that is closed while requests are still served is one that does not answer.
    if (!isUnconfirmed(error) && !(error instanceof HotshelfError && error.code === 'CLOSED')) throw error;
    this.#lastOutageAt = this.#clock.now();
    if (!this.#isDegraded) this.#degraded(error);
    return error;
  }

  close(): void {
    this.#unwatch();
    this.#guard.close();
  }

  #degraded(error: HotshelfError): void {
    this.#isDegraded = true;
    if (this.events.observed) this.events.emit({ type: 'degraded', reason: error.message });
  }

  #restored(): void {
    this.#isDegraded = false;
    this.#lastOutageAt = this.#clock.now();
    if (this.events.observed) this.events.emit({ type: 'restored' });
  }
}

/** A question on its way, and the promise of who asked it. */
class Asking<Answer, Result> extends Call {
  readonly #store: Store;
  readonly #matter: Matter<Answer, Result>;
  readonly #resolve: (result: Result) => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    store: Store,
    matter: Matter<Answer, Result>,
    resolve: (result: Result) => void,
    reject: (error: unknown) => void,
  ) {
    super();
    this.#store = store;
    this.#matter = matter;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  answer(answer: Answer): void {
    try {
      this.#store.hasAnswered();
      this.#resolve(this.#matter.heard(answer));
    } catch (error) {
      this.#reject(error);
    }
  }

  fail(error: unknown): void {
    try {
      this.#resolve(this.#matter.otherwise(this.#store.hasFailed(error)));
    } catch (problem) {
      this.#reject(problem);
    }
  }
}
