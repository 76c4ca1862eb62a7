/** Asks the store within a deadline, and knows whether it answers. */

import type { BackendWith } from '../backend/backend.ts';
import type { Limits, Plan } from '../backend/limits.ts';
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
   * Resolves with what the store answers, or with what `otherwise` makes of its failure.
   *
   * @throws {HotshelfError} what is wrong with the question.
   */
  async ask<Answer, Other>(
    send: () => Promise<Answer>,
    otherwise: (error: HotshelfError) => Other,
  ): Promise<Answer | Other> {
    try {
      const answer = await this.#guard.run(send);
      if (this.#isDegraded) this.#restored();
      return answer;
    } catch (error) {
      // A backend that is closed while requests are still served is one that does not answer.
      if (!isUnconfirmed(error) && !(error instanceof HotshelfError && error.code === 'CLOSED')) throw error;
      this.#lastOutageAt = this.#clock.now();
      if (!this.#isDegraded) this.#degraded(error);
      return otherwise(error);
    }
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
