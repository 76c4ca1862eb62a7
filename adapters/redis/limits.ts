/** The limits facet on Redis: decided by one script on the server, in the time of the server. */

import { taken } from '../../src/backend/limits/arithmetic.ts';
import { Blocks } from '../../src/backend/limits/blocks.ts';
import { checkShut, checkTake } from '../../src/backend/limits/check.ts';
import type { Limits, Plan, Taken } from '../../src/backend/limits.ts';
import type { Clock } from '../../src/support/clock.ts';
import type { HotshelfError } from '../../src/support/errors.ts';
import { LimitsBatch } from './limits-batch.ts';
import type { Answer, Mode } from './limits-text.ts';
import type { Nodes } from './nodes.ts';

export class RedisLimits implements Limits {
  readonly #nodes: Nodes;
  readonly #batch: LimitsBatch;
  readonly #prefix: string;
  readonly #clock: Clock;
  readonly #blocks: Blocks | undefined;

  /** @param blocks whether takes of exhausted keys are refused without asking the server */
  constructor(nodes: Nodes, clock: Clock, blocks: boolean) {
    this.#nodes = nodes;
    this.#batch = new LimitsBatch(nodes);
    this.#prefix = nodes.keyPrefix;
    this.#clock = clock;
    this.#blocks = blocks ? new Blocks(clock) : undefined;
  }

  refused(keys: readonly string[], plans: readonly Plan[], cost: number): Taken | undefined {
    return this.#blocks?.find(keys, plans, cost);
  }

  take(keys: readonly string[], plans: readonly Plan[], cost: number, gate = ''): Promise<Taken> {
    const blocked = this.#blocks?.find(keys, plans, cost);
    if (blocked !== undefined) return Promise.resolve(blocked);
    const askedAt = this.#clock.monotonic();
    return this.#ask('take', keys, plans, cost, gate, ({ allowed, usages }, now) => {
      if (!allowed) this.#blocks?.note(keys, plans, usages, now, askedAt);
    });
  }

  look(keys: readonly string[], plans: readonly Plan[], cost: number, gate = ''): Promise<Taken> {
    return this.#ask('look', keys, plans, cost, gate);
  }

  charge(keys: readonly string[], plans: readonly Plan[], cost: number): Promise<Taken> {
    return this.#ask('charge', keys, plans, cost, '');
  }

  async give(keys: readonly string[], plans: readonly Plan[], cost: number): Promise<void> {
    await this.#return('give', keys, plans, cost);
  }

  async reset(keys: readonly string[], plans: readonly Plan[]): Promise<void> {
    await this.#return('reset', keys, plans, 0);
  }

  async shut(gate: string, ms: number): Promise<void> {
    checkShut(gate, ms);
    const key = this.#prefix + gate;
    await (ms > 0 ? this.#nodes.run(key, 'set', [key, '', 'PX', ms]) : this.#nodes.run(key, 'unlink', [key]));
  }

  close(): void {
    this.#blocks?.clear();
  }

  async #return(mode: Mode, keys: readonly string[], plans: readonly Plan[], cost: number): Promise<void> {
    const forget = () => this.#blocks?.forget(keys);
    try {
      // As soon as it is answered: a take that was refused before it was answered before it as well.
      await this.#ask(mode, keys, plans, cost, '', forget);
    } catch (error) {
      forget();
      throw error;
    }
  }

  #ask(
    mode: Mode,
    keys: readonly string[],
    plans: readonly Plan[],
    cost: number,
    gate: string,
    hear: (answer: Answer, now: number) => void = () => {},
  ): Promise<Taken> {
    return new Promise((resolve, reject: (error: HotshelfError) => void) => {
      checkTake(keys, plans, cost, gate === '' ? undefined : gate);
      this.#batch.ask({
        mode,
        keys: this.#prefix === '' ? keys : keys.map((key) => this.#prefix + key),
        plans,
        cost,
        gate: gate === '' ? '' : this.#prefix + gate,
        answer: (answer, now) => {
          hear(answer, now);
          resolve(taken(plans, answer.usages, now, cost, answer.allowed || mode === 'charge', answer.shutMs));
        },
        fail: reject,
      });
    });
  }
}
