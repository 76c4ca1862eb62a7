/** Asks the store within a deadline, and knows whether it answers. */

import type { Backend } from '../backend/backend.ts';
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

export class Store {
  readonly events = new Emitter<LimiterEvent>();
  readonly #guard: Guard;
  #isDegraded = false;

  constructor(backend: Backend, clock: Clock, deadlineMs: number) {
    this.#guard = new Guard({
      server: `The ${backend.name} backend`,
      clock,
      probe: async () => {
        const { ok, reason = '' } = await backend.health();
        if (!ok) throw new HotshelfError('BACKEND_DOWN', reason);
      },
      // The adapter looks after its connections itself.
      reset: () => {},
      // One deadline is enough: whoever asks next would wait in vain as well.
      limits: { deadlineMaxMs: deadlineMs, deadlineMinMs: deadlineMs * shortestShare, failuresToOpen: 1 },
    });
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
      if (!this.#isDegraded) this.#degraded(error);
      return otherwise(error);
    }
  }

  close(): void {
    this.#guard.close();
  }

  #degraded(error: HotshelfError): void {
    this.#isDegraded = true;
    if (this.events.observed) this.events.emit({ type: 'degraded', reason: error.message });
  }

  #restored(): void {
    this.#isDegraded = false;
    if (this.events.observed) this.events.emit({ type: 'restored' });
  }
}
